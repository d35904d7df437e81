//! Which history is played, and how.

use std::collections::BTreeSet;

use store::memory::Random;

use crate::defects::Defect;
use crate::trace::Detail;

/// Which history.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Its seed.
    pub seed: u64,
    /// The events and faults that may happen; any where that is not said.
    pub only: Option<BTreeSet<u32>>,
    /// What is printed.
    pub detail: Detail,
    /// A deliberate defect that it is played with.
    pub defect: Option<Defect>,
    /// How long it is.
    pub length: Length,
    /// What its gateways are. [`run`](crate::run::run) goes by it; [`run_on`](crate::run::run_on) goes by what answers calls.
    pub gateways: Gateways,
    /// Calls that are under way go on one after the other, and the trace is kept.
    pub in_turn: bool,
}

impl Options {
    /// All of the history of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }
}

/// What the gateways of a history are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gateways {
    /// Models that keep the contract.
    #[default]
    Models,
    /// The gateway as it ships, with its sockets and its spool.
    Real,
}

/// How long things happen in a history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Length {
    /// For minutes, in which much happens.
    #[default]
    Minutes,
    /// For hours, past a midnight, so that a day is sealed while pushes go on; streams are many, and all is so much rarer.
    Hours,
}

impl Length {
    /// How many times rarer things happen than in a short history.
    #[must_use]
    pub fn rarity(self) -> usize {
        match self {
            Self::Minutes => 1,
            Self::Hours => 60,
        }
    }

    /// How long it is, where a short one would be of so many seconds: 25 to 37 hours. The first midnight comes after 21, and
    /// its day is sealed within two more.
    pub(crate) fn seconds(self, short: u64) -> u64 {
        match self {
            Self::Minutes => short,
            Self::Hours => 75_600 + 120 * short,
        }
    }

    /// How many streams there are. What passes without them, heartbeats and lanes, takes most of the time of a long history.
    pub(crate) fn streams(self, random: &mut Random) -> usize {
        match self {
            Self::Minutes => 1 + random.below(2),
            Self::Hours => 4 + random.below(21),
        }
    }

    /// How many times longer record files are than in a short history.
    pub(crate) fn files_are_longer(self) -> u64 {
        match self {
            Self::Minutes => 1,
            Self::Hours => 20,
        }
    }

    /// How often it is looked whether all is in record files. Unit: s.
    pub(crate) fn looks_every_s(self) -> u64 {
        match self {
            Self::Minutes => 15,
            Self::Hours => 300,
        }
    }
}
