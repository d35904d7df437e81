//! The JSON bodies.
//!
//! Every field of a call may be left out, which an option says: an unknown field of a later version is ignored.
//! Times are told as ages, "so many milliseconds ago", since the clocks of a gateway and of a function host are never
//! compared.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Generation;

/// May this publisher push? Asked before the publisher is answered; creates nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AskAdmission {
    /// Name of the gateway.
    pub gateway: String,
    /// Address of the publisher, as `host:port`.
    pub client: String,
    /// Query arguments of the push URL, decoded.
    pub arguments: BTreeMap<String, String>,
}

/// A push's first coded frame came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BeginSession {
    /// Name of the gateway.
    pub gateway: String,
    /// The gateway's spool and how often a gateway was started on it: `{spool}.{n}`.
    pub boot: String,
    /// Chosen by the gateway, one a push.
    pub push: String,
    /// Address of the publisher, as `host:port`.
    pub client: String,
    /// Query arguments of the push URL, decoded.
    pub arguments: BTreeMap<String, String>,
    /// `h264`, `hevc` …, if known.
    pub video_codec: Option<String>,
    /// `aac`, `mp3` …, if known.
    pub audio_codec: Option<String>,
    /// Video bit rate that the publisher announced, in kbit/s.
    pub video_kbps: Option<u32>,
    /// How long ago the first coded frame came, in milliseconds.
    pub began_ago_ms: u64,
    /// The push before of the same stream, where this gateway saw both.
    pub after: Option<After>,
    /// A chunk of another session that is sent again in this one, since it was told lost.
    pub resends: Option<Resends>,
}

/// The push before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct After {
    /// Its session.
    pub session: String,
    /// From its last coded frame to this push's first one, in milliseconds.
    pub gap_ms: u64,
}

/// A chunk that is sent again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resends {
    /// The session that it was told lost in.
    pub session: String,
    /// Its number there.
    pub seq: u64,
}

/// How the gateway cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkPolicy {
    /// Cut at the first keyframe at least this long after the chunk's first tag, in milliseconds.
    pub target_ms: u64,
    /// Cut anyway at this length, in milliseconds.
    pub max_ms: u64,
    /// Cut anyway before the chunk passes this many bytes; a longer chunk is refused with 413.
    pub max_bytes: u64,
}

impl ChunkPolicy {
    /// What a gateway cuts by until the functions have answered: five seconds, and 32 MiB at most.
    ///
    /// ```
    /// assert_eq!(protocol::ChunkPolicy::DEFAULT.max_bytes, 33_554_432);
    /// ```
    pub const DEFAULT: Self = Self { target_ms: 5_000, max_ms: 20_000, max_bytes: 32 << 20 };
}

impl Default for ChunkPolicy {
    /// [`ChunkPolicy::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Whether a push is to be recorded, from a moment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The order's own generation: it is in force for what is cut from it on.
    pub generation: Generation,
    /// Whether chunks are wanted.
    pub record: bool,
    /// It was given so long ago, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_ms: Option<u64>,
    /// It takes effect in so long, in milliseconds: the edge of a window that is still to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_ms: Option<u64>,
}

/// The answer to [`BeginSession`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionAnswer {
    /// Identifies the session in every further call. It is an offer until the gateway adopts it.
    pub session: String,
    /// How to cut its chunks.
    pub chunk: ChunkPolicy,
    /// All its orders, in order of generation. An order is void where one of a later generation takes effect earlier.
    pub orders: Vec<Order>,
    /// Only in a heartbeat's answer: the push is to end, and why, for its publisher.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied: Option<String>,
}

/// The answer to a chunk: it is durable, or its loss is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkAnswer {
    /// The chunk's number.
    pub seq: u64,
    /// The number that comes next.
    pub next: u64,
}

exposition::label! {
    /// Why a chunk will never come. It is written the same in JSON, in names of files and in metrics.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    pub enum LossReason as "reason" {
        /// The functions refused it for what it holds.
        Refused = "refused",
        /// The gateway gave it up, since its share of the spool was full.
        Shed = "shed",
        /// Its file in the spool was damaged.
        Damaged = "damaged",
        /// It was acknowledged, and the store that held it is lost.
        Acknowledged = "acknowledged",
    }
}

/// A chunk will never come: the body of a chunk's call, as JSON, in place of the chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostChunk {
    /// Why.
    pub lost: LossReason,
    /// Its begin after the push's begin, in milliseconds.
    pub from_ms: u64,
    /// Its end after the push's begin, in milliseconds.
    pub to_ms: u64,
    /// The generation that it was cut under.
    pub generation: Generation,
}

/// The push ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EndSession {
    /// How long ago its last coded frame came, in milliseconds.
    pub ended_ago_ms: u64,
    /// From its first to its last coded frame, in milliseconds.
    pub duration_ms: u64,
    /// How many chunks it has, sent or not.
    pub chunks: u64,
}

/// The answer to [`EndSession`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndAnswer {
    /// How many chunks the session has, by the first end that was told.
    pub chunks: u64,
}

/// A gateway is alive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Heartbeat {
    /// Name of the gateway.
    pub gateway: String,
    /// As in [`BeginSession`].
    pub boot: String,
    /// The `since` of the last answer; absent: from now.
    pub since: Option<u64>,
    /// Age of the oldest begin, adoption or end that is not answered yet, in milliseconds; 0 if there is none.
    pub told_ms: u64,
    /// Sessions adopted since the last answered heartbeat.
    pub adopted: Vec<String>,
    /// Sessions of earlier boots whose end is not answered yet.
    pub holds: Vec<String>,
    /// Orders that took effect since the last answered heartbeat.
    pub confirmed: Vec<Confirmed>,
}

/// An order took effect at the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// The session.
    pub session: String,
    /// The order's generation.
    pub generation: Generation,
    /// The last chunk that was cut before it; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seq: Option<u64>,
}

/// The answer to a [`Heartbeat`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeartbeatAnswer {
    /// To be sent with the next heartbeat.
    pub since: u64,
    /// The sessions whose orders changed after the `since` that was sent, or whose pushes are to end, with all their
    /// orders.
    pub sessions: Vec<SessionAnswer>,
}

/// Whatever is due in a lane is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tick {}

/// Attends to the record files of MP4 and FLV that are due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compose {}
/// A step of filling a lost store anew from the work bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rebuild {
    /// Where it begins: what the answer before said; absent: where the functions left off, or at the begin.
    pub at: Option<String>,
    /// It only reads and counts.
    pub dry_run: bool,
    /// Users' buckets, as `endpoint/bucket`, of which nothing is asked: what was recorded into them ends with the last part.
    pub without: Vec<String>,
}

/// What a step found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RebuildAnswer {
    /// Where the next step begins; absent once everything is done.
    pub next: Option<String>,
    /// Rules and callback settings.
    pub rules: u64,
    /// Sealed parts of what was recorded.
    pub parts: u64,
    /// Slices in them.
    pub slices: u64,
    /// Record files and indexes, by the days that their content touches.
    pub files: u64,
    /// Sessions, those that are over and offers that have expired included.
    pub sessions: u64,
    /// Sessions that were put back.
    pub restored: u64,
    /// Slices that were found in users' buckets, beyond the parts.
    #[serde(default)]
    pub tail: u64,
    /// Users' buckets that cannot be listed, as `endpoint/bucket`: what was recorded into them ends with the last part.
    #[serde(default)]
    pub unlisted: Vec<String>,
}

/// Tells users' servers what is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Deliver {}

/// What a lane did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneAnswer {
    /// How much was due.
    pub due: u32,
    /// How much of it was done.
    pub done: u32,
    /// What failed and will be tried again.
    pub failures: Vec<Failure>,
}

/// Something that a lane could not do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What was to be done.
    pub what: String,
    /// Why it failed.
    pub reason: String,
    /// When it is tried again, in seconds from now.
    pub retry_in_s: u64,
}

/// The body of every error answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Stable, for programs; with 409 one of [`conflict`](crate::conflict).
    pub code: String,
    /// For people: what was found, what was expected, and where.
    pub message: String,
    /// With [`conflict::GAP`](crate::conflict::GAP) and [`conflict::BEFORE`](crate::conflict::BEFORE): the number of
    /// the chunk that must come first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<u64>,
}
