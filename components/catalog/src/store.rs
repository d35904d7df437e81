//! The store as this component sees it, and the records in it.

use serde::{Serialize, de::DeserializeOwned};

use crate::types;

/// What is asked of a key-value store: the operations that every backend of Spin does correctly.
///
/// A counter lives under its own key and is only ever touched by [`increment`](Store::increment) and
/// [`delete`](Store::delete): how a backend encodes it differs.
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
}

/// What can go wrong between a call and the store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No session has this id.
    #[error("no session {0:?}")]
    NoSuchSession(String),
    /// The stream is not being pushed.
    #[error("the stream is not being pushed")]
    NoSuchStream,
    /// No rule says where to record the stream to.
    #[error("no rule matches the stream")]
    NoRule,
    /// The stream is being recorded already.
    #[error("the stream is being recorded already")]
    AlreadyRecording,
    /// The stream is not being recorded, or has not been stopped.
    #[error("the stream is not being recorded, or has not been stopped")]
    NotRecording,
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
    /// A record is missing that another one points to.
    #[error("record {key:?} is missing")]
    Missing {
        /// Its key.
        key: String,
    },
}

impl From<Error> for types::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::NoSuchSession(_) => Self::NoSuchSession,
            Error::NoSuchStream => Self::NoSuchStream,
            Error::NoRule => Self::NoRule,
            Error::AlreadyRecording => Self::AlreadyRecording,
            Error::NotRecording => Self::NotRecording,
            other => Self::Store(other.to_string()),
        }
    }
}

/// Reads a record.
pub async fn read<T: DeserializeOwned>(store: &impl Store, key: &str) -> Result<Option<T>, Error> {
    let Some(bytes) = store.get(key).await? else { return Ok(None) };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| Error::Record { key: key.into(), reason: error.to_string() })
}

/// Writes a record.
pub async fn write(store: &impl Store, key: &str, record: &impl Serialize) -> Result<(), Error> {
    let bytes = serde_json::to_vec(record)
        .map_err(|error| Error::Record { key: key.into(), reason: error.to_string() })?;
    store.set(key, &bytes).await
}

/// Adds to a counter that is never negative.
pub async fn counted(store: &impl Store, counter: &str, delta: u64) -> Result<u64, Error> {
    let delta = i64::try_from(delta).map_err(|_| Error::Store(format!("{counter} + {delta}")))?;
    let count = store.increment(counter, delta).await?;
    u64::try_from(count).map_err(|_| Error::Store(format!("{counter} is {count}")))
}
