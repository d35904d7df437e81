//! What is no frame of a recorded track, where the chunk that is open has no room for it.

use rtmp::Media;

use super::{Recorder, tag_bytes};
use crate::headers::MAX_HEADER_BYTES;

/// Most bytes that wait for the next chunk. Of a chunk's script data files keep 16 KiB, of other tracks nothing.
const MAX_BYTES: usize = 64 << 10;

/// Tags that the next chunk has behind its headers. It begins with the next frame: a chunk without any would be nothing
/// to record.
#[derive(Debug, Default)]
pub(super) struct Carried {
    tags: Vec<u8>,
    is_due: bool,
    left_out: u64,
}

impl Carried {
    /// Whether the next frame begins another chunk.
    pub(super) fn is_due(&self) -> bool {
        self.is_due
    }

    /// The tags, which a chunk begins with.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.is_due = false;
        std::mem::take(&mut self.tags)
    }

    /// Takes a message, as far as it is a small one; `false` where it is not.
    fn add(&mut self, media: &Media<'_>) -> bool {
        let is_small = self.tags.len() as u64 + tag_bytes(media) <= MAX_BYTES as u64;
        if is_small {
            flv::write_tag(&mut self.tags, media.kind, media.timestamp_ms, media.body)
                .expect("a small message should be shorter than 2^24 bytes");
            self.is_due = true;
        }
        is_small
    }
}

impl Recorder {
    /// Adds a message that is no frame of a recorded track. One that has no room waits for the next chunk, or is left out
    /// where it is large: a chunk beyond the limit would be refused with all its frames.
    pub(super) fn append_other(&mut self, media: &Media<'_>) {
        if self.open.is_none() {
            return;
        }
        if self.has_room(media) {
            self.append(media);
        } else if !self.carried.add(media) {
            self.traffic.metrics().messages_skipped.add_one();
            self.carried.left_out += 1;
            if self.carried.left_out == 1 {
                let (path, bytes) = (self.queue.path(), media.body.len());
                tracing::warn!(
                    "{path}: a message of {bytes} bytes that is no frame finds no room and is left out"
                );
            }
        }
    }

    /// Adds a header. One that has no room is at the begin of the next chunk as all that hold, and what it is for needs
    /// that chunk.
    pub(super) fn append_header(&mut self, media: &Media<'_>) {
        if self.has_room(media) || media.body.len() > MAX_HEADER_BYTES {
            self.append_other(media);
        } else {
            self.carried.is_due = self.open.is_some();
        }
    }

    /// Whether the open chunk takes it, behind what it has and before what waits for the next one.
    fn has_room(&self, media: &Media<'_>) -> bool {
        !self.carried.is_due && self.cutter.fits(tag_bytes(media))
    }
}
