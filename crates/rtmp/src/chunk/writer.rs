//! Messages to chunks.

use super::{DEFAULT_CHUNK_SIZE, EXTENDED};
use crate::{Message, message::SET_CHUNK_SIZE};

/// The sending end of a connection's chunk streams.
///
/// Writes a full header for each message: at 12 bytes a message, saving some is not worth the state.
#[derive(Debug)]
pub struct ChunkWriter {
    chunk_size: usize,
}

impl Default for ChunkWriter {
    fn default() -> Self {
        Self { chunk_size: DEFAULT_CHUNK_SIZE }
    }
}

impl ChunkWriter {
    /// A writer at the end of the handshake.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends Set Chunk Size and cuts by it from then on; `size` is 1 to 2^24 - 1.
    pub fn set_chunk_size(&mut self, out: &mut Vec<u8>, size: u32) {
        let payload = &size.to_be_bytes();
        self.write(out, 2, &Message { type_id: SET_CHUNK_SIZE, stream_id: 0, timestamp_ms: 0, payload });
        self.chunk_size = size as usize;
    }

    /// Appends a message on a chunk stream of 2 to 63; its payload is shorter than 2^24 bytes.
    pub fn write(&self, out: &mut Vec<u8>, chunk_stream: u8, message: &Message<'_>) {
        let time_field = message.timestamp_ms.min(EXTENDED);
        let extended = message.timestamp_ms.to_be_bytes();
        let extended = if time_field == EXTENDED { &extended[..] } else { &[] };
        let length = (message.payload.len() as u32).to_be_bytes();
        out.push(chunk_stream);
        out.extend_from_slice(&time_field.to_be_bytes()[1..]);
        out.extend_from_slice(&length[1..]);
        out.push(message.type_id);
        out.extend_from_slice(&message.stream_id.to_le_bytes());
        out.extend_from_slice(extended);
        let mut pieces = message.payload.chunks(self.chunk_size);
        out.extend_from_slice(pieces.next().unwrap_or_default());
        for piece in pieces {
            out.push(0xc0 | chunk_stream);
            out.extend_from_slice(extended);
            out.extend_from_slice(piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_chunks_is_announced_and_kept_to() {
        let message = |payload| Message { type_id: 9, stream_id: 1, timestamp_ms: 0, payload };
        let (mut writer, mut out) = (ChunkWriter::new(), Vec::new());
        writer.write(&mut out, 6, &message(&[7; 129]));
        let expected = [&[6, 0, 0, 0, 0, 0, 129, 9, 1, 0, 0, 0][..], &[7; 128], &[0xc6, 7]].concat();
        assert_eq!(out, expected);
        out.clear();
        writer.set_chunk_size(&mut out, 3);
        assert_eq!(out, [2, 0, 0, 0, 0, 0, 4, SET_CHUNK_SIZE, 0, 0, 0, 0, 0, 0, 0, 3]);
        out.clear();
        writer.write(&mut out, 63, &message(&[1, 2, 3, 4]));
        assert_eq!(out, [63, 0, 0, 0, 0, 0, 4, 9, 1, 0, 0, 0, 1, 2, 3, 0xff, 4]);
    }
}
