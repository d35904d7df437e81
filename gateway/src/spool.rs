//! Chunks on disk until they are acknowledged.
//!
//! ```text
//! <spool>/lock                                held while a gateway runs
//! <spool>/name                                the gateway's own name
//! <spool>/pushes/<push>/push.json             whose push it is and how far it came, see Record
//! <spool>/pushes/<push>/<index>+<offset>.flv  a chunk: its place in the push, ms from the push's begin to its first tag
//!                                             (`-resumes` before `.flv`: nothing was recorded for a time before it)
//! <spool>/refused/<push>-<index>.flv, .txt    a chunk that the functions refused for good, and why
//! ```
//!
//! What a push has sent is in memory at first and on disk within 100 ms, in the order in which it came; a chunk
//! that is acknowledged sooner never has a file.
//! `<push>` begins with the time of the publish, so that names sort as the pushes came. The last file of a
//! live push is appended to; it ends anywhere after a crash, and [`recover`] cuts it back to whole tags.
//! Where the end of a chunk is moved into the next one, `….flv.<bytes>.split` is the next one's file until the
//! first is cut to so many bytes.
//! A file is deleted once it is acknowledged, and the folder once the push's end is.

mod charge;
mod chunk;
mod folder;
mod record;
mod recover;
mod sync;

pub(crate) use chunk::{Chunk, OpenChunk};
pub(crate) use folder::Spool;
pub(crate) use record::{ChunkName, Codecs, Numbering, Push, Record, Session};
pub(crate) use recover::{Recovered, recover};
pub(crate) use sync::sync;
