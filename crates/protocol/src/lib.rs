//! What the ingest gateway and the functions say to each other: paths, JSON bodies, limits.
//!
//! Not a client and not a server: types that both sides share, so that neither can drift.
//!
//! [`Route`] owns method and path of each call, [`Call`] ties a JSON body to its route and its answer:
//!
//! | call | body | answer |
//! | --- | --- | --- |
//! | `POST /streams/{domain}/{app}/{stream}/sessions` | [`BeginSession`] | [`SessionAnswer`] |
//! | `PUT …/sessions/{session}/chunks/{seq}` | one FLV chunk | [`ChunkAnswer`] |
//! | `POST …/sessions/{session}/end` | [`EndSession`] or nothing | [`EndAnswer`] |
//! | `POST /heartbeat` | [`Heartbeat`] | [`HeartbeatAnswer`] |
//! | `POST /tick` | [`Tick`] or nothing | [`TickAnswer`] |
//!
//! Every call carries `Authorization: Bearer <ingest_token>`; every error is a [`Problem`].
#![deny(missing_docs)]

mod call;
mod messages;
mod name;
mod route;

pub use call::Call;
pub use messages::{
    BeginSession, ChunkAnswer, ChunkPolicy, EndAnswer, EndSession, Heartbeat, HeartbeatAnswer, Problem,
    SessionAnswer, SessionChange, Tick, TickAnswer,
};
pub use name::{MAX_NAME_BYTES, NameError, StreamPath, check_app, check_name};
pub use route::{ChunkPath, Route, RouteError, SessionPath};

/// Media type of a chunk.
pub const CHUNK_CONTENT_TYPE: &str = "video/x-flv";

/// Request header of a chunk: when its first tag reached the gateway, in Unix milliseconds.
///
/// The first chunk's value anchors the recording in wall-clock time; without it the time at which the
/// session began does. It is spooled with the chunk, so that a retry says the same.
pub const CHUNK_TIME_HEADER: &str = "x-chunk-time";

/// Request header of a chunk: how long after the push's begin its first tag reached the gateway, in milliseconds.
///
/// Measured by a clock that never steps, so that it tells a pause of the publisher from a jump of its timestamps.
/// Absent from the first chunk after a time in which no chunks were wanted: that time is no pause.
/// It is spooled with the chunk, so that a retry says the same.
pub const CHUNK_OFFSET_HEADER: &str = "x-chunk-offset-ms";
