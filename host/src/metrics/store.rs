//! The key-value store, counted.

use std::sync::Arc;

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

/// What is counted of the store.
#[derive(Debug)]
pub(crate) struct StoreMetrics {
    operations: Box<[Arc<Calls<Outcome>>]>,
}

impl Default for StoreMetrics {
    fn default() -> Self {
        Self { operations: Operation::ALL.iter().map(|_| Arc::new(Calls::new(&FAST_SECONDS))).collect() }
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

    async fn count<T>(&self, operation: Operation, work: impl Future<Output = Result<T>>) -> Result<T> {
        let running = self.operations[operation.place()].begin(Outcome::Abandoned);
        let result = work.await;
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
        self.store.health()
    }
}
