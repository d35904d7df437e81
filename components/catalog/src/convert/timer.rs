//! What is due.

use catalog::timer::{Lane, Timer};

use crate::types;

impl From<types::Lane> for Lane {
    fn from(lane: types::Lane) -> Self {
        match lane {
            types::Lane::Tick => Self::Tick,
            types::Lane::Compose => Self::Compose,
            types::Lane::Deliver => Self::Deliver,
        }
    }
}

impl From<types::Timer> for Timer {
    fn from(timer: types::Timer) -> Self {
        Self { due_ms: timer.due_ms, tries: timer.tries, what: timer.what, entries: timer.entries }
    }
}

impl From<Timer> for types::Timer {
    fn from(timer: Timer) -> Self {
        Self { due_ms: timer.due_ms, tries: timer.tries, what: timer.what, entries: timer.entries }
    }
}
