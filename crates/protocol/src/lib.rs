//! What the ingest gateway and the functions say to each other: paths, headers, JSON bodies, limits.
//!
//! Not a client and not a server: types that both sides share, so that neither can drift.
//!
//! [`Route`] owns method and path of each call, [`Call`] ties a JSON body to its route and its answer:
//!
//! | call | body | answer |
//! | --- | --- | --- |
//! | `POST /streams/{domain}/{app}/{stream}/admission` | [`AskAdmission`] | 204, or 403 |
//! | `POST /streams/{domain}/{app}/{stream}/sessions` | [`BeginSession`] | [`SessionAnswer`] |
//! | `PUT …/sessions/{session}/chunks/{seq}` | one FLV chunk, or [`LostChunk`] | [`ChunkAnswer`] |
//! | `POST …/sessions/{session}/end` | [`EndSession`] | [`EndAnswer`] |
//! | `POST /heartbeat` | [`Heartbeat`] | [`HeartbeatAnswer`] |
//! | `POST /tick` | [`Tick`] or nothing | [`LaneAnswer`] |
//! | `POST /compose` | [`Compose`] or nothing | [`LaneAnswer`] |
//! | `POST /rebuild` | [`Rebuild`] or nothing | [`RebuildAnswer`] |
//! | `POST /deliver` | [`Deliver`] or nothing | [`LaneAnswer`] |
//!
//! Every call carries `Authorization: Bearer <ingest_token>`; every error is a [`Problem`].
#![deny(missing_docs)]

mod call;
mod counts;
mod generation;
mod messages;
mod name;
mod route;

pub use call::Call;
pub use counts::{read_counts, write_counts};
pub use generation::{Generation, GenerationError};
pub use messages::{
    After, AskAdmission, BeginSession, ChunkAnswer, ChunkPolicy, Compose, Confirmed, Deliver, EndAnswer,
    EndSession, Failure, Heartbeat, HeartbeatAnswer, LaneAnswer, LossReason, LostChunk, Order, Problem,
    Rebuild, RebuildAnswer, Resends, SessionAnswer, Tick,
};
pub use name::{MAX_NAME_BYTES, NameError, StreamPath, check_app, check_name};
pub use route::{ChunkPath, Route, RouteError, SessionPath};

/// Media type of a chunk.
pub const CHUNK_CONTENT_TYPE: &str = "video/x-flv";

/// Media type of every other body: in a chunk's place it says that this is a [`LostChunk`].
pub const JSON_CONTENT_TYPE: &str = "application/json";

/// Media type of a [`Problem`] (RFC 9457 §3).
pub const PROBLEM_CONTENT_TYPE: &str = "application/problem+json";

/// No call commits anything later than this after its begin, in seconds.
pub const CALL_MAX_S: u64 = 120;

/// Request header of a chunk: the push that it is of, as in [`BeginSession::push`].
pub const PUSH_HEADER: &str = "x-push";

/// Request header of a chunk: how long after the push's begin its first tag reached the gateway, in milliseconds.
///
/// Measured by a clock that never steps. It dates the chunk, and tells a pause of the publisher from a jump of its
/// timestamps. It is spooled with the chunk, so that a retry says the same.
pub const CHUNK_OFFSET_HEADER: &str = "x-chunk-offset-ms";

/// Request header of a chunk: the [`Generation`] that held when it was cut.
pub const GENERATION_HEADER: &str = "x-generation";

/// Request header of a chunk: `1` where the gateway had to cut before a keyframe, so that the next chunk begins with an
/// access unit that no player can begin with. Absent otherwise.
pub const CHUNK_CONTINUES_HEADER: &str = "x-chunk-continues";

/// Header of the answer to a chunk that was recorded just now: how often the remuxer made which repair, as [counts](read_counts).
/// Absent where it made none.
pub const REPAIRS_HEADER: &str = "x-repairs";

/// The same: how many messages that were not recorded were `video`, `audio` and `script` data.
pub const LEFT_OUT_HEADER: &str = "x-left-out";

/// The token of an `Authorization` of the scheme Bearer, whose name may be in upper and lower case (RFC 9110 §11.1); `None`
/// where it is of another scheme or has no token.
///
/// ```
/// assert_eq!(protocol::bearer_token(b"bearer secret"), Some(&b"secret"[..]));
/// for other in ["", "secret", "Bearer", "Bearer ", "Basic secret", "Bearersecret"] {
///     assert_eq!(protocol::bearer_token(other.as_bytes()), None, "{other}");
/// }
/// ```
#[must_use]
pub fn bearer_token(authorization: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = authorization.split_at_checked(b"Bearer ".len())?;
    (scheme.eq_ignore_ascii_case(b"Bearer ") && !token.is_empty()).then_some(token)
}

/// Codes of a [`Problem`] with status 409.
pub mod conflict {
    /// Another chunk of the session is next.
    pub const GAP: &str = "gap";
    /// Chunks of the session before, which this one continues, come first.
    pub const BEFORE: &str = "before";
    /// The chunk was told lost; its media comes too late for its place.
    pub const LOST: &str = "lost";
    /// The gateway's boot is older than one that was heard, or another spool uses its name.
    pub const BOOT: &str = "boot";
}
