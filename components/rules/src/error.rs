//! Why a call fails.

use crate::types;

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
    #[error(transparent)]
    Store(#[from] store::Error),
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

impl From<store::Error> for types::Error {
    fn from(error: store::Error) -> Self {
        Self::Store(error.to_string())
    }
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
