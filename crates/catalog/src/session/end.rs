//! The end of a session.

use store::Store;
use store::record::{read, write};

use super::{Continuation, End, Session, adopt, find, flag};
use crate::decision::{self, WorkBucket};
use crate::error::Error;
use crate::time::{CALL_MAX_MS, DAY_MS};
use crate::{command, committed, days, guard, heard, key, timer};

/// A gateway tells an end later than this only after an outage, unless clocks differ.
const PROMPT_MS: u64 = 90_000;

/// Notes that a push ended, so long ago by its gateway's clock; answers its end, which is the first one told.
///
/// # Errors
/// [`Error::NoSuchSession`]; the store or the work bucket failed.
pub async fn end(
    store: &impl Store,
    bucket: &impl WorkBucket,
    id: &str,
    ended_ago_ms: u64,
    duration_ms: u64,
    chunks: u64,
    now_ms: u64,
) -> Result<End, Error> {
    let Some(session) = find(store, id).await? else {
        // It is over: the end that was told first is all that is left.
        let end = decision::find(bucket, &decision_name(id)).await?;
        return end.ok_or_else(|| Error::NoSuchSession(id.into()));
    };
    let heard_for_ms = heard::heard_for_ms(store, &session, now_ms).await?;
    let ended_ms = session.began_ms + duration_ms;
    let end = End { ended_ms, chunks, noted_ms: now_ms, ended_ago_ms, heard_for_ms, is_told: true };
    let end = decide(store, bucket, &session, end, now_ms, now_ms).await?;
    // An order that has taken effect closes the file without a break.
    timer::set(store, now_ms, &format!("c {id}")).await?;
    Ok(end)
}

/// Ends a session that its gateway will not end any more, at its last committed media.
///
/// A chunk may be on its way: the break is closed once its commit is over.
pub(crate) async fn end_at_last(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
    now_ms: u64,
) -> Result<End, Error> {
    let ended_ms = committed::last_media_ms(store, session).await?;
    let chunks = committed::length(store, &session.id).await?;
    let heard_for_ms = heard::heard_for_ms(store, session, now_ms).await?;
    let end = End { ended_ms, chunks, noted_ms: now_ms, ended_ago_ms: 0, heard_for_ms, is_told: false };
    decide(store, bucket, session, end, now_ms + CALL_MAX_MS, now_ms).await
}

/// Decides and notes an end. The break after it is looked at from `earliest_ms` on.
async fn decide(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
    end: End,
    earliest_ms: u64,
    now_ms: u64,
) -> Result<End, Error> {
    let id = &session.id;
    adopt(store, bucket, session, now_ms).await?;
    let end: End = decision::decide(bucket, &decision_name(id), &end).await?;
    note(store, bucket, session, end, earliest_ms, now_ms).await?;
    Ok(end)
}

/// Notes an end that is decided, and has the break after it looked at.
pub(super) async fn note(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
    end: End,
    earliest_ms: u64,
    now_ms: u64,
) -> Result<(), Error> {
    let id = &session.id;
    // In the day of its begin it is noted already, unless that is sealed by now.
    let (began, ended) = (days::day(session.began_ms), days::day(end.ended_ms));
    if ended != began || now_ms >= (began + 1) * DAY_MS {
        days::note_session(store, &session.stream, ended, id, now_ms).await?;
    }
    let is_prompt = now_ms.abs_diff(end.ended_ms) <= PROMPT_MS;
    let from_ms = if is_prompt {
        // A push that ends while it is stopped has been away since then.
        command::paused_at(store, bucket, session, &end).await?.unwrap_or(end.ended_ms)
    } else {
        end.ended_ms.max(now_ms)
    };
    let due_ms = earliest_ms.max(from_ms + session.delay_ms());
    // Nobody repeats an end that is noted, wherever this call dies; a timer that fires before is one that finds nothing, as
    // that of a clock that is behind may.
    let is_over_ms = now_ms + CALL_MAX_MS;
    let look = format!("b {id} {due_ms}");
    timer::set(store, due_ms.max(is_over_ms), &look).await?;
    if session.tells_status {
        timer::set(store, is_over_ms, &format!("u {id}")).await?;
    }
    flag(store, id).await?;
    write(store, &key::end(id), &end).await?;
    write(store, &key::last_ended(&session.stream.key()), &Continuation { session: id.clone() }).await?;
    timer::set(store, due_ms, &look).await?;
    if session.tells_status {
        timer::set(store, now_ms, &format!("u {id}")).await?;
    }
    if guard::may_lack(store, session.began_ms).await? && committed::length(store, id).await? < end.chunks {
        timer::set(store, now_ms, &format!("n {id}")).await?;
    }
    Ok(())
}

/// Puts back the end of a session that comes back; answers whether it has ended.
pub(crate) async fn restore(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
    now_ms: u64,
) -> Result<bool, Error> {
    let Some(end) = decided_end(bucket, &session.id).await? else { return Ok(false) };
    // How long its gateway is heard counts anew in a new store.
    let end = End { heard_for_ms: None, ..end };
    let last_key = key::last_ended(&session.stream.key());
    let last: Option<Continuation> = read(store, &last_key).await?;
    note(store, bucket, session, end, now_ms, now_ms).await?;
    timer::set(store, now_ms, &format!("c {}", session.id)).await?;
    if let Some(last) = last
        && ended(store, &last.session).await?.is_some_and(|other| other.ended_ms > end.ended_ms)
    {
        write(store, &last_key, &last).await?;
    }
    Ok(true)
}

/// A session's end, by the work bucket alone.
pub(crate) async fn decided_end(bucket: &impl WorkBucket, id: &str) -> Result<Option<End>, Error> {
    decision::find(bucket, &decision_name(id)).await
}

/// The decision on the end of a session.
pub(super) fn decision_name(id: &str) -> String {
    format!("decision/end/{id}")
}

/// A session's end, if it has ended.
///
/// # Errors
/// The store failed.
pub async fn ended(store: &impl Store, id: &str) -> Result<Option<End>, Error> {
    Ok(read(store, &key::end(id)).await?)
}
