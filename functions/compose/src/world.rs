//! What this function needs of the world.

use shared::{Bucket, Catalog, Clock, Files, Variables};

/// What this function needs of the world.
pub trait World: Catalog + Bucket + Files + Clock + Variables {}

impl<T: Catalog + Bucket + Files + Clock + Variables> World for T {}
