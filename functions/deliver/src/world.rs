//! What this function needs of the world.

use shared::{Catalog, Clock, Receivers, Rules, Variables};

/// What this function needs of the world.
pub trait World: Catalog + Rules + Receivers + Clock + Variables {}

impl<T: Catalog + Rules + Receivers + Clock + Variables> World for T {}
