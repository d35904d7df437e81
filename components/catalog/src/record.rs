//! Records in the key-value store, and what can go wrong with them.

use serde::{Serialize, de::DeserializeOwned};
use store::Store;

use crate::types;

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
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A counter is what it can never be.
    #[error("counter {key:?} is {value}")]
    Counter {
        /// Its key.
        key: String,
        /// What it is, or would be.
        value: i128,
    },
    /// A record cannot be read.
    #[error("record {key:?} is not readable: {reason}")]
    Record {
        /// Its key.
        key: String,
        /// The decoder's reason.
        reason: String,
    },
    /// A record is missing that another one points to.
    #[error("record {key:?} is missing")]
    Missing {
        /// Its key.
        key: String,
    },
}

impl From<store::Error> for types::Error {
    fn from(error: store::Error) -> Self {
        Self::Store(error.to_string())
    }
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
    Ok(store.set(key, &bytes).await?)
}

/// Adds to a counter that is never negative.
pub async fn counted(store: &impl Store, counter: &str, delta: u64) -> Result<u64, Error> {
    let delta = i64::try_from(delta).map_err(|_| wrong(counter, delta.into()))?;
    let count = store.increment(counter, delta).await?;
    u64::try_from(count).map_err(|_| wrong(counter, count.into()))
}

/// What a counter that is never negative is at, without creating it.
pub async fn count(store: &impl Store, counter: &str) -> Result<u64, Error> {
    let count = store.counter(counter).await?;
    u64::try_from(count).map_err(|_| wrong(counter, count.into()))
}

fn wrong(counter: &str, value: i128) -> Error {
    Error::Counter { key: counter.into(), value }
}
