//! The JSON bodies.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A push began.
///
/// Every field may be left out: an unknown field of a later version is ignored, an unknown value is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BeginSession {
    /// Name of the gateway; heartbeats of the same name keep its sessions alive.
    pub gateway: String,
    /// Chosen by the gateway, one a push: a repeated call with the same `gateway` and `push` answers the
    /// same session. Empty: every call begins a new session.
    pub push: String,
    /// Address of the publisher, as `host:port`.
    pub client: String,
    /// Query arguments of the push URL, decoded.
    pub arguments: BTreeMap<String, String>,
    /// `h264`, `hevc` …, if known.
    pub video_codec: String,
    /// `aac`, `mp3` …, if known.
    pub audio_codec: String,
    /// Video bitrate in kbit/s, 0 if unknown.
    pub video_kbps: u32,
    /// When the push began by the gateway's clock, Unix milliseconds; 0 if unknown. Functions go by their own.
    pub began_at_ms: u64,
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
    /// What a gateway cuts by until the functions have answered.
    pub const DEFAULT: Self = Self { target_ms: 5_000, max_ms: 20_000, max_bytes: 32 << 20 };
}

impl Default for ChunkPolicy {
    /// [`ChunkPolicy::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The answer to [`BeginSession`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionAnswer {
    /// Identifies the session in every further call.
    pub session: String,
    /// Whether chunks are wanted now; a heartbeat's answer can change it.
    pub record: bool,
    /// How to cut them.
    pub chunk: ChunkPolicy,
}

/// The answer to a chunk: it is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkAnswer {
    /// The chunk's number.
    pub seq: u64,
    /// The number that comes next.
    pub next: u64,
}

/// The push ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EndSession {
    /// When it ended by the gateway's clock, Unix milliseconds; 0: now.
    pub ended_at_ms: u64,
}

/// The answer to [`EndSession`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndAnswer {
    /// How many chunks the session holds.
    pub chunks: u64,
}

/// A gateway is alive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Heartbeat {
    /// Name of the gateway.
    pub gateway: String,
    /// Sessions being pushed to it now: for people who read the call, no function needs them.
    pub sessions: Vec<String>,
    /// The `since` of the last answer. At first the largest number: begin with the newest change.
    pub since: u64,
}

/// The answer to a [`Heartbeat`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeartbeatAnswer {
    /// To be sent with the next heartbeat.
    pub since: u64,
    /// The sessions whose instructions changed after the `since` that was sent, oldest change first.
    pub sessions: Vec<SessionChange>,
}

/// New instructions for one session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionChange {
    /// The session.
    pub session: String,
    /// Whether chunks are wanted from now on, from the keyframe at or before the change.
    pub record: bool,
    /// How to cut them.
    pub chunk: ChunkPolicy,
}

/// Whatever is due is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tick {}

/// What a tick did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TickAnswer {
    /// Streams of which something was due.
    pub streams: u32,
    /// Record files that were closed.
    pub files: u32,
    /// What failed and will be tried again, one sentence for each.
    pub failures: Vec<String>,
}

/// The body of every error answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Stable, for programs: `SequenceGap`, `MalformedChunk` …
    pub code: String,
    /// For people: what was found, what was expected, and where.
    pub message: String,
    /// With `SequenceGap`: the number that the next chunk must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<u64>,
}
