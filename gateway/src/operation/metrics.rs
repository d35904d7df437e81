//! What is counted.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use exposition::{Counter, CounterVec, Histogram, Label, label};
use http::HeaderMap;
use media::RepairKind;
use protocol::{LEFT_OUT_HEADER, LossReason, REPAIRS_HEADER, read_counts};

label! {
    /// Why a connection is not taken.
    pub(crate) enum ConnectionRefused as "reason" {
        /// There are as many as there may be.
        Full = "full",
        /// Its address has as many as one may have.
        Address = "address",
        /// Nobody may push from its address.
        Elsewhere = "elsewhere",
        /// It did not say what a trusted proxy has to, or said it wrongly.
        Proxy = "proxy_header",
        /// Its TLS handshake failed.
        Tls = "tls",
    }
}

label! {
    /// Why a publish is refused.
    pub(crate) enum PublishRefused as "reason" {
        /// Its stream has a name that cannot be recorded.
        Name = "name",
        /// Its domain may not be pushed to.
        Domain = "domain",
        /// Its URL is not signed as it has to be.
        Signature = "signature",
        /// The functions say so.
        Functions = "functions",
        /// Another publisher has the name.
        InUse = "in_use",
        /// The spool has no room.
        SpoolFull = "spool_full",
        /// Pushes begin too often.
        TooOften = "too_often",
        /// The gateway is about to end.
        Draining = "draining",
        /// The gateway itself failed.
        Internal = "internal",
    }
}

label! {
    /// What became of a chunk.
    pub(crate) enum ChunkOutcome as "outcome" {
        /// The functions have it.
        Acknowledged = "acknowledged",
        /// The functions refused it for good; it is kept aside.
        Refused = "refused",
        /// It came too late; it is kept aside.
        Late = "late",
        /// Given up for want of room.
        GivenUp = "given_up",
        /// Dropped by hand.
        Dropped = "dropped",
    }
}

label! {
    /// Why a call of the functions failed.
    pub(crate) enum Failure as "reason" {
        /// No answer came.
        Unreachable = "unreachable",
        /// Something else answered, a proxy for one.
        Foreign = "foreign",
        /// They refuse the token.
        Token = "token",
        /// They cannot now: the store or the work bucket fails, or they are too busy.
        Unavailable = "unavailable",
        /// The user's bucket refuses.
        Bucket = "bucket",
        /// They do not know the session.
        UnknownSession = "unknown_session",
        /// They want another chunk first.
        Order = "order",
        /// They refuse what was sent.
        Refused = "refused",
        /// Anything else.
        Other = "other",
    }
}

label! {
    /// A kind of track.
    pub(crate) enum TrackKind as "track" {
        /// Pictures.
        Video = "video",
        /// Sound.
        Audio = "audio",
    }
}

label! {
    /// What the functions do each second.
    pub(crate) enum Lane as "lane" {
        /// What is due.
        Tick = "tick",
        /// MP4 and FLV files.
        Compose = "compose",
        /// Callbacks.
        Deliver = "deliver",
    }
}

/// All that a gateway counts.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) connections: Counter,
    pub(crate) connections_refused: CounterVec<ConnectionRefused>,
    pub(crate) connections_failed: Counter,
    pub(crate) certificates_read: Counter,
    pub(crate) certificates_failed: Counter,
    pub(crate) is_certificate_failing: AtomicBool,
    pub(crate) publishes: Counter,
    pub(crate) publishes_refused: CounterVec<PublishRefused>,
    pub(crate) kicked: Counter,
    pub(crate) received_bytes: Counter,
    pub(crate) frames: CounterVec<TrackKind>,
    pub(crate) frames_left_out: Counter,
    pub(crate) configurations_left_out: Counter,
    /// Messages that the remuxer found not to be recordable.
    pub(crate) messages_left_out: CounterVec<TrackKind>,
    /// What the remuxer set right.
    pub(crate) repairs: CounterVec<RepairKind>,
    pub(crate) messages_skipped: Counter,
    pub(crate) chunks: CounterVec<ChunkOutcome>,
    pub(crate) chunk_bytes: Counter,
    /// Tries that did not bring a chunk.
    pub(crate) chunk_failures: CounterVec<Failure>,
    /// From the last frame of a chunk until the functions have it.
    pub(crate) chunk_delay: Histogram,
    pub(crate) begin_failures: CounterVec<Failure>,
    pub(crate) gaps: CounterVec<LossReason>,
    pub(crate) heartbeat: Calls,
    lanes: [LaneCalls; 3],
}

/// Calls that are made again and again.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    pub(crate) made: Counter,
    pub(crate) failed: Counter,
    pub(crate) duration: Histogram,
    /// Unix milliseconds; 0: none yet.
    pub(crate) last_success_ms: AtomicU64,
}

/// Calls of a lane.
#[derive(Debug, Default)]
pub(crate) struct LaneCalls {
    pub(crate) calls: Calls,
    /// What was due and failed, as the functions say.
    pub(crate) failures: Counter,
    /// What was due at the last answer.
    pub(crate) due: AtomicU64,
    pub(crate) done: Counter,
}

impl Calls {
    /// A call was answered as it should be at this time, Unix milliseconds.
    pub(crate) fn succeeded(&self, at_ms: u64) {
        self.last_success_ms.store(at_ms, Ordering::Relaxed);
    }
}

/// Adds counts that a header tells by the names of a label's values.
fn take<L: Label>(counters: &CounterVec<L>, headers: &HeaderMap, name: &str) {
    let told = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    for (name, count) in read_counts(told) {
        // A later version of the functions may tell what has no counter here.
        if let Some(value) = L::ALL.iter().find(|value| value.as_str() == name) {
            counters.of(*value).add(count.into());
        }
    }
}

impl Metrics {
    /// Takes what the answer to a chunk tells of it.
    pub(crate) fn take_remuxed(&self, headers: &HeaderMap) {
        take(&self.repairs, headers, REPAIRS_HEADER);
        take(&self.messages_left_out, headers, LEFT_OUT_HEADER);
    }

    pub(crate) fn lane(&self, lane: Lane) -> &LaneCalls {
        &self.lanes[lane as usize]
    }
}
