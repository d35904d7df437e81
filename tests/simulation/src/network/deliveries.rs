//! What was taken is told no more, unless a call could not know.

use std::collections::{BTreeMap, BTreeSet};

use super::flight::Flight;
use crate::call::Kind;
use crate::told::Told;

/// Calls that tell receivers, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    /// Those that met a fault, a lost reply or their end.
    troubled: BTreeSet<u64>,
    /// Those that were under way when one began.
    beside: BTreeMap<u64, BTreeSet<u64>>,
    twice: Option<String>,
}

impl Deliveries {
    pub(super) fn begin(&mut self, call: u64, beside: impl Iterator<Item = u64>) {
        let beside: BTreeSet<u64> = beside.collect();
        if !beside.is_empty() {
            self.beside.insert(call, beside);
        }
    }

    pub(super) fn meet_trouble(&mut self, flight: &Flight) {
        if flight.call.kind == Kind::Deliver {
            self.troubled.insert(flight.number);
        }
    }

    /// Looks at what was told from one on.
    pub(super) fn look(&mut self, told: &[Told], from: usize) {
        for (at, again) in told.iter().enumerate().skip(from) {
            let taken = told[..at].iter().find(|before| before.id == again.id && before.is_taken);
            if let Some(before) = taken
                && !self.may_not_know(before.call, again.call)
            {
                let Told { id, body, .. } = again;
                let (one, two) = (before.call, again.call);
                self.twice.get_or_insert_with(|| {
                    format!("{id} was taken of call #{one}, and told again by call #{two}: {body}")
                });
            }
        }
    }

    /// Whether a call may tell again what another one was taken: what that had told is kept when it is over, unless
    /// something happened to it; and what is told is read when a call begins.
    fn may_not_know(&self, before: u64, again: u64) -> bool {
        let was_beside = |one, two| self.beside.get(one).is_some_and(|beside| beside.contains(two));
        // One call may take two timers of a recording at once.
        before == again
            || self.troubled.contains(&before)
            || self.troubled.contains(&again)
            || was_beside(&before, &again)
            || was_beside(&again, &before)
    }

    pub(super) fn told_twice(&self) -> Option<&String> {
        self.twice.as_ref()
    }
}
