//! What can go wrong between a caller and the store.

use std::fmt;

/// One of the five operations of a [`Store`](crate::Store).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// [`Store::get`](crate::Store::get).
    Get,
    /// [`Store::set`](crate::Store::set).
    Set,
    /// [`Store::delete`](crate::Store::delete).
    Delete,
    /// [`Store::exists`](crate::Store::exists).
    Exists,
    /// [`Store::increment`](crate::Store::increment).
    Increment,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "get",
            Self::Set => "set",
            Self::Delete => "delete",
            Self::Exists => "exists",
            Self::Increment => "increment",
        })
    }
}

/// What can go wrong between a caller and the store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store cannot be opened.
    #[error("key-value store {label:?} cannot be opened: {reason}")]
    Open {
        /// The store's label.
        label: String,
        /// The host's reason.
        reason: String,
    },
    /// The backend failed. The operation may have been applied or not.
    #[error("key-value store: {operation} of {key:?} failed: {reason}")]
    Backend {
        /// The operation.
        operation: Operation,
        /// Its key.
        key: String,
        /// The backend's reason.
        reason: String,
    },
    /// A key that some backend refuses.
    #[error("key {key:?} {problem}")]
    Key {
        /// The key.
        key: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A value that some backend refuses.
    #[error("value of {key:?} has {size} bytes, fewer than {limit} are allowed")]
    ValueTooLarge {
        /// Its key.
        key: String,
        /// Its size in bytes.
        size: usize,
        /// The size that is too large, in bytes.
        limit: usize,
    },
    /// A record cannot be read.
    #[error("record {key:?}{} cannot be read: {reason}", of_version(*.version))]
    Unreadable {
        /// Its key.
        key: String,
        /// The version that it was written with; none where the value does not even begin with one.
        version: Option<u32>,
        /// The decoder's reason.
        reason: String,
    },
    /// A record cannot be written.
    #[error("record {key:?} of version {version} cannot be written: {reason}")]
    Unwritable {
        /// Its key.
        key: String,
        /// The version that it would be written with.
        version: u32,
        /// The encoder's reason.
        reason: String,
    },
    /// A counter that is never negative would be, or is.
    #[error("counter {key:?} is {value}, and must not be negative")]
    NegativeCounter {
        /// Its key.
        key: String,
        /// What it is.
        value: i64,
    },
}

impl Error {
    /// The key that the error is about; none where the store could not be opened.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Open { .. } => None,
            Self::Backend { key, .. }
            | Self::Key { key, .. }
            | Self::ValueTooLarge { key, .. }
            | Self::Unreadable { key, .. }
            | Self::Unwritable { key, .. }
            | Self::NegativeCounter { key, .. } => Some(key),
        }
    }
}

fn of_version(version: Option<u32>) -> String {
    version.map_or_else(String::new, |version| format!(" of version {version}"))
}
