//! Aggregate messages: FLV tags in one message (RTMP 1.0 §7.1.6).

use crate::{Message, Skipped};

/// Bytes of a part before its payload: type, length, time, message stream.
const HEADER: usize = 11;

/// Bytes of the length that is repeated behind each part.
const BACK_POINTER: usize = 4;

/// An aggregate message that is being taken apart.
#[derive(Debug, Default)]
pub(super) struct Aggregate {
    bytes: Vec<u8>,
    at: usize,
    stream_id: u32,
    timestamp_ms: u32,
    /// Time of the first part: its difference to the aggregate's own time goes for all parts.
    first_ms: Option<u32>,
}

/// Where a part lies in its aggregate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    type_id: u8,
    timestamp_ms: u32,
    start: usize,
    end: usize,
}

impl Aggregate {
    /// Begins to take a message apart.
    pub(super) fn begin(&mut self, message: &Message<'_>) {
        self.bytes.clear();
        self.bytes.extend_from_slice(message.payload);
        self.at = 0;
        self.stream_id = message.stream_id;
        self.timestamp_ms = message.timestamp_ms;
        self.first_ms = None;
    }

    /// The next part, or `None` at the end.
    ///
    /// # Errors
    /// [`Skipped::AggregateCutShort`]: the rest is dropped.
    pub(super) fn next_part(&mut self) -> Result<Option<Part>, Skipped> {
        let rest = &self.bytes[self.at..];
        if rest.is_empty() {
            return Ok(None);
        }
        let available = rest.len();
        let Some(header) = rest.first_chunk::<HEADER>() else {
            return Err(self.cut_short(HEADER, available));
        };
        let length = u32::from_be_bytes([0, header[1], header[2], header[3]]) as usize;
        let time_ms = u32::from_be_bytes([header[7], header[4], header[5], header[6]]);
        let type_id = header[0];
        if HEADER + length > available {
            return Err(self.cut_short(HEADER + length, available));
        }
        let start = self.at + HEADER;
        let end = start + length;
        // The last part's back pointer may be missing.
        self.at = (end + BACK_POINTER).min(self.bytes.len());
        let since_first_ms = time_ms.wrapping_sub(*self.first_ms.get_or_insert(time_ms));
        Ok(Some(Part { type_id, timestamp_ms: self.timestamp_ms.wrapping_add(since_first_ms), start, end }))
    }

    /// The part that [`next_part`](Self::next_part) has just found, as the message that it stands for.
    pub(super) fn message(&self, part: Part) -> Message<'_> {
        let Part { type_id, timestamp_ms, start, end } = part;
        Message { type_id, stream_id: self.stream_id, timestamp_ms, payload: &self.bytes[start..end] }
    }

    fn cut_short(&mut self, needed: usize, available: usize) -> Skipped {
        self.bytes.clear();
        self.at = 0;
        Skipped::AggregateCutShort { needed, available }
    }
}
