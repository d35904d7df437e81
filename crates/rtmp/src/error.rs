//! What can be wrong with a peer.

/// Why a connection cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The first byte is not the version of plain RTMP (RTMP 1.0 §5.2.2).
    #[error("expected RTMP version 3 at the start of the connection, found {found}")]
    Version {
        /// The byte found.
        found: u8,
    },
    /// A compressed chunk header refers to a chunk stream that has not begun.
    #[error(
        "chunk of type {header_type} on chunk stream {chunk_stream}, which has no message yet, at byte {offset}"
    )]
    NoPrecedingChunk {
        /// 1, 2 or 3.
        header_type: u8,
        /// The chunk stream.
        chunk_stream: u32,
        /// Bytes received before the chunk.
        offset: u64,
    },
    /// The peer uses more chunk streams than any publisher needs.
    #[error("more than {limit} chunk streams, at byte {offset}")]
    TooManyChunkStreams {
        /// [`MAX_CHUNK_STREAMS`](crate::MAX_CHUNK_STREAMS).
        limit: usize,
        /// Bytes received before the chunk.
        offset: u64,
    },
    /// The messages that have begun and not ended take too much memory.
    #[error("unfinished messages take {bytes} bytes, at most {limit} are kept, at byte {offset}")]
    PartialMessagesTooLong {
        /// Bytes that would have been kept.
        bytes: usize,
        /// [`MAX_PARTIAL_BYTES`](crate::MAX_PARTIAL_BYTES).
        limit: usize,
        /// Bytes received before the chunk.
        offset: u64,
    },
    /// A chunk header in the middle of a message announces another message.
    #[error(
        "a new message on chunk stream {chunk_stream} begins {missing} bytes before the last one's end, at byte {offset}"
    )]
    MessageCutShort {
        /// The chunk stream.
        chunk_stream: u32,
        /// Bytes that the unfinished message still lacks.
        missing: usize,
        /// Bytes received before the chunk.
        offset: u64,
    },
    /// A chunk size of zero or above 2^31 - 1 (RTMP 1.0 §5.4.1).
    #[error("chunk size {found}, expected 1 to 2147483647")]
    ChunkSize {
        /// The size announced.
        found: u32,
    },
    /// A protocol control message is shorter than its fields.
    #[error("message of type {type_id} holds {available} bytes, expected {needed}")]
    MessageTooShort {
        /// Message type id.
        type_id: u8,
        /// Bytes of its fields.
        needed: usize,
        /// Bytes found.
        available: usize,
    },
    /// A command longer than [`MAX_COMMAND_BYTES`](crate::MAX_COMMAND_BYTES).
    #[error("command of {bytes} bytes, at most {limit} are read")]
    CommandTooLong {
        /// Its length.
        bytes: usize,
        /// [`MAX_COMMAND_BYTES`](crate::MAX_COMMAND_BYTES).
        limit: usize,
    },
    /// A command that is not AMF0.
    #[error("command is not AMF0: {0}")]
    Command(#[from] amf0::Error),
    /// A command came where it has no meaning, such as a publish before a connect.
    #[error("unexpected command {name:?}: {reason}")]
    UnexpectedCommand {
        /// Its name.
        name: String,
        /// What is missing.
        reason: &'static str,
    },
    /// An aggregate message (RTMP 1.0 §7.1.6), which no encoder in use sends.
    #[error("aggregate message of {bytes} bytes: aggregates are not supported")]
    Aggregate {
        /// Its length.
        bytes: usize,
    },
    /// The server refused what the client asked for.
    #[error("server refused: {code}: {description}")]
    Refused {
        /// Such as `NetStream.Publish.BadName`.
        code: String,
        /// For people.
        description: String,
    },
}
