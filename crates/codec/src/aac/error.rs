//! What can be wrong with a configuration.

use crate::bits::EndOfBits;

/// A configuration that cannot be read, or that ADTS cannot carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It ends inside a field.
    #[error("AudioSpecificConfig: {0}")]
    Truncated(#[from] EndOfBits),
    /// The object type has no place in an ADTS header, which knows 1 to 4.
    #[error("expected an audio object type of 1 to 4, or SBR or PS over one, found {found}")]
    ObjectType {
        /// The audio object type.
        found: u32,
    },
    /// The sampling frequency is not one of those that ADTS can name.
    #[error("sampling frequency of {found} Hz has no index in ADTS")]
    SamplingFrequency {
        /// In Hz, or 0 for a reserved index.
        found: u32,
    },
    /// The channel configuration is reserved.
    #[error("expected a channel configuration of 0 to 7, found {found}")]
    ChannelConfiguration {
        /// The channel configuration.
        found: u32,
    },
    /// A program config element with more than live channel layouts need.
    #[error("program config element of {bits} bits exceeds the limit of {limit}")]
    ProgramConfig {
        /// Bits before its comment.
        bits: u64,
        /// Bits allowed.
        limit: u64,
    },
    /// Frames of 960 samples, which ADTS cannot signal.
    #[error("frames of 960 samples")]
    ShortFrames,
}
