//! The ingest gateway: RTMP pushes in, FLV chunks out.
//!
//! Each push is cut into self-contained FLV chunks, which are appended to files in the spool and brought to the
//! functions in order, until each one is acknowledged. It writes no container but FLV and looks into no coded
//! media: what it reads of a tag is the header that tells keyframes and configuration apart.
//!
//! | module | is |
//! | --- | --- |
//! | `server`, `connection`, `identity`, `registry` | who pushes what, and where it goes |
//! | `recorder`, `cut`, `headers` | from tags to chunks |
//! | `spool`, `block` | chunks on disk and in memory, and what a restart finds |
//! | `ingest`, `upload`, `functions`, `heartbeat` | what the functions are told, and when |
//! | [`push`] | the other end: a small publisher |

mod block;
mod connection;
mod cut;
mod functions;
mod headers;
mod heartbeat;
mod identity;
mod ingest;
pub mod push;
mod recorder;
mod registry;
mod server;
mod spool;
mod upload;

pub use server::{Config, serve};

/// The time now, in Unix milliseconds.
fn unix_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |since| since.as_millis() as u64)
}
