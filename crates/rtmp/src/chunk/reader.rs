//! Chunks to messages.
//!
//! How it works: [`ChunkReader::read`] takes as much of the input as it can use, also pieces of a chunk's
//! payload, so that the caller never keeps more than an incomplete chunk header. A message that lies in one
//! chunk and in one input is lent from the input; any other is collected in its chunk stream's buffer, which
//! is used again for the next message.

use super::{DEFAULT_CHUNK_SIZE, EXTENDED};
use crate::{
    Error, Message, Skipped,
    message::{ABORT, SET_CHUNK_SIZE},
};

/// Most chunk streams of a connection. Encoders use two to six.
pub const MAX_CHUNK_STREAMS: usize = 64;

/// Most bytes of unfinished messages of a connection: one message of the greatest length that 24 bits can
/// say, with as much again for others interleaved with it.
pub const MAX_PARTIAL_BYTES: usize = 32 << 20;

/// The same before a publish is accepted: two commands of the greatest length that is read.
pub const MAX_EARLY_BYTES: usize = 128 << 10;

/// The receiving end of a connection's chunk streams.
#[derive(Debug)]
pub struct ChunkReader {
    chunk_size: usize,
    streams: Vec<ChunkStream>,
    /// The chunk whose payload is being read: its stream's place in `streams` and the bytes still to come.
    in_chunk: Option<(usize, usize)>,
    /// Bytes of unfinished messages.
    partial_bytes: usize,
    max_partial_bytes: usize,
    /// The stream whose buffer holds the message that was whole last.
    finished: Option<usize>,
    received: u64,
}

/// What the reader has come to.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    /// A message is whole.
    Message(Received<'a>),
    /// Something was passed over; there may be more in the input.
    Skipped(Skipped),
}

/// Where a message that is whole lies: in one piece of the input, or in its chunk stream's buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received<'a> {
    at: usize,
    lent: Option<&'a [u8]>,
}

#[derive(Debug, Default)]
struct ChunkStream {
    id: u32,
    type_id: u8,
    stream_id: u32,
    length: usize,
    timestamp_ms: u32,
    /// The last time field: a time after a header of type 0, else a difference (RTMP 1.0 §5.3.1.2.4).
    time_field: u32,
    /// Whether `time_field` was too long for three bytes.
    extended: bool,
    /// Bytes of the current message that are still to come; 0 between messages.
    missing: usize,
    partial: Vec<u8>,
}

impl Default for ChunkReader {
    fn default() -> Self {
        Self {
            chunk_size: DEFAULT_CHUNK_SIZE,
            streams: Vec::new(),
            in_chunk: None,
            partial_bytes: 0,
            max_partial_bytes: MAX_PARTIAL_BYTES,
            finished: None,
            received: 0,
        }
    }
}

impl ChunkReader {
    /// A reader at the end of the handshake.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows so many bytes of unfinished messages from now on.
    pub(crate) fn limit(&mut self, max_partial_bytes: usize) {
        self.max_partial_bytes = max_partial_bytes;
    }

    /// Takes bytes from the front of `input` until a message is whole, or returns `None`.
    ///
    /// After `None`, what is left of `input` (fewer than 18 bytes) begins the next call's input.
    /// Set Chunk Size and Abort take effect here and are not returned, and what cannot be read is passed over.
    ///
    /// # Errors
    /// Any [`Error`] about chunks; the connection is then of no more use.
    pub fn read<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Result<Option<Message<'a>>, Error> {
        loop {
            match self.advance(input)? {
                None => return Ok(None),
                Some(Step::Message(received)) => return Ok(Some(self.message(received))),
                Some(Step::Skipped(_)) => {}
            }
        }
    }

    /// As [`read`](Self::read), without borrowing the reader, and telling what is passed over.
    pub(crate) fn advance<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Step<'a>>, Error> {
        loop {
            if self.in_chunk.is_none()
                && let Some(skipped) = self.begin_chunk(input)?
            {
                return Ok(Some(Step::Skipped(skipped)));
            }
            let Some((at, left)) = self.in_chunk else { return Ok(None) };
            let (piece, rest) = input.split_at(left.min(input.len()));
            let stream = &mut self.streams[at];
            let lent = stream.missing == stream.length && piece.len() == stream.length;
            if !lent {
                let bytes = self.partial_bytes + piece.len();
                if bytes > self.max_partial_bytes {
                    let (limit, offset) = (self.max_partial_bytes, self.received);
                    return Err(Error::PartialMessagesTooLong { bytes, limit, offset });
                }
                stream.partial.extend_from_slice(piece);
                self.partial_bytes = bytes;
            }
            *input = rest;
            self.received += piece.len() as u64;
            stream.missing -= piece.len();
            if piece.len() < left {
                self.in_chunk = Some((at, left - piece.len()));
                return Ok(None);
            }
            self.in_chunk = None;
            if stream.missing > 0 {
                continue;
            }
            self.partial_bytes -= stream.partial.len();
            self.finished = Some(at);
            let received = Received { at, lent: lent.then_some(piece) };
            match stream.type_id {
                SET_CHUNK_SIZE | ABORT => {
                    if let Err(skipped) = self.control(received) {
                        return Ok(Some(Step::Skipped(skipped)));
                    }
                }
                _ => return Ok(Some(Step::Message(received))),
            }
        }
    }

    /// The message that [`advance`](Self::advance) has just received.
    pub(crate) fn message<'a>(&'a self, received: Received<'a>) -> Message<'a> {
        let stream = &self.streams[received.at];
        let &ChunkStream { type_id, stream_id, timestamp_ms, .. } = stream;
        let payload = received.lent.unwrap_or(&stream.partial);
        Message { type_id, stream_id, timestamp_ms, payload }
    }

    /// Takes a message about the chunk streams themselves.
    fn control(&mut self, received: Received<'_>) -> Result<(), Skipped> {
        let message = self.message(received);
        let value = message.first_u32()?;
        if message.type_id == SET_CHUNK_SIZE {
            // The first bit is zero (RTMP 1.0 §5.4.1); a peer that sets it means "as large as can be".
            let size = value & i32::MAX as u32;
            if size == 0 {
                return Err(Skipped::ChunkSize);
            }
            self.chunk_size = size as usize;
        } else if let Some(at) = self.streams.iter().position(|stream| stream.id == value) {
            self.drop_partial(at);
        }
        Ok(())
    }

    /// Drops the message that a chunk stream has begun, if it has.
    fn drop_partial(&mut self, at: usize) {
        let stream = &mut self.streams[at];
        if stream.missing > 0 {
            self.partial_bytes -= stream.partial.len();
        }
        stream.missing = 0;
        stream.partial.clear();
    }

    /// Gives the buffer of the last message back, if it is a large one: what all streams keep takes no more than
    /// unfinished messages may.
    fn give_back(&mut self) {
        let Some(at) = self.finished.take() else { return };
        let partial = &mut self.streams[at].partial;
        if partial.capacity() > self.max_partial_bytes / MAX_CHUNK_STREAMS {
            *partial = Vec::new();
        }
    }

    /// Reads a chunk's headers. Takes nothing, and begins no chunk, until all of them are there.
    ///
    /// Returns what the chunk has ended before its time.
    fn begin_chunk(&mut self, input: &mut &[u8]) -> Result<Option<Skipped>, Error> {
        self.give_back();
        let mut rest = *input;
        let Some(first) = take::<1>(&mut rest) else { return Ok(None) };
        let header_type = first[0] >> 6;
        let id = match first[0] & 0x3f {
            0 => match take::<1>(&mut rest) {
                Some([low]) => 64 + u32::from(low),
                None => return Ok(None),
            },
            1 => match take::<2>(&mut rest) {
                Some([low, high]) => 64 + u32::from(low) + 256 * u32::from(high),
                None => return Ok(None),
            },
            id => u32::from(id),
        };
        let offset = self.received;
        let found = self.streams.iter().position(|stream| stream.id == id);
        // Type 1 leaves out the message stream alone. librtmp begins a chunk stream with it, and SRS and
        // nginx-rtmp take it; after types 2 and 3 nobody can tell where the message ends.
        if found.is_none() && header_type > 1 {
            return Err(Error::NoPrecedingChunk { header_type, chunk_stream: id, offset });
        }
        let mut header = match found {
            Some(at) => Header::of(&self.streams[at]),
            None => Header::default(),
        };
        if header.read(header_type, &mut rest).is_none() {
            return Ok(None);
        }

        let at = match found {
            Some(at) => at,
            None if self.streams.len() == MAX_CHUNK_STREAMS => {
                return Err(Error::TooManyChunkStreams { limit: MAX_CHUNK_STREAMS, offset });
            }
            None => {
                self.streams.push(ChunkStream { id, ..ChunkStream::default() });
                self.streams.len() - 1
            }
        };
        self.received += (input.len() - rest.len()) as u64;
        *input = rest;
        let ChunkStream { missing, length, type_id, .. } = self.streams[at];
        let is_another = header.length != length || header.type_id != type_id;
        let skipped = (missing > 0 && is_another).then(|| {
            self.drop_partial(at);
            Skipped::MessageCutShort { chunk_stream: id, missing, offset }
        });
        let stream = &mut self.streams[at];
        if stream.missing == 0 {
            stream.begin_message(header_type, &header);
        }
        self.in_chunk = Some((at, stream.missing.min(self.chunk_size)));
        Ok(skipped)
    }
}

impl ChunkStream {
    fn begin_message(&mut self, header_type: u8, header: &Header) {
        self.type_id = header.type_id;
        self.stream_id = header.stream_id;
        self.length = header.length;
        self.time_field = header.time_field;
        self.extended = header.extended;
        self.timestamp_ms = match header_type {
            0 => header.time_field,
            _ => self.timestamp_ms.wrapping_add(header.time_field),
        };
        self.missing = header.length;
        self.partial.clear();
    }
}

/// A message header, complete with what it takes over from the one before (RTMP 1.0 §5.3.1.2).
#[derive(Default)]
struct Header {
    time_field: u32,
    extended: bool,
    length: usize,
    type_id: u8,
    stream_id: u32,
}

impl Header {
    fn of(stream: &ChunkStream) -> Self {
        let &ChunkStream { time_field, extended, length, type_id, stream_id, .. } = stream;
        Self { time_field, extended, length, type_id, stream_id }
    }

    fn read(&mut self, header_type: u8, rest: &mut &[u8]) -> Option<()> {
        if header_type < 3 {
            self.time_field = u24(take(rest)?);
            self.extended = self.time_field == EXTENDED;
        }
        if header_type < 2 {
            self.length = u24(take(rest)?) as usize;
            [self.type_id] = take(rest)?;
        }
        if header_type == 0 {
            self.stream_id = u32::from_le_bytes(take(rest)?);
        }
        if self.extended {
            if header_type < 3 {
                self.time_field = u32::from_be_bytes(take(rest)?);
            } else if u32::from_be_bytes(*rest.first_chunk()?) == self.time_field {
                // RTMP 1.0 §5.3.1.3 repeats the field in every chunk of type 3, as FFmpeg and FMLE do. librtmp
                // leaves it out (OBS Studio's until obs-studio#10097 of January 2024, pili-librtmp until its
                // #36 of 2017): these are then four bytes of media.
                take::<4>(rest)?;
            }
        }
        Some(())
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*taken)
}

fn u24([a, b, c]: [u8; 3]) -> u32 {
    u32::from_be_bytes([0, a, b, c])
}

#[cfg(test)]
mod tests;
