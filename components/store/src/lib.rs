//! The application's key-value store, as far as every backend of Spin does it correctly: get, set, delete,
//! exists and an atomic increment. No compare-and-swap, no batch, no listing of keys.
//!
//! Logic is written against [`Store`], so that tests can run it on one in memory; `SpinStore`, which exists where
//! this is compiled for Wasm, is the real one.
#![deny(missing_docs)]

#[cfg(target_arch = "wasm32")]
mod spin;
#[cfg(target_arch = "wasm32")]
pub use spin::SpinStore;

/// What is asked of a key-value store.
///
/// A counter lives under its own key and is only ever touched by [`increment`](Store::increment),
/// [`counter`](Store::counter), [`exists`](Store::exists) and [`delete`](Store::delete): how a backend encodes
/// it differs.
#[expect(async_fn_in_trait, reason = "components have one thread; no caller needs a Send bound")]
pub trait Store {
    /// The value under a key.
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error>;
    /// Puts a value under a key.
    async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error>;
    /// Removes a key; harmless if it is absent.
    async fn delete(&self, key: &str) -> Result<(), Error>;
    /// Whether the key is there, a counter's included.
    async fn exists(&self, key: &str) -> Result<bool, Error>;
    /// Adds to a counter, which is 0 while absent, and answers its new value.
    async fn increment(&self, key: &str, delta: i64) -> Result<i64, Error>;

    /// The value of a counter, without creating it.
    async fn counter(&self, key: &str) -> Result<i64, Error> {
        if self.exists(key).await? { self.increment(key, 0).await } else { Ok(0) }
    }
}

/// The store failed: which operation on which key, and what it said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("key-value store: {0}")]
pub struct Error(pub String);
