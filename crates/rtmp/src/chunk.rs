//! Chunk streams: messages cut into interleaved pieces (RTMP 1.0 §5.3).

mod reader;
mod writer;

pub use reader::{ChunkReader, MAX_CHUNK_STREAMS, MAX_EARLY_BYTES, MAX_PARTIAL_BYTES};
pub(crate) use reader::{Received, Step};
pub use writer::ChunkWriter;

/// Chunk size of both directions until a peer announces another (RTMP 1.0 §5.4.1).
const DEFAULT_CHUNK_SIZE: usize = 128;

/// The value of a three-byte time field that says that four bytes follow the header (RTMP 1.0 §5.3.1.3).
const EXTENDED: u32 = 0x00ff_ffff;
