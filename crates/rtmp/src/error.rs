//! What ends a connection, and what is passed over.

/// Why a connection cannot go on: what comes next in its byte stream cannot be told, or is too much.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The first byte is not the version of plain RTMP (RTMP 1.0 §5.2.2).
    #[error("expected RTMP version 3 at the start of the connection, found {found}")]
    Version {
        /// The byte found.
        found: u8,
    },
    /// A chunk takes its message's length from a message before it, and its chunk stream has had none.
    #[error(
        "chunk of type {header_type} on chunk stream {chunk_stream}, which has no message yet, at byte {offset}"
    )]
    NoPrecedingChunk {
        /// 2 or 3.
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
        /// [`MAX_PARTIAL_BYTES`](crate::MAX_PARTIAL_BYTES), or [`MAX_EARLY_BYTES`](crate::MAX_EARLY_BYTES).
        limit: usize,
        /// Bytes received before the chunk.
        offset: u64,
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

/// What a peer sent that was passed over: it cannot be read or has no meaning here, and what follows is sound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Skipped {
    /// A chunk header in the middle of a message announces another message: the first one is dropped.
    #[error(
        "a new message on chunk stream {chunk_stream} begins {missing} bytes before the last one's end, at byte {offset}"
    )]
    MessageCutShort {
        /// The chunk stream.
        chunk_stream: u32,
        /// Bytes that the unfinished message still lacked.
        missing: usize,
        /// Bytes received before the chunk.
        offset: u64,
    },
    /// A chunk size of zero (RTMP 1.0 §5.4.1): the one before it stays.
    #[error("chunk size 0, expected 1 to 2147483647")]
    ChunkSize,
    /// A control message is shorter than its fields.
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
    /// A command whose name is not AMF0, as in an empty or AMF3 one.
    #[error("command without a name in AMF0: {0}")]
    Command(amf0::Error),
    /// A command whose name is no string.
    #[error("command whose name is no string")]
    CommandName,
    /// A command that cannot be followed now, such as a second publish.
    #[error("unexpected command {name:?}: {reason}")]
    UnexpectedCommand {
        /// Its name.
        name: String,
        /// Why it is passed over.
        reason: &'static str,
    },
    /// A data message whose name is not AMF0.
    #[error("data message without a name in AMF0: {0}")]
    Data(amf0::Error),
    /// An aggregate message ends inside one of its parts (RTMP 1.0 §7.1.6): what came before it is kept.
    #[error("aggregate message ends inside a part: {needed} bytes are needed, {available} are left")]
    AggregateCutShort {
        /// Bytes that the part needs.
        needed: usize,
        /// Bytes that are there.
        available: usize,
    },
}
