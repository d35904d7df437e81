//! Where the keys and values are: in memory, or in a store that the host has.

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::Result;
use host::key_value::{KeyValue, KeyValueError};
use store::memory::{MemoryStore, run};
use store::{Error, Operation, Store};
use tokio::runtime::Runtime;

/// Where the keys and values are.
pub(crate) enum Kept {
    Memory(MemoryStore),
    Host(HostStore),
}

impl Default for Kept {
    fn default() -> Self {
        Self::Memory(MemoryStore::default())
    }
}

/// A store of the host. Each call is waited for where it is made.
#[derive(Clone)]
pub(crate) struct HostStore {
    pub(crate) runtime: Rc<Runtime>,
    pub(crate) store: Arc<dyn KeyValue>,
}

impl HostStore {
    fn wait<T>(
        &self,
        operation: Operation,
        key: &str,
        call: impl Future<Output = Result<T, KeyValueError>>,
    ) -> Result<T, Error> {
        let failed =
            |error: KeyValueError| Error::Backend { operation, key: key.into(), reason: error.to_string() };
        self.runtime.block_on(call).map_err(failed)
    }

    /// Fills it with what a store in memory holds, and nothing else.
    pub(crate) fn fill(&self, memory: &MemoryStore) -> Result<()> {
        for key in self.runtime.block_on(self.store.keys())? {
            self.runtime.block_on(self.store.delete(key))?;
        }
        let values = memory.values();
        let is_value = |key: &String| values.binary_search_by(|(found, _)| found.cmp(key)).is_ok();
        for key in memory.keys().into_iter().filter(|key| !is_value(key)) {
            let counted = run(memory.increment(&key, 0))?;
            self.runtime.block_on(self.store.increment(key, counted))?;
        }
        // Many at once: each is synced.
        self.runtime.block_on(async {
            for some in values.chunks(256) {
                let sets = some.iter().map(|(key, value)| {
                    let (store, key, value) = (Arc::clone(&self.store), key.clone(), value.clone());
                    tokio::spawn(async move { store.set(key, value).await })
                });
                for set in sets.collect::<Vec<_>>() {
                    set.await??;
                }
            }
            Ok(())
        })
    }
}

impl Store for HostStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.wait(Operation::Get, key, self.store.get(key))
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.wait(Operation::Set, key, self.store.set(key.into(), value.into()))
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.wait(Operation::Delete, key, self.store.delete(key.into()))
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        self.wait(Operation::Exists, key, self.store.exists(key))
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, Error> {
        self.wait(Operation::Increment, key, self.store.increment(key.into(), delta))
    }
}
