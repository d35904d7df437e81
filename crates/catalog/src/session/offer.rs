//! Offers: what a begin answers, until its gateway adopts it.

use store::Store;
use store::record::{read, write};

use super::{Session, break_name, complete, ended, find, get, object_name};
use crate::decision::{self, WorkBucket};
use crate::error::Error;
use crate::heard::check_boot;
use crate::order::Order;
use crate::rule::Rule;
use crate::stream::StreamName;
use crate::time::{OFFER_WAIT_MS, Retention};
use crate::{command, committed, key, timer};

/// What the gateway that saw both pushes says of the break between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    /// The session before.
    pub session: String,
    /// From its last coded frame to the first one of the push. Unit: ms.
    pub gap_ms: u64,
}

/// A chunk that was told lost and is sent again, in a session of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resends {
    /// Its session.
    pub session: String,
    /// Its number there.
    pub seq: u64,
}

/// Offers a session; answers it with the orders that it begins with. It is no part of the stream until its gateway
/// adopts it.
///
/// `session.continues` is found here. Where the push resends a chunk, rule, zone and begin are those of the chunk's
/// own session.
///
/// # Errors
/// [`Error::Boot`]; [`Error::NoSuchSession`] for the one whose chunk is resent; the store or the work bucket failed.
pub async fn offer(
    store: &impl Store,
    bucket: &impl WorkBucket,
    mut session: Session,
    after: Option<&After>,
    resends: Option<&Resends>,
    now_ms: u64,
) -> Result<(Session, Vec<Order>), Error> {
    check_boot(store, &session.gateway, &session.boot, now_ms).await?;
    session.continues = match (&session.rule, resends) {
        (_, Some(resends)) => {
            let old = get(store, bucket, &resends.session).await?;
            (session.rule, session.is_wanted) = (old.rule, old.is_wanted);
            (session.timezone, session.began_ms) = (old.timezone, old.began_ms);
            None
        }
        // What is not recorded from its begin continues nothing: the file before would stay open for as long as the push
        // waits for a command or a window.
        (Some(rule), None) if session.is_recorded_at_begin() => {
            continued_by(store, bucket, &session, rule, after).await?
        }
        _ => None,
    };
    // The tick lets the rest of the hour pass by its own clock.
    timer::set(store, now_ms + OFFER_WAIT_MS, &format!("e {}", session.id)).await?;
    write(store, &key::session(&session.id), &session).await?;
    let orders = session.initial_orders();
    Ok((session, orders))
}

/// The session that a push continues unless another one does: by what its gateway saw of the break, or else the
/// stream's last one by the functions' time, if that has ended.
async fn continued_by(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
    rule: &Rule,
    after: Option<&After>,
) -> Result<Option<String>, Error> {
    let Some((id, gap_ms)) = before(store, session, rule, after).await? else { return Ok(None) };
    let Some(before) = find(store, &id).await? else { return Ok(None) };
    let is_same = before.stream == session.stream && before.rule.as_ref() == Some(rule);
    let is_same_gateway = before.gateway_key() == session.gateway_key();
    if !is_same || !is_same_gateway && !is_over(store, &before.id, session.began_ms).await? {
        return Ok(None);
    }
    // Where the push before ended while it was stopped, the break began with the stop.
    let pause_ms = match ended(store, &before.id).await? {
        Some(end) => {
            let paused_ms = command::paused_at(store, bucket, &before, &end).await?;
            paused_ms.map_or(0, |paused_ms| end.ended_ms - paused_ms)
        }
        None => 0,
    };
    // A gateway names a session that it has adopted, though it may not have told so yet; one that has ended is adopted.
    Ok((gap_ms + pause_ms <= rule.delay_ms()).then_some(before.id))
}

/// Whether a push of another gateway that began then can continue a session: its end was known, so that the two cannot
/// overlap, and its chunks are there, so that the push waits for none that a spool may have lost.
async fn is_over(store: &impl Store, id: &str, began_ms: u64) -> Result<bool, Error> {
    let Some(end) = ended(store, id).await? else { return Ok(false) };
    Ok(end.noted_ms <= began_ms && committed::missing(store, id, &end).await?.is_none())
}

/// The session before, and from its last frame to the push's first one in milliseconds, if that is not too long.
async fn before(
    store: &impl Store,
    session: &Session,
    rule: &Rule,
    after: Option<&After>,
) -> Result<Option<(String, u64)>, Error> {
    if let Some(After { session, gap_ms }) = after {
        return Ok((*gap_ms <= rule.delay_ms()).then(|| (session.clone(), *gap_ms)));
    }
    let Some(id) = last_ended(store, &session.stream).await? else { return Ok(None) };
    // What a chunk may still come to is continued by nobody.
    let Some(end) = ended(store, &id).await?.filter(|end| end.is_told) else { return Ok(None) };
    let gap_ms = session.began_ms.checked_sub(end.ended_ms);
    Ok(gap_ms.filter(|gap_ms| *gap_ms <= rule.delay_ms()).map(|gap_ms| (id, gap_ms)))
}

async fn last_ended(store: &impl Store, stream: &StreamName) -> Result<Option<String>, Error> {
    let last: Option<super::Continuation> = read(store, &key::last_ended(&stream.key())).await?;
    Ok(last.map(|last| last.session))
}

/// Forgets an offer that nobody has adopted. The session's object in the work bucket decides between this and its
/// adoption. An adoption that died on its way is completed: its gateway may have died as well.
pub(crate) async fn expire(
    store: &impl Store,
    bucket: &impl WorkBucket,
    id: &str,
    retention: Retention,
    now_ms: u64,
) -> Result<(), Error> {
    match decision::decide::<Option<Session>>(bucket, &object_name(id), &None).await? {
        Some(session) => complete(store, bucket, &session, now_ms).await,
        None => {
            let wish = find(store, id).await?.and_then(|session| session.wish_name()).unwrap_or_default();
            timer::set(store, now_ms + retention.sessions_ms, format!("q {id} {wish}").trim_end()).await?;
            Ok(store.delete(&key::session(id)).await?)
        }
    }
}

/// Deletes what decided that an offer has expired, the wish for its push, and what was decided on the break after it: a push
/// of which the functions heard more may come after one of which they never did. Another offer of the push goes by the same
/// wish, but nobody asks for it any more.
pub(crate) async fn forget_offer(
    bucket: &impl WorkBucket,
    id: &str,
    wish: Option<&str>,
) -> Result<(), Error> {
    if let Some(wish) = wish {
        bucket.delete(wish).await.map_err(Error::WorkBucket)?;
    }
    bucket.delete(&break_name(id)).await.map_err(Error::WorkBucket)?;
    bucket.delete(&object_name(id)).await.map_err(Error::WorkBucket)
}
