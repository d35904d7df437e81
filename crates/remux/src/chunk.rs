//! What a chunk is given as.

/// A self-contained part of a push: file header, sequence headers, tags with the push's own timestamps.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// FLV.
    pub bytes: &'a [u8],
    /// When its first tag arrived, in milliseconds since the push began, by a clock that is never set.
    ///
    /// Tells long pauses from jumps of the push's clock. Without it a step ahead of more than
    /// [`max_gap_ms`](media::TimelinePolicy::max_gap_ms) is a jump.
    pub arrival_ms: Option<u64>,
}

impl<'a, T: AsRef<[u8]> + ?Sized> From<&'a T> for Chunk<'a> {
    fn from(bytes: &'a T) -> Self {
        Self { bytes: bytes.as_ref(), arrival_ms: None }
    }
}
