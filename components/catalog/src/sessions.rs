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
/// A number without a session is waited for that long, and then counts as never begun.
pub const BEGIN_BOUND_MS: u64 = 60_000;

/// Begins a session, or answers the one that began under this id.
///
/// The timer is set before the session is there: a call that breaks off leaves a timer too many, never a
/// session that nobody looks after.
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
    // A call for the same session may have overtaken this one; then its number holds.
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

/// The session of an id, which has to be there.
pub async fn get(store: &impl Store, id: &str) -> Result<Numbered, Error> {
    find(store, id).await?.ok_or_else(|| Error::NoSuchSession(id.into()))
}

/// The stream's session of a number; none if it has not (or never) begun.
pub async fn numbered(
    store: &impl Store,
    stream: &StreamName,
    number: u64,
) -> Result<Option<Session>, Error> {
    let key = key::numbered_session(stream, number);
    let Some(id) = store.get(&key).await? else { return Ok(None) };
    let id = String::from_utf8(id).map_err(|error| Error::Record { key, reason: error.to_string() })?;
    // A begin that was called twice at once has two numbers; the one in its record holds.
    Ok(find(store, &id).await?.filter(|found| found.number == number).map(|found| found.session))
}

/// How many sessions of a stream have begun or are beginning.
pub async fn count(store: &impl Store, stream: &StreamName) -> Result<u64, Error> {
    record::count(store, &key::sessions(stream)).await
}

/// Ends a session; answers how many chunks it holds.
///
/// See [`log::commit`] for why the end is written before the chunks are counted.
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

/// When a session that has not ended last gave a sign of life, Unix milliseconds.
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

/// Since when a session has been found silent that last gave a sign of life at `last_ms`, Unix milliseconds;
/// from now on if it is found so for the first time.
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

/// A changed instruction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The session.
    pub session: String,
    /// Whether its slices are wanted from now on.
    pub record: bool,
    /// When it was changed, Unix milliseconds.
    pub at_ms: u64,
}

/// A gateway is alive; answers the number of its last change and the changes after `since`.
pub async fn heartbeat(
    store: &impl Store,
    gateway: &str,
    since: u64,
    at_ms: u64,
) -> Result<(u64, Vec<Change>), Error> {
    write(store, &key::gateway(gateway), &at_ms).await?;
    let last = record::count(store, &key::changes(gateway)).await?;
    // A gateway that lost count starts again from the last change.
    let since = if since > last { last } else { since };
    let (mut heard, mut changes) = (since, Vec::new());
    for number in since + 1..=last {
        // A number without a change is one that is just being written, or never will be: what comes after it
        // waits until that is certain.
        let Some(change) = read::<Change>(store, &key::change(gateway, number)).await? else { continue };
        if number > heard + 1 && at_ms < change.at_ms + BEGIN_BOUND_MS {
            break;
        }
        heard = number;
        changes.push(change);
    }
    Ok((heard, changes))
}
