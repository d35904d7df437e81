//! What keeps an index from being made.

/// Why a file has no index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no sample that an MP4 file can hold.
    #[error("a file needs at least one sample")]
    Empty,
    /// A box would be longer than its 32 bits can say, or hold more entries.
    #[error("the {kind} box would hold {found}, {limit} is the most", kind = kind.escape_ascii())]
    TooLong {
        /// The box.
        kind: [u8; 4],
        /// Bytes or entries.
        found: u64,
        /// The most that it can say.
        limit: u64,
    },
}
