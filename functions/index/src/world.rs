//! What this function needs of the world.

use shared::{Bucket, Catalog, Clock, Rules, Variables};

/// What this function needs of the world.
pub trait World: Catalog + Rules + Bucket + Clock + Variables {}

impl<T: Catalog + Rules + Bucket + Clock + Variables> World for T {}
