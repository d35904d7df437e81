//! Tracks that a transport stream does not carry.

use media::TrackKind;

/// At most so many kinds are told apart; later ones count with the last.
pub const MAX_LEFT_OUT: usize = 8;

/// A track that is not in the slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// What it carries.
    pub kind: TrackKind,
    /// The codec as the FLV names it.
    pub codec: String,
    /// Messages of it in the chunk.
    pub messages: u32,
}

/// Counts a message of a track that is left out.
pub(crate) fn count(list: &mut Vec<LeftOut>, kind: TrackKind, codec: String) {
    let is_full = list.len() == MAX_LEFT_OUT;
    let known = list.iter().position(|entry| entry.kind == kind && entry.codec == codec);
    match known.or(is_full.then_some(MAX_LEFT_OUT - 1)) {
        Some(index) => list[index].messages = list[index].messages.saturating_add(1),
        None => list.push(LeftOut { kind, codec, messages: 1 }),
    }
}
