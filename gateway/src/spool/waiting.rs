//! What waits to be told to the functions.

use super::{chunk::Chunk, gap::Gap};

/// What is to be told to the functions next.
#[derive(Debug)]
pub(crate) enum Waiting {
    Chunk(Chunk),
    Lost(Gap),
}

impl Waiting {
    /// Its place in the push.
    pub(crate) fn index(&self) -> u64 {
        match self {
            Self::Chunk(chunk) => chunk.name.index,
            Self::Lost(gap) => gap.index,
        }
    }

    /// When it began, in milliseconds since the push began.
    pub(crate) fn offset_ms(&self) -> u64 {
        match self {
            Self::Chunk(chunk) => chunk.name.offset_ms,
            Self::Lost(gap) => gap.lost.from_ms,
        }
    }
}
