//! The store behind `spin:key-value` and `wasi:keyvalue`.
//!
//! A trait, so that a simulation can put its own in the place of the [`disk`] one.

use std::path::Path;
use std::time::SystemTime;

use async_trait::async_trait;
use thiserror::Error;

pub mod disk;
pub mod memory;
pub mod redis;

/// Why an operation failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyValueError {
    /// An increment of a key whose value is not a counter.
    #[error("the value under {key:?} is {length} bytes long, a counter is 8")]
    NotACounter {
        /// The key.
        key: String,
        /// Length of its value, in bytes.
        length: usize,
    },
    /// An increment past what a counter holds.
    #[error("the counter under {key:?} is {value}, adding {delta} overflows it")]
    CounterOverflow {
        /// The key.
        key: String,
        /// The counter's value.
        value: i64,
        /// What was to be added.
        delta: i64,
    },
    /// The store itself failed; whether a write took place is unknown.
    #[error("the key-value store failed: {0}")]
    Store(String),
}

/// A result of this module.
pub type Result<T, E = KeyValueError> = std::result::Result<T, E>;

/// A key-value store.
///
/// A write is durable once its future has resolved, and every read that begins later sees it.
/// How a counter is kept is each store's own matter, as in Spin: only an increment reads it.
#[async_trait]
pub trait KeyValue: Send + Sync + 'static {
    /// The value under `key`.
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>>;

    /// Puts `value` under `key`.
    async fn set(&self, key: String, value: Vec<u8>) -> Result<()>;

    /// Removes `key`, if it is there.
    async fn delete(&self, key: String) -> Result<()>;

    /// Whether there is a value under `key`.
    async fn exists(&self, key: &str) -> Result<bool>;

    /// Adds `delta` to the counter under `key`, 0 if absent, and answers its new value.
    async fn increment(&self, key: String, delta: i64) -> Result<i64>;

    /// Every key, ascending.
    async fn keys(&self) -> Result<Vec<String>>;

    /// Whether the store can be used, as far as is known without trying.
    ///
    /// # Errors
    /// [`KeyValueError::Store`]: the last write failed.
    fn health(&self) -> Result<()> {
        Ok(())
    }

    /// Writes what the store holds at one moment into a new file, and answers a time right after that moment; the store
    /// goes on meanwhile. It may block for long.
    ///
    /// # Errors
    /// [`KeyValueError::Store`]: the file is there already or cannot be written, or the store is in no file of this host.
    fn copy_to(&self, _file: &Path) -> Result<SystemTime> {
        Err(KeyValueError::Store("it is in no file of this host, and is copied by means of its own".into()))
    }
}

/// Adds `delta` to the counter that `value` encodes: 8 bytes, little-endian, as Spin's own store keeps it.
fn add_to_counter(key: &str, value: Option<&[u8]>, delta: i64) -> Result<i64> {
    let value = match value {
        None => 0,
        Some(bytes) => i64::from_le_bytes(
            bytes
                .try_into()
                .map_err(|_| KeyValueError::NotACounter { key: key.to_owned(), length: bytes.len() })?,
        ),
    };
    value.checked_add(delta).ok_or_else(|| KeyValueError::CounterOverflow {
        key: key.to_owned(),
        value,
        delta,
    })
}
