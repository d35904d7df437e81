//! A store in memory for tests: every operation is a scheduling point, at which another actor may go first, an actor
//! may crash, or the operation may fail.
//!
//! Nothing here is random by itself: one seed (of [`Random`]) or one list of choices makes one run.
//!
//! ```
//! use store::{Store, memory::{Actor, MemoryStore, Random, run}};
//!
//! let store = MemoryStore::default();
//! let count = || -> Actor<'_, _> { Box::pin(store.increment("n", 1)) };
//! store.scheduler().run(vec![count(), count(), count()], Random::new(42).fair());
//! assert_eq!(run(store.counter("n")), Ok(3));
//! ```

mod random;
mod scheduler;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;

pub use random::Random;
pub use scheduler::{Actor, Outcome, Scheduler, Seen, Step, every_schedule, run};

use crate::{Error, Operation, SharedStore, Store, limits};

/// An operation as [`MemoryStore::fail`] is told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// Its number since the faults were set, from 0.
    pub number: u64,
    /// What it does.
    pub operation: Operation,
    /// Its key.
    pub key: &'a str,
}

/// Decides how each operation ends.
type Faults = Box<dyn FnMut(Call<'_>) -> Outcome>;

/// A store in memory.
///
/// Values and counters lie apart, as they do in some backends, and a key that is used as both panics.
/// Keys and values past the [limits] panic, too.
#[derive(Default)]
pub struct MemoryStore {
    scheduler: Scheduler,
    values: RefCell<BTreeMap<String, Vec<u8>>>,
    counters: RefCell<BTreeMap<String, i64>>,
    operations: Cell<u64>,
    read_bytes: Cell<u64>,
    written_bytes: Cell<u64>,
    faults: RefCell<Option<Faults>>,
    any_key: bool,
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("keys", &self.keys()).finish_non_exhaustive()
    }
}

impl MemoryStore {
    /// An empty store, whose operations are scheduled together with those of whatever else the scheduler knows.
    #[must_use]
    pub fn new(scheduler: Scheduler) -> Self {
        Self { scheduler, ..Self::default() }
    }

    /// An empty store that takes keys which some backends refuse.
    #[must_use]
    pub fn with_any_key() -> Self {
        Self { any_key: true, ..Self::default() }
    }

    /// What schedules the operations.
    #[must_use]
    pub fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    /// Lets `faults` decide how each operation ends from now on, and counts operations from 0 again.
    ///
    /// A fault that the scheduler chose for the same operation comes first.
    pub fn fail(&self, faults: impl FnMut(Call<'_>) -> Outcome + 'static) {
        self.operations.set(0);
        *self.faults.borrow_mut() = Some(Box::new(faults));
    }

    /// Refuses every operation from the n-th on, and counts operations from 0 again.
    pub fn break_at(&self, operation: u64) {
        self.fail(move |call| if call.number < operation { Outcome::Applied } else { Outcome::Refused });
    }

    /// Lets every operation succeed again.
    pub fn mend(&self) {
        *self.faults.borrow_mut() = None;
    }

    /// How many operations there were since the store was made or its faults were set.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.operations.get()
    }

    /// Bytes of all values that were read.
    #[must_use]
    pub fn read_bytes(&self) -> u64 {
        self.read_bytes.get()
    }

    /// Bytes of all keys and values that were written.
    #[must_use]
    pub fn written_bytes(&self) -> u64 {
        self.written_bytes.get()
    }

    /// Every key, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let (values, counters) = (self.values.borrow(), self.counters.borrow());
        let mut keys: Vec<_> = values.keys().chain(counters.keys()).cloned().collect();
        keys.sort();
        keys
    }

    /// Every value with its key, in order.
    #[must_use]
    pub fn values(&self) -> Vec<(String, Vec<u8>)> {
        self.entries_under("")
    }

    /// Every value whose key begins so, with its key, in order.
    #[must_use]
    pub fn entries_under(&self, prefix: &str) -> Vec<(String, Vec<u8>)> {
        let values = self.values.borrow();
        under(&values, prefix).map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.borrow().len() + self.counters.borrow().len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many values have a key that begins so.
    #[must_use]
    pub fn values_under(&self, prefix: &str) -> usize {
        let values = self.values.borrow();
        under(&values, prefix).count()
    }

    /// Size of the largest value in bytes.
    #[must_use]
    pub fn largest_value(&self) -> usize {
        self.values.borrow().values().map(Vec::len).max().unwrap_or(0)
    }

    /// One operation: lets others go first, then applies the operation, refuses it, or loses its reply.
    async fn perform<T>(
        &self,
        operation: Operation,
        key: &str,
        apply: impl FnOnce() -> T,
    ) -> Result<T, Error> {
        let scheduled = self.scheduler.point().await;
        if !self.any_key {
            limits::check_key(key).expect("every backend should take the keys of a test");
        }
        let number = self.operations.get();
        self.operations.set(number + 1);
        let planned = self.faults.borrow_mut().as_mut().map(|faults| faults(Call { number, operation, key }));
        let outcome = match scheduled {
            Outcome::Applied => planned.unwrap_or(Outcome::Applied),
            fault => fault,
        };
        let writes = matches!(operation, Operation::Set | Operation::Delete | Operation::Increment);
        self.scheduler.see(writes, key, outcome);
        let failed = |reason: &str| Err(Error::Backend { operation, key: key.into(), reason: reason.into() });
        match outcome {
            Outcome::Applied => Ok(apply()),
            Outcome::Refused => failed("refused by the test"),
            Outcome::ReplyLost => {
                apply();
                failed("reply lost by the test")
            }
        }
    }

    fn expect_value(&self, key: &str) {
        assert!(!self.counters.borrow().contains_key(key), "counter {key:?} is used as a value");
    }
}

/// Entries whose keys begin with a prefix, in order.
fn under<'a, T>(map: &'a BTreeMap<String, T>, prefix: &'a str) -> impl Iterator<Item = (&'a String, &'a T)> {
    map.range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
        .take_while(move |(key, _)| key.starts_with(prefix))
}

impl Store for MemoryStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let apply = || {
            self.expect_value(key);
            let value = self.values.borrow().get(key).cloned();
            self.read_bytes.set(self.read_bytes.get() + value.as_ref().map_or(0, |value| value.len() as u64));
            value
        };
        self.perform(Operation::Get, key, apply).await
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        let apply = || {
            self.expect_value(key);
            limits::check_value(key, value).expect("every backend should take the values of a test");
            self.written_bytes.set(self.written_bytes.get() + (key.len() + value.len()) as u64);
            self.values.borrow_mut().insert(key.into(), value.into());
        };
        self.perform(Operation::Set, key, apply).await
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        let apply = || {
            self.values.borrow_mut().remove(key);
            self.counters.borrow_mut().remove(key);
        };
        self.perform(Operation::Delete, key, apply).await
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        let apply = || self.values.borrow().contains_key(key) || self.counters.borrow().contains_key(key);
        self.perform(Operation::Exists, key, apply).await
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, Error> {
        let apply = || {
            assert!(!self.values.borrow().contains_key(key), "value {key:?} is used as a counter");
            if delta != 0 {
                self.written_bytes.set(self.written_bytes.get() + (key.len() + size_of::<i64>()) as u64);
            }
            let mut counters = self.counters.borrow_mut();
            let counter = counters.entry(key.into()).or_default();
            *counter += delta;
            *counter
        };
        self.perform(Operation::Increment, key, apply).await
    }
}

impl SharedStore for MemoryStore {
    async fn pause(&self) {
        self.scheduler.point().await;
    }
}
