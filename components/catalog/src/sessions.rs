//! Pushes: begin, end, heartbeat.

use serde::{Deserialize, Serialize};
use store::Store;

use crate::record::{self, Error, counted, read, write};
use crate::types::{Session, StreamName};
use crate::{key, log, timers};

/// A session and its number among the sessions of its stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Numbered {
    /// From 1, in the order in which sessions begin.
    pub number: u64,
    /// The session.
    pub session: Session,
}

/// The end of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When the push ended, Unix milliseconds.
    pub at_ms: u64,
    /// How many chunks it holds for good; none while they are being counted.
    pub chunks: Option<u64>,
}

/// How long a call may take between counting a session or a change and writing it down, in milliseconds.
///
/// A number without a session is waited for that long; after that, its session counts as never begun.
pub const BEGIN_BOUND_MS: u64 = 60_000;

/// Begins a session, or answers the one that began under this id.
///
/// The timer is set before the session is written. A call that breaks off in between leaves a needless timer, and
/// never a session without one.
pub async fn begin(store: &impl Store, session: Session) -> Result<Session, Error> {
    if let Some(known) = find(store, &session.id).await? {
        return Ok(known.session);
    }
    let number = counted(store, &key::sessions(&session.stream), 1).await?;
    store.set(&key::numbered_session(&session.stream, number), session.id.as_bytes()).await?;
    let domain = &session.stream.domain;
    let in_domain = counted(store, &key::domain_sessions(domain), 1).await?;
    store.set(&key::domain_session(domain, in_domain), session.id.as_bytes()).await?;
    timers::set_due(store, &session.stream, session.began_ms + patience_ms(&session)).await?;
    // Another call for the same session may have overtaken this one: the number that was written first holds.
    if let Some(known) = find(store, &session.id).await? {
        return Ok(known.session);
    }
    write(store, &key::session(&session.id), &Numbered { number, session: session.clone() }).await?;
    Ok(session)
}

/// The session of an id.
pub async fn find(store: &impl Store, id: &str) -> Result<Option<Numbered>, Error> {
    read(store, &key::session(id)).await
}

/// The session of an id.
///
/// # Errors
/// [`Error::NoSuchSession`] where there is none.
pub async fn get(store: &impl Store, id: &str) -> Result<Numbered, Error> {
    find(store, id).await?.ok_or_else(|| Error::NoSuchSession(id.into()))
}

/// The stream's session of a number; none while its begin call runs, or for good if that call broke off.
pub async fn numbered(
    store: &impl Store,
    stream: &StreamName,
    number: u64,
) -> Result<Option<Session>, Error> {
    let key = key::numbered_session(stream, number);
    let Some(id) = store.get(&key).await? else { return Ok(None) };
    let id = String::from_utf8(id).map_err(|error| Error::Record { key, reason: error.to_string() })?;
    // Two begin calls at once give a session two numbers; the one in the session's record holds.
    Ok(find(store, &id).await?.filter(|found| found.number == number).map(|found| found.session))
}

/// How many numbers a stream has given to sessions.
pub async fn count(store: &impl Store, stream: &StreamName) -> Result<u64, Error> {
    record::count(store, &key::sessions(stream)).await
}

/// Ends a session; answers how many chunks it holds.
///
/// The end is written before the chunks are counted: see [`log::commit`].
pub async fn end(store: &impl Store, id: &str, at_ms: u64) -> Result<u64, Error> {
    let session = get(store, id).await?.session;
    let end = match read::<End>(store, &key::end(id)).await? {
        Some(End { at_ms, chunks: Some(chunks) }) => (at_ms, chunks),
        _ => {
            write(store, &key::end(id), &End { at_ms, chunks: None }).await?;
            let chunks = log::length(store, id).await?;
            write(store, &key::end(id), &End { at_ms, chunks: Some(chunks) }).await?;
            (at_ms, chunks)
        }
    };
    timers::set_due(store, &session.stream, end.0 + patience_ms(&session)).await?;
    Ok(end.1)
}

/// When a session that has not ended last gave a sign of life, Unix milliseconds: its begin, its last chunk, or its
/// gateway's last heartbeat.
pub async fn last_sign_ms(store: &impl Store, session: &Session, chunks: u64) -> Result<u64, Error> {
    let mut last = session.began_ms;
    if let Some(gateway) = &session.gateway
        && let Some(seen) = read::<u64>(store, &key::gateway(gateway)).await?
    {
        last = last.max(seen);
    }
    if chunks > 0
        && let Some(chunk) = log::committed(store, &session.id, chunks - 1).await?
    {
        last = last.max(chunk.at_ms);
    }
    Ok(last)
}

/// When a tick first found a session silent after its last sign of life at `last_ms`, Unix milliseconds. That is
/// now if this call is the first to find it so.
pub async fn silent_since(store: &impl Store, id: &str, last_ms: u64, now_ms: u64) -> Result<u64, Error> {
    match read(store, &key::silent(id)).await? {
        Some(since_ms) if since_ms > last_ms => Ok(since_ms),
        _ => {
            write(store, &key::silent(id), &now_ms).await?;
            Ok(now_ms)
        }
    }
}

/// How long a session without a rule may be silent before it counts as over, in seconds.
const DEFAULT_DELAY_SECONDS: u32 = 180;

/// How long after its last sign of life a session's record file stays open, in milliseconds.
#[must_use]
pub fn patience_ms(session: &Session) -> u64 {
    let delay_seconds = session.rule.as_ref().map_or(DEFAULT_DELAY_SECONDS, |rule| rule.delay_seconds);
    u64::from(delay_seconds) * 1000
}

/// An order to a gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The session.
    pub session: String,
    /// Whether the session's slices are wanted from now on.
    pub record: bool,
    /// Time of the command, Unix milliseconds.
    pub at_ms: u64,
}

/// Notes that a gateway is alive; answers the number of its last order and the orders after `since`.
pub async fn heartbeat(
    store: &impl Store,
    gateway: &str,
    since: u64,
    at_ms: u64,
) -> Result<(u64, Vec<Change>), Error> {
    write(store, &key::gateway(gateway), &at_ms).await?;
    let last = record::count(store, &key::changes(gateway)).await?;
    // A gateway whose number is past the last order does not know any: it begins with the next one.
    let since = if since > last { last } else { since };
    let (mut heard, mut changes) = (since, Vec::new());
    for number in since + 1..=last {
        // A number has no order while its command runs, or for good if that command broke off. Later orders wait
        // until the time for the former is over.
        let Some(change) = read::<Change>(store, &key::change(gateway, number)).await? else { continue };
        if number > heard + 1 && at_ms < change.at_ms + BEGIN_BOUND_MS {
            break;
        }
        heard = number;
        changes.push(change);
    }
    Ok((heard, changes))
}
