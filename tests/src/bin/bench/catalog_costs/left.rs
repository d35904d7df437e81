//! What a store holds, by what it is held for.

use anyhow::Result;
use store::Store;
use store::memory::{MemoryStore, run};

/// Keys, and bytes with their values.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Held {
    pub(crate) keys: usize,
    pub(crate) bytes: usize,
}

impl std::ops::AddAssign for Held {
    fn add_assign(&mut self, other: Self) {
        self.keys += other.keys;
        self.bytes += other.bytes;
    }
}

/// What a store holds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Left {
    /// For streams' days.
    pub(crate) days: Held,
    /// For streams' names.
    pub(crate) names: Held,
    /// Once for a domain, a gateway or a lane of timers.
    pub(crate) others: Held,
}

impl Left {
    pub(crate) fn of(store: &MemoryStore) -> Result<Self> {
        let mut left = Self::default();
        let values = store.values();
        for key in store.keys() {
            let bytes = match values.binary_search_by(|(found, _)| found.cmp(&key)) {
                Ok(at) => values[at].1.len(),
                Err(_) => size_of_val(&run(store.increment(&key, 0))?),
            };
            let last = key.rsplit('.').next().unwrap_or_default();
            let of = match key.split('.').next().unwrap_or_default() {
                "d" | "g" | "m" => &mut left.others,
                "t" if ["open", "swept", "done"].contains(&last) => &mut left.others,
                "l" | "p" | "v" => &mut left.names,
                _ => &mut left.days,
            };
            *of += Held { keys: 1, bytes: key.len() + bytes };
        }
        Ok(left)
    }

    pub(crate) fn all(self) -> Held {
        let mut all = self.days;
        all += self.names;
        all += self.others;
        all
    }
}

impl std::ops::AddAssign for Left {
    fn add_assign(&mut self, other: Self) {
        self.days += other.days;
        self.names += other.names;
        self.others += other.others;
    }
}
