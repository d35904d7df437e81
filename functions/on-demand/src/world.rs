//! What this function needs of the world.

use shared::{Catalog, Clock, Random, Receivers, Rules, Variables};

/// What this function needs of the world.
pub trait World: Catalog + Rules + Receivers + Clock + Random + Variables {}

impl<T: Catalog + Rules + Receivers + Clock + Random + Variables> World for T {}
