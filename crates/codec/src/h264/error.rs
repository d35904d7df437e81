//! What can be wrong with H.264 headers.

use crate::bits::EndOfBits;

/// A header that is not what the standard says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration record ends inside a field or a parameter set.
    #[error("AVC configuration record needs {needed} bytes, holds {available}")]
    RecordTruncated {
        /// Bytes needed.
        needed: usize,
        /// Bytes there.
        available: usize,
    },
    /// The configuration record has a version other than 1.
    #[error("expected AVC configuration version 1, found {found}")]
    RecordVersion {
        /// The version.
        found: u8,
    },
    /// The sequence parameter set ends early.
    #[error("sequence parameter set: {0}")]
    Sps(#[from] EndOfBits),
    /// A field of the sequence parameter set exceeds the standard's range.
    #[error("sequence parameter set: {field} of {found} exceeds the limit of {limit}")]
    SpsRange {
        /// The field's name.
        field: &'static str,
        /// Its value.
        found: u32,
        /// The largest value allowed.
        limit: u32,
    },
}
