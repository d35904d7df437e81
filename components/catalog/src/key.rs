//! The layout of the keys.
//!
//! Every key has one writer at a time, or is a counter, or gets the same value from all its writers, or is a hint
//! that a late call may set back without harm (`head`, `live`, `due/done`).
//! No part of a name holds a slash, so that keys of different kinds never meet.
//!
//! | key | holds | written by |
//! | --- | --- | --- |
//! | `session/{id}` | the session | its begin |
//! | `session/{id}/chunk/{seq}` | a committed chunk and its page | the commit of that chunk |
//! | `session/{id}/head` | a number that chunks are committed up to, or a little past | any commit |
//! | `session/{id}/names` | how many of its object names turned out to hold another writer's object | the chunk that found it |
//! | `session/{id}/silent` | when a tick first found it without a sign of life | the tick |
//! | `session/{id}/end` | when it ended and with how many chunks | its end |
//! | `session/{id}/orders` | whether it is to be recorded, since the first command | the command |
//! | `stream/{name}/sessions` | counter: sessions begun | |
//! | `stream/{name}/session/{number}` | the id of that session | its begin |
//! | `stream/{name}/{container}` | where the next record file begins, and its number | the tick |
//! | `stream/{name}/indexes` | counter: index files made known | |
//! | `stream/{name}/index/{number}` | an index file | the call that made it known; its deletion |
//! | `index/{id}` | the number of that index file in its stream | the call that made it known |
//! | `domain/{name}/sessions` | counter: sessions begun | |
//! | `domain/{name}/session/{number}` | the id of that session | its begin |
//! | `domain/{name}/live` | a number below which all sessions have ended | the call that lists them |
//! | `gateway/{name}` | time of its last heartbeat | its heartbeat |
//! | `gateway/{name}/changes` | counter: orders | |
//! | `gateway/{name}/change/{number}` | an order | the command |
//! | `due/open`, `due/done` | counter, number: see [`timers`](crate::timers) | the tick |
//! | `due/{second}` | counter: streams that are due | |
//! | `due/{second}/{number}` | a stream that is due | the call that makes it due |

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

/// How many object names of a session hold another writer's object.
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

/// A session's orders.
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

/// The counter of a stream's index files.
#[must_use]
pub fn indexes(stream: &StreamName) -> String {
    format!("stream/{}/indexes", name(stream))
}

/// A stream's index file.
#[must_use]
pub fn numbered_index(stream: &StreamName, number: u64) -> String {
    format!("stream/{}/index/{number}", name(stream))
}

/// The number of an index file in its stream.
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

/// Time of a gateway's last heartbeat.
#[must_use]
pub fn gateway(name: &str) -> String {
    format!("gateway/{name}")
}

/// The counter of a gateway's orders.
#[must_use]
pub fn changes(gateway: &str) -> String {
    format!("gateway/{gateway}/changes")
}

/// A gateway's order.
#[must_use]
pub fn change(gateway: &str, number: u64) -> String {
    format!("gateway/{gateway}/change/{number}")
}

/// The counter that stands at the last second whose timers may have been read.
pub const DUE_OPEN: &str = "due/open";

/// The last second whose timers are cleared.
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
