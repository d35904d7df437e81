//! What is drawn at each point of a history, and whether it happens.
//!
//! Each point draws by itself, of the seed and the point alone: what is left out of a history changes what other points
//! draw as little as can be. So a history that fails can be shortened by leaving out one thing after the other.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use store::memory::Random;

/// A point of a history: of all that can be drawn, something.
pub type Point = u64;

/// The point that parts of its name make.
#[must_use]
pub fn point(parts: &[u64]) -> Point {
    parts.iter().fold(0x5eed, |point, part| mix(point ^ part.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

/// A point of a text.
#[must_use]
pub fn point_of(text: &str) -> Point {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The finalizer of SplitMix64.
pub(crate) fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// What a seed draws at each point.
#[derive(Debug)]
pub struct Chances {
    seed: u64,
    /// Where it is given, nothing else happens.
    only: Option<BTreeSet<u32>>,
    happened: RefCell<Vec<u32>>,
    /// The operation that goes on.
    pub(crate) operation: Cell<Point>,
}

impl Chances {
    /// What a seed draws; `only` names all that may happen.
    #[must_use]
    pub fn new(seed: u64, only: Option<BTreeSet<u32>>) -> Self {
        Self { seed, only, happened: RefCell::default(), operation: Cell::default() }
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// What is drawn at a point.
    #[must_use]
    pub fn random(&self, at: Point) -> Random {
        Random::new(point(&[self.seed, at]))
    }

    /// Whether what was drawn at a point happens.
    #[must_use]
    pub fn happens(&self, at: Point) -> bool {
        let id = (at ^ (at >> 32)) as u32;
        let happens = self.only.as_ref().is_none_or(|only| only.contains(&id));
        if happens {
            self.happened.borrow_mut().push(id);
        }
        happens
    }

    /// Ids of all that happened, in order.
    #[must_use]
    pub fn happened(&self) -> Vec<u32> {
        self.happened.borrow().clone()
    }
}
