//! The store as this component sees it.

use crate::types;

/// What is asked of a key-value store: the operations that every backend of Spin does correctly.
///
/// A counter lives under its own key and is only ever touched by [`increment`](Store::increment),
/// [`exists`](Store::exists) and [`delete`](Store::delete): how a backend encodes it differs.
#[expect(async_fn_in_trait, reason = "used within this component only; no caller needs a Send bound")]
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

    /// Lets others go on for a moment, some 10 ms.
    async fn pause(&self);

    /// The value of a counter, without creating it.
    async fn counter(&self, key: &str) -> Result<i64, Error> {
        if self.exists(key).await? { self.increment(key, 0).await } else { Ok(0) }
    }
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is a rule of this triple, or a config of this domain, already.
    #[error("{what} exists already")]
    AlreadyExists {
        /// The triple or the domain.
        what: String,
    },
    /// There is no such rule or config.
    #[error("{what} does not exist")]
    NotFound {
        /// The triple or the domain.
        what: String,
    },
    /// Somebody else changed it since it was read.
    #[error("{what} is no longer at version {version}")]
    Changed {
        /// The triple or the domain.
        what: String,
        /// The version that the caller had read.
        version: u64,
    },
    /// The store failed.
    #[error("key-value store: {0}")]
    Store(String),
    /// A record cannot be read.
    #[error("record {key:?} is not readable: {reason}")]
    Record {
        /// Its key.
        key: String,
        /// What the decoder said.
        reason: String,
    },
    /// Every attempt met another change of the same value.
    #[error("{key:?} changed during each of {attempts} attempts")]
    Contended {
        /// The value's key.
        key: String,
        /// How often it was tried.
        attempts: u32,
    },
}

impl From<Error> for types::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::AlreadyExists { .. } => Self::AlreadyExists,
            Error::NotFound { .. } => Self::NotFound,
            Error::Changed { .. } => Self::Changed,
            other => Self::Store(other.to_string()),
        }
    }
}
