//! What was taken is told no more, unless the call that told it could not note that.

use std::collections::BTreeSet;

use super::flight::Flight;
use crate::call::Kind;
use crate::told::Told;

/// Calls that tell receivers, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    /// Those that met a fault, a lost reply or their end.
    troubled: BTreeSet<u64>,
    twice: Option<String>,
}

impl Deliveries {
    pub(super) fn meet_trouble(&mut self, flight: &Flight) {
        if flight.call.kind == Kind::Deliver {
            self.troubled.insert(flight.number);
        }
    }

    /// Looks at what was told from one on. One call at a time tells of a recording, and notes what it told.
    pub(super) fn look(&mut self, told: &[Told], from: usize) {
        for (at, again) in told.iter().enumerate().skip(from) {
            let taken = told[..at].iter().find(|before| before.id == again.id && before.is_taken);
            if let Some(before) = taken.filter(|before| !self.troubled.contains(&before.call)) {
                let Told { id, body, .. } = again;
                let (one, two) = (before.call, again.call);
                self.twice.get_or_insert_with(|| {
                    format!("{id} was taken of call #{one}, and told again by call #{two}: {body}")
                });
            }
        }
    }

    pub(super) fn told_twice(&self) -> Option<&String> {
        self.twice.as_ref()
    }
}
