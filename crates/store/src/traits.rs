//! What is asked of a key-value store.

use crate::Error;

/// A key-value store.
///
/// Each operation is atomic, and what one caller has been answered every later caller sees.
/// A counter lives under its own key and is only ever touched by [`increment`](Store::increment),
/// [`counter`](Store::counter), [`exists`](Store::exists) and [`delete`](Store::delete), because each backend
/// encodes counters in its own way.
///
/// # Errors
/// [`Error::Backend`] where the backend fails. Then the operation may have been applied or not.
#[expect(async_fn_in_trait, reason = "guests have one thread; no caller needs a Send bound")]
pub trait Store {
    /// The value under a key.
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error>;
    /// Puts a value under a key.
    async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error>;
    /// Removes a key; harmless where the key is absent.
    async fn delete(&self, key: &str) -> Result<(), Error>;
    /// Whether the key is present, be it a value or a counter.
    async fn exists(&self, key: &str) -> Result<bool, Error>;
    /// Adds to a counter, which is 0 while absent, and answers its new value.
    async fn increment(&self, key: &str, delta: i64) -> Result<i64, Error>;

    /// The value of a counter, without creating it.
    async fn counter(&self, key: &str) -> Result<i64, Error> {
        if self.exists(key).await? { self.increment(key, 0).await } else { Ok(0) }
    }
}

/// A store whose callers can wait for one another.
#[expect(async_fn_in_trait, reason = "guests have one thread; no caller needs a Send bound")]
pub trait SharedStore: Store {
    /// Lets other callers go on for a moment, about 10 ms.
    async fn pause(&self);
}
