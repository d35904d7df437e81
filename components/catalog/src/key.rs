//! The layout of the keys.
//!
//! Every key has one writer at a time, or is a counter, or is written with the same value by all its writers, or
//! is a hint that may be set back at no harm (`head`, `live`, `due/done`).
//! No part of a name holds a slash, so that keys of different kinds never meet.
//!
//! | key | holds | written by |
//! | --- | --- | --- |
//! | `session/{id}` | the session | its begin |
//! | `session/{id}/chunk/{seq}` | a committed chunk and its page | the commit of that chunk |
//! | `session/{id}/head` | a number that chunks are committed up to, or a little past | any commit |
//! | `session/{id}/names` | how many object names turned out to be somebody else's | a chunk that found so |
//! | `session/{id}/silent` | when it was first found to give no sign of life | the tick |
//! | `session/{id}/end` | when it ended and with how many chunks | its end |
//! | `session/{id}/orders` | whether it is to be recorded, once a command has said so | the command |
//! | `stream/{name}/sessions` | counter: sessions begun | |
//! | `stream/{name}/session/{number}` | the id of that session | its begin |
//! | `stream/{name}/{container}` | where the next record file begins, and its number | the tick |
//! | `stream/{name}/indexes` | counter: record files and playlists made known | |
//! | `stream/{name}/index/{number}` | one of them | who made it known; its deletion |
//! | `index/{id}` | the number of one of them in its stream | who made it known |
//! | `domain/{name}/sessions` | counter: sessions begun | |
//! | `domain/{name}/session/{number}` | the id of that session | its begin |
//! | `domain/{name}/live` | a number below which all sessions have ended | who lists them |
//! | `gateway/{name}` | when it was last alive | its heartbeat |
//! | `gateway/{name}/changes` | counter: changed instructions | |
//! | `gateway/{name}/change/{number}` | a changed instruction | the command |
//! | `due/open`, `due/done` | counter, number: see [`timers`](crate::timers) | the tick |
//! | `due/{second}` | counter: streams to look at | |
//! | `due/{second}/{number}` | a stream to look at | who wakes it |

use crate::types::{Container, StreamName};

/// A session's own record.
#[must_use]
pub fn session(id: &str) -> String {
    format!("session/{id}")
}

/// A committed chunk.
#[must_use]
pub fn chunk(id: &str, seq: u64) -> String {
    format!("session/{id}/chunk/{seq}")
}

/// The hint at a session's length.
#[must_use]
pub fn head(id: &str) -> String {
    format!("session/{id}/head")
}

/// How many object names of a session are somebody else's.
#[must_use]
pub fn names(id: &str) -> String {
    format!("session/{id}/names")
}

/// When a session was found silent.
#[must_use]
pub fn silent(id: &str) -> String {
    format!("session/{id}/silent")
}

/// A session's end.
#[must_use]
pub fn end(id: &str) -> String {
    format!("session/{id}/end")
}

/// What a command said of a session.
#[must_use]
pub fn orders(id: &str) -> String {
    format!("session/{id}/orders")
}

/// The counter of a stream's sessions.
#[must_use]
pub fn sessions(stream: &StreamName) -> String {
    format!("stream/{}/sessions", name(stream))
}

/// The id of a stream's session.
#[must_use]
pub fn numbered_session(stream: &StreamName, number: u64) -> String {
    format!("stream/{}/session/{number}", name(stream))
}

/// Where a stream's next record file begins.
#[must_use]
pub fn frontier(stream: &StreamName, container: Container) -> String {
    format!("stream/{}/{}", name(stream), extension(container))
}

/// The counter of a stream's record files and playlists.
#[must_use]
pub fn indexes(stream: &StreamName) -> String {
    format!("stream/{}/indexes", name(stream))
}

/// A record file or playlist of a stream's.
#[must_use]
pub fn numbered_index(stream: &StreamName, number: u64) -> String {
    format!("stream/{}/index/{number}", name(stream))
}

/// The number of a record file or playlist.
#[must_use]
pub fn index(id: &str) -> String {
    format!("index/{id}")
}

/// The counter of a domain's sessions.
#[must_use]
pub fn domain_sessions(domain: &str) -> String {
    format!("domain/{domain}/sessions")
}

/// The id of a domain's session.
#[must_use]
pub fn domain_session(domain: &str, number: u64) -> String {
    format!("domain/{domain}/session/{number}")
}

/// The hint at a domain's first session that is live.
#[must_use]
pub fn domain_live(domain: &str) -> String {
    format!("domain/{domain}/live")
}

/// When a gateway was last alive.
#[must_use]
pub fn gateway(name: &str) -> String {
    format!("gateway/{name}")
}

/// The counter of a gateway's changes.
#[must_use]
pub fn changes(gateway: &str) -> String {
    format!("gateway/{gateway}/changes")
}

/// One change of a gateway's.
#[must_use]
pub fn change(gateway: &str, number: u64) -> String {
    format!("gateway/{gateway}/change/{number}")
}

/// The counter of the last second whose timers may have been read.
pub const DUE_OPEN: &str = "due/open";

/// The last second whose timers are settled.
pub const DUE_DONE: &str = "due/done";

/// The counter of the streams due in a second.
#[must_use]
pub fn due(second: u64) -> String {
    format!("due/{second}")
}

/// A stream due in a second.
#[must_use]
pub fn due_stream(second: u64, number: u64) -> String {
    format!("due/{second}/{number}")
}

fn name(stream: &StreamName) -> String {
    format!("{}/{}/{}", stream.domain, stream.app, stream.stream)
}

fn extension(container: Container) -> &'static str {
    match container {
        Container::M3u8 => "m3u8",
        Container::Mp4 => "mp4",
        Container::Flv => "flv",
    }
}
