//! Why a chunk cannot be recorded.

use crate::StateError;

/// Why a chunk cannot be recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The chunk exceeds the limit given.
    #[error("chunk of {found} bytes exceeds the limit of {limit}")]
    TooLarge {
        /// Bytes of the chunk.
        found: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// The chunk is not FLV, or ends inside a tag.
    #[error(transparent)]
    Flv(#[from] flv::Error),
    /// The state was not written by this version.
    #[error(transparent)]
    State(#[from] StateError),
    /// A configuration that was accepted cannot be muxed.
    #[error(transparent)]
    Config(#[from] mpegts::ConfigError),
}
