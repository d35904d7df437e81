//! The layout of the keys.
//!
//! At any time one invocation writes a key, or all its writers write the same value, or it is a counter, or it
//! is a hint that may be set back at no harm. Keys hold letters, digits, `.` and `-` alone, and fewer than 128
//! bytes: every backend takes them.
//!
//! | key | holds | written by |
//! | --- | --- | --- |
//! | `s.{session}` | the session as it was offered | its begin |
//! | `a.{session}` | which recording it belongs to | its adoption: the same value by all |
//! | `n.{session}` | the session that continues it | that one's adoption: the same value by all |
//! | `c.{session}.{seq}` | a committed chunk, its page and the accounts after it | the commit of that chunk |
//! | `h.{session}` | hint: a number that chunks are committed up to, or beyond | commits |
//! | `e.{session}` | when it ended and with how many chunks | its end |
//! | `x.{session}` | the last round of silence: its gateway's heartbeat count | the tick: the same value by all |
//! | `x.{session}.{count}` | how that round was decided | who decides it: the same value by all |
//! | `k.{session}` | what its gateway cut before its last order took effect | the heartbeat that tells it |
//! | `o.{session}` | hint: the number of its last order | who gives an order |
//! | `w.{recording}.{container}` | hint: the next record file to write, and where it begins | the tick |

use crate::rule::Container;

/// A session as it was offered.
pub(crate) fn session(id: &str) -> String {
    format!("s.{id}")
}

/// Which recording a session belongs to.
pub(crate) fn adopted(id: &str) -> String {
    format!("a.{id}")
}

/// The session that continues a session.
pub(crate) fn continued(id: &str) -> String {
    format!("n.{id}")
}

/// A committed chunk.
pub(crate) fn chunk(id: &str, seq: u64) -> String {
    format!("c.{id}.{seq}")
}

/// The hint at a session's length.
pub(crate) fn head(id: &str) -> String {
    format!("h.{id}")
}

/// A session's end.
pub(crate) fn end(id: &str) -> String {
    format!("e.{id}")
}

/// The last round of silence of a session's gateway.
pub(crate) fn silence(id: &str) -> String {
    format!("x.{id}")
}

/// How a round of silence was decided.
pub(crate) fn round(id: &str, heartbeats: u64) -> String {
    format!("x.{id}.{heartbeats}")
}

/// What a session's gateway cut before its last order took effect.
pub(crate) fn confirmed(id: &str) -> String {
    format!("k.{id}")
}

/// The hint at a session's last order.
pub(crate) fn orders(id: &str) -> String {
    format!("o.{id}")
}

/// The next record file to write.
pub(crate) fn next_file(recording: &str, container: Container) -> String {
    let container = match container {
        Container::M3u8 => "m3u8",
        Container::Mp4 => "mp4",
        Container::Flv => "flv",
    };
    format!("w.{recording}.{container}")
}
