//! The last media of a push while nothing is recorded.

use std::collections::VecDeque;

use crate::spool::Chunk;

/// How far back a start can begin, in milliseconds; from there back to the keyframe before.
const KEPT_MS: u64 = 3_000;

/// What is kept is parted at the first keyframe after this time, in milliseconds.
const PART_MS: u64 = 250;

/// The last chunks, from a keyframe on. Their files are [kept](crate::spool::OpenChunk::keep).
#[derive(Debug, Default)]
pub(super) struct Kept {
    parts: VecDeque<Part>,
    /// Names the next file.
    next: u64,
}

#[derive(Debug)]
struct Part {
    chunk: Chunk,
    /// Whether a player can begin with it.
    is_entry: bool,
}

impl Kept {
    /// A number that no other part has.
    pub(super) fn take_number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Whether a part that is so long ends before a keyframe.
    pub(super) fn is_whole(from_ms: u64, now_ms: u64) -> bool {
        now_ms.saturating_sub(from_ms) >= PART_MS
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Adds a part. What is older than 3 s at `now_ms` is dropped up to the last keyframe before that, and what is
    /// beyond `max_bytes` up to the next one.
    pub(super) fn add(&mut self, chunk: Chunk, is_entry: bool, now_ms: u64, max_bytes: u64) {
        self.parts.push_back(Part { chunk, is_entry });
        let is_old = |part: &Part| part.chunk.name.offset_ms + KEPT_MS <= now_ms;
        let oldest = self.parts.iter().rposition(|part| part.is_entry && is_old(part));
        self.drop_before(oldest.unwrap_or(0));
        while self.parts.iter().map(|part| part.chunk.bytes).sum::<u64>() > max_bytes {
            let next = self.parts.iter().skip(1).position(|part| part.is_entry);
            self.drop_before(next.map_or(self.parts.len(), |next| next + 1));
        }
    }

    /// The parts from the last keyframe at or before a time on, or else all; the next part, if any, begins at
    /// `open_ms` with a keyframe.
    pub(super) fn take_from(&mut self, from_ms: u64, open_ms: Option<u64>) -> VecDeque<Chunk> {
        let first = match open_ms {
            Some(open_ms) if open_ms <= from_ms => self.parts.len(),
            _ => {
                let is_before = |part: &Part| part.is_entry && part.chunk.name.offset_ms <= from_ms;
                self.parts.iter().rposition(is_before).unwrap_or(0)
            }
        };
        self.drop_before(first);
        self.parts.drain(..).map(|part| part.chunk).collect()
    }

    /// Drops all of it.
    pub(super) fn clear(&mut self) {
        self.drop_before(self.parts.len());
    }

    /// A file that stays is deleted by a restart.
    fn drop_before(&mut self, first: usize) {
        for Part { chunk, .. } in self.parts.drain(..first) {
            if let Err(error) = chunk.delete() {
                tracing::error!("{} cannot be deleted: {error}", chunk.path().display());
            }
        }
    }
}
