//! What this function needs of the world.

use shared::{Bucket, Catalog, Clock, Variables};

/// What this function needs of the world.
pub trait World: Catalog + Bucket + Clock + Variables {}

impl<T: Catalog + Bucket + Clock + Variables> World for T {}
