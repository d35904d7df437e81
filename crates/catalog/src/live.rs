//! Live sessions: adopted, not ended, and not suspended.

use std::cell::RefCell;

use store::{Store, counter};

use crate::changes;
use crate::command::{self, Refusal};
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::log::StreamDay;
use crate::order::Cause;
use crate::session::{self, Session};
use crate::stream::StreamName;
use crate::time::CALL_MAX_MS;
use crate::{days, key, list, silence, timer};

/// The sessions of a stream that are being pushed, oldest first.
///
/// # Errors
/// The store failed.
pub async fn of_stream(store: &impl Store, stream: &StreamName, now_ms: u64) -> Result<Vec<Session>, Error> {
    live(store, &key::live_of_stream(&stream.key()), now_ms).await
}

/// The sessions of a domain that are being pushed, oldest first.
///
/// # Errors
/// The store failed.
pub async fn of_domain(store: &impl Store, domain: &str, now_ms: u64) -> Result<Vec<Session>, Error> {
    live(store, &key::live_of_domain(domain), now_ms).await
}

/// The sessions of a gateway, by its key, that have not ended, suspended ones included.
pub(crate) async fn of_gateway(
    store: &impl Store,
    gateway: &str,
    now_ms: u64,
) -> Result<Vec<Session>, Error> {
    not_ended(store, &key::live_of_gateway(gateway), now_ms).await
}

/// The sessions of a stream that have not ended, suspended ones included.
pub(crate) async fn not_ended_of_stream(
    store: &impl Store,
    stream: &StreamName,
    now_ms: u64,
) -> Result<Vec<Session>, Error> {
    not_ended(store, &key::live_of_stream(&stream.key()), now_ms).await
}

/// Whether a gateway, by its key, has a session that has not ended.
pub(crate) async fn has_any(store: &impl Store, gateway: &str, now_ms: u64) -> Result<bool, Error> {
    list::has_any(store, &key::live_of_gateway(gateway), now_ms, async |id| is_gone(store, id).await).await
}

/// Has the lists that an ended session was in forget some of what has ended.
pub(crate) async fn tidy(store: &impl Store, session: &Session, now_ms: u64) -> Result<(), Error> {
    let Session { stream, .. } = session;
    for list in [
        key::live_of_stream(&stream.key()),
        key::live_of_domain(&stream.domain),
        key::live_of_gateway(&session.gateway_key()),
    ] {
        list::tidy(store, &list, now_ms, async |id| is_gone(store, id).await).await?;
    }
    Ok(())
}

/// Whether a stream, by its key, has a session that has not ended.
pub(crate) async fn has_any_of_stream(store: &impl Store, stream: &str, now_ms: u64) -> Result<bool, Error> {
    let list = key::live_of_stream(stream);
    list::has_any(store, &list, now_ms, async |id| is_gone(store, id).await).await
}

/// Forgets a stream, by its key, that has not been pushed for long. A push that begins just now may be forgotten with it,
/// until it is [recalled](recall_stream).
pub(crate) async fn forget_stream(store: &impl Store, stream: &str) -> Result<(), Error> {
    list::remove(store, &key::live_of_stream(stream)).await?;
    store.delete(&key::last_ended(stream)).await?;
    // Last, since a call that dies before is made again only for a stream that is known.
    Ok(store.delete(&key::known(stream)).await?)
}

/// Puts the sessions of a stream, by its key, that began these days and have not ended where they are found from. A
/// session is noted in its day before it is in any other list.
pub(crate) async fn recall_stream(store: &impl Store, stream: &str, now_ms: u64) -> Result<(), Error> {
    let today = days::day(now_ms);
    // Other hosts' clocks may be ahead, and a session may begin before midnight and be adopted after it.
    for day in today.saturating_sub(1)..=today + 1 {
        let noted = list::all(store, &days::sessions_of(StreamDay { stream, day })).await?;
        if !noted.is_empty() {
            // It may have ended meanwhile: the stream is known all the same, and forgotten with this day.
            days::note_pushed(store, stream, day).await?;
        }
        for id in noted {
            if !is_gone(store, &id).await? {
                list::append(store, &key::live_of_stream(stream), &id).await?;
            }
        }
    }
    Ok(())
}

/// Whether anything is known of a stream: it was pushed within retention.
///
/// # Errors
/// The store failed.
pub async fn is_known(store: &impl Store, stream: &StreamName) -> Result<bool, Error> {
    Ok(store.exists(&key::known(&stream.key())).await?)
}

/// Gives a command to every live recording of a stream; refused if none of them can take it. Their gateways hear of
/// it with their next heartbeats, also if this call dies in between.
///
/// `call` names the call, and is new for each.
///
/// # Errors
/// The store or the work bucket failed, and the command may be given all the same.
pub async fn give(
    store: &impl Store,
    bucket: &impl WorkBucket,
    stream: &StreamName,
    cause: Cause,
    call: &str,
    now_ms: u64,
) -> Result<Result<(), Refusal>, Error> {
    let mut outcome = Err(Refusal::NotPushed);
    for session in of_stream(store, stream, now_ms).await? {
        let given = give_one(store, bucket, &session, cause, call, now_ms).await?;
        if outcome.is_err() {
            outcome = given;
        }
    }
    Ok(outcome)
}

async fn give_one(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
    cause: Cause,
    call: &str,
    now_ms: u64,
) -> Result<Result<(), Refusal>, Error> {
    timer::set(store, now_ms + CALL_MAX_MS, &format!("o {}", session.id)).await?;
    if cause == Cause::Stop {
        timer::set(store, now_ms + session.delay_ms(), &format!("p {}", session.id)).await?;
    }
    let given = command::give(store, bucket, session, cause, call, now_ms).await?;
    if given.is_ok() && cause == Cause::Stop {
        // This call may have stalled for longer than the pause may last.
        timer::set(store, now_ms + session.delay_ms(), &format!("p {}", session.id)).await?;
        if session.tells_status {
            timer::set(store, now_ms, &format!("u {}", session.id)).await?;
        }
    }
    // A command that is refused may have been given by a call that died before this.
    changes::notify(store, &session.gateway_key(), &session.id).await?;
    Ok(given)
}

async fn live(store: &impl Store, list: &str, now_ms: u64) -> Result<Vec<Session>, Error> {
    let mut live = Vec::new();
    for session in not_ended(store, list, now_ms).await? {
        if !is_suspended(store, &session).await? {
            live.push(session);
        }
    }
    Ok(live)
}

/// The adopted sessions of a list that have not ended, oldest first. Those that have are removed.
async fn not_ended<S: Store>(store: &S, list: &str, now_ms: u64) -> Result<Vec<Session>, Error> {
    let found: RefCell<Vec<Session>> = RefCell::default();
    let is_gone = async |id: &str| {
        let Some(session) = session::find(store, id).await? else { return Ok(true) };
        let has_ended = has_ended(store, id).await?;
        if !has_ended {
            found.borrow_mut().push(session);
        }
        Ok(has_ended)
    };
    list::values(store, list, now_ms, is_gone).await?;
    let mut sessions = found.into_inner();
    sessions.sort_by(|a, b| (a.began_ms, &a.id).cmp(&(b.began_ms, &b.id)));
    sessions.dedup_by(|a, b| a.id == b.id);
    let mut adopted = Vec::new();
    for session in sessions {
        if session::adopted(store, &session.id).await?.is_some() {
            adopted.push(session);
        }
    }
    Ok(adopted)
}

/// Whether a session has expired or ended.
async fn is_gone(store: &impl Store, id: &str) -> Result<bool, Error> {
    Ok(!store.exists(&key::session(id)).await? || has_ended(store, id).await?)
}

async fn has_ended(store: &impl Store, id: &str) -> Result<bool, Error> {
    Ok(session::is_flagged(store, id).await? && session::ended(store, id).await?.is_some())
}

/// Whether a session's files are closed, and its gateway has been silent since.
pub(crate) async fn is_suspended(store: &impl Store, session: &Session) -> Result<bool, Error> {
    if !session::is_flagged(store, &session.id).await? {
        return Ok(false);
    }
    let Some(silence) = silence::closed(store, &session.id).await? else { return Ok(false) };
    Ok(counter::value(store, &key::heartbeats(&session.gateway_key())).await? == silence.heartbeats)
}
