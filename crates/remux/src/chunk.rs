//! What a chunk is given as.

use media::ChunkArrival;

/// A self-contained part of a push: file header, sequence headers, tags with the push's own timestamps.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// FLV.
    pub bytes: &'a [u8],
    /// When it arrived.
    ///
    /// Tells long pauses from jumps of the push's clock. Where it is not known a step ahead of more than
    /// [`max_gap_ms`](media::TimelinePolicy::max_gap_ms) is a jump.
    pub arrival: ChunkArrival,
}

impl<'a, T: AsRef<[u8]> + ?Sized> From<&'a T> for Chunk<'a> {
    fn from(bytes: &'a T) -> Self {
        Self { bytes: bytes.as_ref(), arrival: ChunkArrival::Unknown }
    }
}
