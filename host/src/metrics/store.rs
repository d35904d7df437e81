//! The key-value store, counted.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use exposition::{Exposition, FAST_SECONDS, Label, label};

use super::Calls;
use crate::key_value::{KeyValue, KeyValueError, Result};

label! {
    /// What is done to the store.
    enum Operation as "operation" {
        Get = "get",
        Set = "set",
        Delete = "delete",
        Exists = "exists",
        Increment = "increment",
        Keys = "keys",
    }
}

label! {
    /// How it ends.
    enum Outcome as "outcome" {
        Ok = "ok",
        /// The key holds what the operation cannot be done to.
        Refused = "refused",
        /// The store failed; whether a write took place is unknown.
        Failed = "failed",
        /// The function waited no longer.
        Abandoned = "abandoned",
    }
}

/// For how long an operation that failed says something of a store that nothing else is asked of.
const MEMORY: Duration = Duration::from_secs(60);

/// What is counted of the store.
#[derive(Debug)]
pub(crate) struct StoreMetrics {
    operations: Box<[Arc<Calls<Outcome>>]>,
    /// When an operation failed, and why; nothing once one has succeeded.
    failed: Mutex<Option<(Instant, String)>>,
}

impl Default for StoreMetrics {
    fn default() -> Self {
        let operations = Operation::ALL.iter().map(|_| Arc::new(Calls::new(&FAST_SECONDS)));
        Self { operations: operations.collect(), failed: Mutex::default() }
    }
}

impl StoreMetrics {
    fn each(&self) -> impl Iterator<Item = ([(&'static str, &str); 1], &Calls<Outcome>)> {
        Operation::ALL
            .iter()
            .map(|operation| ([(Operation::NAME, operation.as_str())], &*self.operations[operation.place()]))
    }

    pub(super) fn write(&self, text: &mut Exposition) {
        let mut family = text.counter(
            "live_recorder_key_value_operations_total",
            "Operations of the functions' key-value store, by what became of them.",
        );
        self.each().for_each(|(of, calls)| calls.outcomes.write_with(&mut family, &of));
        let mut family =
            text.histogram("live_recorder_key_value_operation_duration_seconds", "How long they took.");
        self.each().for_each(|(of, calls)| calls.duration.write(&mut family, &of));
        let mut family = text.gauge("live_recorder_key_value_operations_running", "Those that run.");
        self.each().for_each(|(of, calls)| family.value(&of, calls.running.get()));
    }

    /// Notes whether the store answers: a shared one does not know by itself.
    fn note(&self, error: Option<&KeyValueError>) {
        let failed = match error {
            Some(KeyValueError::Store(reason)) => Some((Instant::now(), reason.clone())),
            _ => None,
        };
        let mut noted = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.is_some() || noted.is_some() {
            *noted = failed;
        }
    }

    /// # Errors
    /// The last operation failed, not long ago.
    fn health(&self) -> Result<()> {
        match &*self.failed.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((at, reason)) if at.elapsed() < MEMORY => Err(KeyValueError::Store(reason.clone())),
            _ => Ok(()),
        }
    }

    async fn count<T>(&self, operation: Operation, work: impl Future<Output = Result<T>>) -> Result<T> {
        let running = self.operations[operation.place()].begin(Outcome::Abandoned);
        let result = work.await;
        self.note(result.as_ref().err());
        running.end(match &result {
            Ok(_) => Outcome::Ok,
            Err(KeyValueError::Store(_)) => Outcome::Failed,
            Err(KeyValueError::NotACounter { .. } | KeyValueError::CounterOverflow { .. }) => {
                Outcome::Refused
            }
        });
        result
    }
}

/// A store whose operations are counted.
pub(crate) struct MeteredStore {
    pub(crate) store: Arc<dyn KeyValue>,
    pub(crate) metrics: Arc<StoreMetrics>,
}

#[async_trait]
impl KeyValue for MeteredStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.metrics.count(Operation::Get, self.store.get(key)).await
    }

    async fn set(&self, key: String, value: Vec<u8>) -> Result<()> {
        self.metrics.count(Operation::Set, self.store.set(key, value)).await
    }

    async fn delete(&self, key: String) -> Result<()> {
        self.metrics.count(Operation::Delete, self.store.delete(key)).await
    }

    async fn exists(&self, key: &str) -> Result<bool> {
        self.metrics.count(Operation::Exists, self.store.exists(key)).await
    }

    async fn increment(&self, key: String, delta: i64) -> Result<i64> {
        self.metrics.count(Operation::Increment, self.store.increment(key, delta)).await
    }

    async fn keys(&self) -> Result<Vec<String>> {
        self.metrics.count(Operation::Keys, self.store.keys()).await
    }

    fn health(&self) -> Result<()> {
        self.store.health().and_then(|()| self.metrics.health())
    }

    fn copy_to(&self, file: &Path) -> Result<SystemTime> {
        self.store.copy_to(file)
    }
}
