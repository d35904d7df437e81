//! What this function needs of the world.

use shared::{Bucket, Catalog, Clock, Files, Rules, Variables};

/// What this function needs of the world.
pub trait World: Catalog + Rules + Bucket + Files + Clock + Variables {}

impl<T: Catalog + Rules + Bucket + Files + Clock + Variables> World for T {}
