//! Why a call fails.

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is a rule of this triple, or a config of this domain, already.
    #[error("{what} exists already")]
    AlreadyExists {
        /// The rule or the config.
        what: String,
    },
    /// There is no such rule or config.
    #[error("{what} does not exist")]
    NotFound {
        /// The rule or the config.
        what: String,
    },
    /// Another caller changed it since it was read.
    #[error("{what} is no longer at version {version}")]
    Changed {
        /// The rule or the config.
        what: String,
        /// The version that this caller had read.
        version: u64,
    },
    /// Every attempt met another change of the same value.
    #[error("{key:?} changed during each of {attempts} attempts")]
    Contended {
        /// The key of the value's register.
        key: String,
        /// How many attempts there were.
        attempts: u32,
    },
    /// The bucket of the copies failed.
    #[error("copies of rules: {0}")]
    Copies(String),
    /// The store failed, or a record in it cannot be read.
    #[error(transparent)]
    Store(#[from] store::Error),
}
