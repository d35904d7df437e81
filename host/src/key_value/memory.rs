//! A store in memory, for tests and simulations.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{KeyValue, Result, add_to_counter};

/// Keeps everything in memory, in the order of the keys.
#[derive(Debug, Default)]
pub struct MemoryStore {
    values: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl MemoryStore {
    fn values(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        // A panic elsewhere leaves the map whole: each operation is one call of it.
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl KeyValue for MemoryStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.values().get(key).cloned())
    }

    async fn set(&self, key: String, value: Vec<u8>) -> Result<()> {
        self.values().insert(key, value);
        Ok(())
    }

    async fn delete(&self, key: String) -> Result<()> {
        self.values().remove(&key);
        Ok(())
    }

    async fn exists(&self, key: &str) -> Result<bool> {
        Ok(self.values().contains_key(key))
    }

    async fn increment(&self, key: String, delta: i64) -> Result<i64> {
        let mut values = self.values();
        let sum = add_to_counter(&key, values.get(&key).map(Vec::as_slice), delta)?;
        values.insert(key, sum.to_le_bytes().into());
        Ok(sum)
    }

    async fn keys(&self) -> Result<Vec<String>> {
        Ok(self.values().keys().cloned().collect())
    }
}
