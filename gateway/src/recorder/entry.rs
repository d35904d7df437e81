//! A place at which a chunk can be begun.

use crate::cut::Mark;

/// A frame of the open chunk that a player can begin with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) timestamp_ms: u32,
    /// When it came, in milliseconds since the push began.
    pub(super) offset_ms: u64,
    /// Whether no frame of the chunk is before it.
    pub(super) is_first: bool,
    /// Whether sound came since, or is it.
    pub(super) sound_since: bool,
    /// How far the chunk was before it.
    pub(super) mark: Mark,
}
