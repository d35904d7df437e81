//! A key-value store in memory that can break off.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use store::{Error, Store};

/// Keeps counters and values apart, as some backends do: a test that mixes them up fails.
#[derive(Default)]
pub(super) struct MemoryStore {
    values: RefCell<BTreeMap<String, Vec<u8>>>,
    counters: RefCell<BTreeMap<String, i64>>,
    operations: Cell<u64>,
    breaks_at: Cell<Option<u64>>,
}

impl MemoryStore {
    /// Every operation from the n-th on fails, without effect, until [`mend`](Self::mend).
    pub(super) fn break_at(&self, operation: u64) {
        self.operations.set(0);
        self.breaks_at.set(Some(operation));
    }

    pub(super) fn mend(&self) {
        self.breaks_at.set(None);
    }

    pub(super) fn operations(&self) -> u64 {
        self.operations.get()
    }

    pub(super) fn keys(&self, prefix: &str) -> usize {
        self.values.borrow().keys().filter(|key| key.starts_with(prefix)).count()
    }

    pub(super) fn largest_value(&self) -> usize {
        self.values.borrow().values().map(Vec::len).max().unwrap_or(0)
    }

    fn step(&self) -> Result<(), Error> {
        let operation = self.operations.get();
        self.operations.set(operation + 1);
        match self.breaks_at.get() {
            Some(at) if operation >= at => Err(Error("broken off".into())),
            _ => Ok(()),
        }
    }
}

impl Store for MemoryStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.step()?;
        assert!(!self.counters.borrow().contains_key(key), "counter {key} is read as a value");
        Ok(self.values.borrow().get(key).cloned())
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.step()?;
        assert!(!self.counters.borrow().contains_key(key), "counter {key} is set as a value");
        assert!(value.len() < 256 << 10, "value of {key} has {} bytes", value.len());
        self.values.borrow_mut().insert(key.into(), value.into());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.step()?;
        self.values.borrow_mut().remove(key);
        self.counters.borrow_mut().remove(key);
        Ok(())
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        self.step()?;
        Ok(self.values.borrow().contains_key(key) || self.counters.borrow().contains_key(key))
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, Error> {
        self.step()?;
        assert!(!self.values.borrow().contains_key(key), "value {key} is incremented");
        let mut counters = self.counters.borrow_mut();
        let counter = counters.entry(key.into()).or_default();
        *counter += delta;
        Ok(*counter)
    }
}
