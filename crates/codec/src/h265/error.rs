//! What can be wrong with HEVC headers.

use crate::bits::EndOfBits;

/// A header that is not what the standard says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration record ends inside a field or a parameter set.
    #[error("HEVC configuration record needs {needed} bytes, holds {available}")]
    RecordTruncated {
        /// Bytes needed.
        needed: usize,
        /// Bytes there.
        available: usize,
    },
    /// The configuration record holds more parameter sets than can be told apart.
    #[error("HEVC configuration record holds more than {limit} parameter sets")]
    TooManyUnits {
        /// The most that are read.
        limit: usize,
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
