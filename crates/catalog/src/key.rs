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
//! | `c.{session}.{seq}` | a committed chunk, its page, the tally before that and the accounts after the chunk | the commit of that chunk |
//! | `h.{session}` | hint: a number that chunks are committed up to, or beyond | commits |
//! | `e.{session}` | when it ended and with how many chunks | its end |
//! | `e.{session}.lost` | its missing chunks are given up: none is taken until they are told lost | looks: see [`missing`](crate::missing) |
//! | `x.{session}` | the last round of silence | looks: see [`silence`](crate::silence) |
//! | `x.{session}.{round}` | how that round was decided | who decides it: the same value by all |
//! | `j.{session}.{seq}`, `j.{recording}.{container}.{number}` | how many names of it are another writer's | who finds that: the same value by all |
//! | `k.{session}.{files}` | what its gateway cut before an order of that many files took effect | the heartbeats that tell it: see [`file`](crate::file) |
//! | `o.{session}` | hint: the number of its last order | who gives an order |
//! | `o.{session}.denied` | why its push is to end: see [`denial`](crate::denial) | who has it end, each with a reason that is as good |
//! | `u.{session}` | something beside its chunks has to be read: its end, a round of silence, a name | whoever writes that, beforehand |
//! | `g.{name}` | hint: what was heard of a gateway's name | its heartbeats |
//! | `g.{name, spool}.n` | counter: its heartbeats | |
//! | `g.{name, spool}.c.n`, `….c.{number}` | counter, and sessions that have new orders: see [`changes`](crate::changes) | who drew the number |
//! | `g.{name, spool}.l` | hint: the last look at it | looks |
//! | `l.{stream}`, `d.{domain}`, `g.{name, spool}.s` | [lists](crate::list) of live sessions | adoptions |
//! | `v.{stream}` | it was pushed; hint: the last day in which it was | adoptions, commits |
//! | `p.{stream}` | hint: its session that ended last | ends |
//! | `q.{session}` | hint: the last look at the break after it | looks |
//! | `y.{stream}.{day}` | list of the sessions with media in a UTC day since 1970: see [`days`](crate::days) | adoptions, commits |
//! | `i.{stream}.{id}`, `i.{stream}.{day}` | an index file; the list of those of a UTC day | who makes it known or deletes it |
//! | `z.…`, `r.…`, `f.{session}` | what is sealed: see [`log`](crate::log) and [`seal`](crate::seal) | |
//! | `ev.…`, `ed.…`, `es.…`, `ec.…` | what users' servers are told: see [`event`](crate::event), [`status`](crate::status), [`sent`](crate::sent) | |
//! | `t.…` | timers: see [`timer`](crate::timer) | |
//! | `b.{timer}` | hint: a tick has it in hand | ticks |
//! | `b.{timer}.c`, `b.{timer}.c.n` | a delivery has it in hand: see [`claim`](crate::claim) | deliveries |
//! | `m.layout`, `m.work`, `m.begun` | what was checked of the store and of the work bucket | always the same value |
//! | `m.rebuild` | hint: how far a lost store is filled anew: see [`rebuild`](crate::rebuild) | the rebuild |
//! | `m.u.{bucket}` | hint: when its store refused to copy parts: see [`copies`](crate::copies) | compositions |
//! | `m.r.{bucket}` | its store replaces objects: see [`replacing`](crate::replacing) | the ticks: the same value by all |
//! | `w.{recording}.{container}` | hint: the next record file to write, and where it begins | the tick, a composition |
//! | `w.{recording}.{container}.u`, `w.{recording}.flv.o` | hint: how far that file is uploaded | a composition |
//! | `w.{recording}.b` | hint: how far the media of its open MP4 file is gathered: see [`blocks`](crate::blocks) | a composition |

use crate::rule::Container;
use crate::stream::hash;

/// What was heard of a gateway's name.
pub(crate) fn heard(name: &str) -> String {
    format!("g.{}", hash(&[name]))
}

/// A gateway's name with the spool of its boot: one that begins on another spool has lost what the old one held, and
/// says nothing for it. Other keys begin so.
pub(crate) fn gateway(name: &str, boot: &str) -> String {
    let spool = boot.rsplit_once('.').map_or(boot, |(spool, _)| spool);
    format!("g.{}", hash(&[name, spool]))
}

/// The list of the live sessions of a gateway.
pub(crate) fn live_of_gateway(gateway: &str) -> String {
    format!("{gateway}.s")
}

/// Counts a gateway's heartbeats.
pub(crate) fn heartbeats(gateway: &str) -> String {
    format!("{gateway}.n")
}

/// Sessions of a gateway that have new orders.
pub(crate) fn changes(gateway: &str) -> String {
    format!("{gateway}.c")
}

/// The last look at a gateway.
pub(crate) fn look(gateway: &str) -> String {
    format!("{gateway}.l")
}

/// The last look at the break after a session.
pub(crate) fn break_look(id: &str) -> String {
    format!("q.{id}")
}

/// A tick has what a timer is for in hand.
pub(crate) fn busy(what: &str) -> String {
    format!("b.{}", hash(&[what]))
}

/// A delivery has what a timer is for in hand.
pub(crate) fn claim(what: &str) -> String {
    format!("{}.c", busy(what))
}

/// How far a session is sealed.
pub(crate) fn sealed(id: &str) -> String {
    format!("f.{id}")
}

/// The list of a stream's live sessions.
pub(crate) fn live_of_stream(stream: &str) -> String {
    format!("l.{stream}")
}

/// The list of a domain's live sessions.
pub(crate) fn live_of_domain(domain: &str) -> String {
    format!("d.{}", hash(&[domain]))
}

/// The session of a stream that ended last.
pub(crate) fn last_ended(stream: &str) -> String {
    format!("p.{stream}")
}

/// A stream was pushed.
pub(crate) fn known(stream: &str) -> String {
    format!("v.{stream}")
}

/// Something beside a session's chunks has to be read.
pub(crate) fn flag(id: &str) -> String {
    format!("u.{id}")
}

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

/// The missing chunks of an ended session are given up.
pub(crate) fn given_up(id: &str) -> String {
    format!("e.{id}.lost")
}

/// The last round of silence of a session's gateway.
pub(crate) fn silence(id: &str) -> String {
    format!("x.{id}")
}

/// How a round of silence was decided.
pub(crate) fn round(id: &str, number: u64) -> String {
    format!("x.{id}.{number}")
}

/// What a session's gateway cut before an order took effect that began so many files.
pub(crate) fn confirmed(id: &str, files: u32) -> String {
    format!("k.{id}.{files}")
}

/// The hint at a session's last order.
pub(crate) fn orders(id: &str) -> String {
    format!("o.{id}")
}

/// Why a session's push is to end.
pub(crate) fn denied(id: &str) -> String {
    format!("o.{id}.denied")
}

/// How many names of a chunk's slice are another writer's.
pub(crate) fn slice_names(session: &str, seq: u64) -> String {
    format!("j.{session}.{seq}")
}

/// How many names of a record file are another writer's.
pub(crate) fn file_names(recording: &str, container: Container, number: u32) -> String {
    format!("j.{recording}.{}.{number}", word(container))
}

/// The store of a bucket replaces objects.
pub(crate) fn replacing(endpoint: &str, bucket: &str) -> String {
    format!("m.r.{}", hash(&[endpoint, bucket]))
}

/// When the store of a bucket refused to copy parts.
pub(crate) fn uncopied(endpoint: &str, bucket: &str) -> String {
    format!("m.u.{}", hash(&[endpoint, bucket]))
}

/// How far the media of a recording's open MP4 file is gathered.
pub(crate) fn gathered(recording: &str) -> String {
    format!("w.{recording}.b")
}

/// The next record file to write.
pub(crate) fn next_file(recording: &str, container: Container) -> String {
    format!("w.{recording}.{}", word(container))
}

/// How far the next record file is uploaded.
///
/// Earlier builds write the tags of FLV files in another order: neither may go on with a file that the other has begun.
pub(crate) fn upload(recording: &str, container: Container) -> String {
    match container {
        Container::Flv => format!("{}.o", next_file(recording, container)),
        Container::M3u8 | Container::Mp4 => former_upload(recording, container),
    }
}

/// The same, as earlier builds have it for every format.
pub(crate) fn former_upload(recording: &str, container: Container) -> String {
    format!("{}.u", next_file(recording, container))
}

/// An event of a recording and a kind.
pub(crate) fn event(recording: &str, kind: &str, number: u32) -> String {
    format!("ev.{recording}.{kind}.{number}")
}

/// It was told.
pub(crate) fn event_done(recording: &str, kind: &str, number: u32) -> String {
    format!("ed.{recording}.{kind}.{number}")
}

/// A domain, in keys and timers.
pub(crate) fn domain(domain: &str) -> String {
    hash(&[domain])
}

/// The callbacks of a [domain](domain) that were sent in a UTC day since 1970.
pub(crate) fn callbacks(domain: &str, day: u64) -> String {
    format!("ec.{domain}.{day}")
}

/// How far a recording's status was told.
pub(crate) fn told(recording: &str) -> String {
    format!("es.{recording}")
}

/// The container of a word in a key.
pub(crate) fn container(text: &str) -> Option<Container> {
    [Container::M3u8, Container::Mp4, Container::Flv].into_iter().find(|container| word(*container) == text)
}

/// What a container is called in keys.
pub(crate) fn word(container: Container) -> &'static str {
    match container {
        Container::M3u8 => "m3u8",
        Container::Mp4 => "mp4",
        Container::Flv => "flv",
    }
}

#[cfg(test)]
mod tests;
