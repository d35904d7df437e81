//! Heartbeats: what a gateway tells, and what it has not heard of.

use store::{Store, counter};

use crate::command;
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::file::{self, Confirmed};
use crate::heard::{self, Boot};
use crate::order::Order;
use crate::session::{self, Session};
use crate::time::DAY_MS;
use crate::{changes, denial, event, key, live, timer};

pub use crate::heard::check_boot;

/// A gateway's heartbeat.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beat {
    /// Its name.
    pub gateway: String,
    /// Its spool, and how often a gateway was started on it.
    pub boot: String,
    /// What the last answer said; `None`: from now.
    pub since: Option<u64>,
    /// Age of the oldest begin, adoption or end that was not answered yet; 0 if there is none.
    pub told_ms: u64,
    /// Sessions that it adopted.
    pub adopted: Vec<String>,
    /// Sessions of earlier boots whose end is not answered yet.
    pub holds: Vec<String>,
    /// Orders that took effect, with their sessions.
    pub confirmed: Vec<(String, Confirmed)>,
}

/// What a gateway has not heard of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// To be sent with the next heartbeat.
    pub since: u64,
    /// Sessions with all their orders.
    pub sessions: Vec<(Session, Vec<Order>)>,
    /// Those of them whose pushes are to end, by id, and why.
    pub denied: Vec<(String, String)>,
}

/// Takes a heartbeat.
///
/// # Errors
/// [`Error::Boot`]; the store or the work bucket failed.
pub async fn beat(
    store: &impl Store,
    bucket: &impl WorkBucket,
    beat: &Beat,
    now_ms: u64,
) -> Result<Changes, Error> {
    let (boot, heard) = heard::checked(store, &beat.gateway, &beat.boot, now_ms).await?;
    let gateway = key::gateway(&beat.gateway, &beat.boot);
    counter::add(store, &key::heartbeats(&gateway), 1).await?;
    adopt(store, bucket, beat, now_ms).await?;
    confirm(store, beat, now_ms).await?;
    if heard.spool != boot.spool || heard.boot != boot.number {
        end_earlier_boots(store, bucket, beat, &boot, now_ms).await?;
    }
    if heard.was_silent(now_ms) {
        timer::set(store, now_ms, &format!("g {gateway}")).await?;
    }
    // What was told before a gateway was heard first is another store's number.
    let (ids, since, heard_of, hole) = match beat.since.filter(|_| heard.heard_ms > 0) {
        Some(since) => {
            let news = changes::after(store, &gateway, since, heard.hole, now_ms).await?;
            (news.sessions, news.since, news.heard, news.hole)
        }
        None => {
            let since = changes::count(store, &gateway).await?;
            (changed(store, &gateway, &beat.boot, now_ms).await?, since, 0, None)
        }
    };
    let sessions = with_orders(store, bucket, &ids, now_ms).await?;
    let mut denied = Vec::new();
    for (session, _) in &sessions {
        let reason = denial::reason(store, &session.id, now_ms).await?;
        denied.extend(reason.map(|reason| (session.id.clone(), reason)));
        // Its adoption was completed after this boot had told what it holds.
        if is_left_out(beat, &boot, session) && session::ended(store, &session.id).await?.is_none() {
            session::end_at_last(store, bucket, session, now_ms).await?;
        }
    }
    let mut heard = heard.after(&boot, beat.told_ms, now_ms);
    heard.hole = hole;
    heard.deleted = changes::forget(store, &gateway, heard.deleted, heard_of).await?;
    heard::note(store, &beat.gateway, &heard).await?;
    Ok(Changes { since, sessions, denied })
}

async fn adopt(store: &impl Store, bucket: &impl WorkBucket, beat: &Beat, now_ms: u64) -> Result<(), Error> {
    for id in &beat.adopted {
        let session = session::find(store, id).await?;
        let Some(session) = session.filter(|session| session.gateway == beat.gateway) else { continue };
        match session::adopt(store, bucket, &session, now_ms).await {
            // Its end may have come before, which adopts it as well, or the call that adopted it may have died.
            Ok(_) => event::note_unanswered(store, bucket, &session, now_ms).await?,
            // It has expired: its chunks are answered so, too.
            Err(Error::NoSuchSession(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Notes which orders took effect, and has the files that they close looked at.
async fn confirm(store: &impl Store, beat: &Beat, now_ms: u64) -> Result<(), Error> {
    for (session, confirmed) in &beat.confirmed {
        // One of an earlier day may be over: nothing is noted for it any more.
        let is_old = naming::session_day_ms(session).is_none_or(|day_ms| day_ms + DAY_MS <= now_ms);
        if is_old && session::find(store, session).await?.is_none() {
            continue;
        }
        file::confirm(store, session, *confirmed).await?;
        timer::set(store, now_ms, &format!("c {session}")).await?;
    }
    Ok(())
}

/// Ends the sessions of the spool's earlier boots that the gateway will not end any more.
async fn end_earlier_boots(
    store: &impl Store,
    bucket: &impl WorkBucket,
    beat: &Beat,
    boot: &Boot,
    now_ms: u64,
) -> Result<(), Error> {
    for session in live::of_gateway(store, &key::gateway(&beat.gateway, &beat.boot), now_ms).await? {
        if is_left_out(beat, boot, &session) {
            session::end_at_last(store, bucket, &session, now_ms).await?;
        }
    }
    Ok(())
}

/// Whether a session is of an earlier boot of the spool, and the gateway does not hold it.
fn is_left_out(beat: &Beat, boot: &Boot, session: &Session) -> bool {
    boot.is_after(&session.boot) && !beat.holds.contains(&session.id)
}

/// The live sessions of a boot that were commanded, or whose pushes are to end: that may have come before the boot was first
/// answered.
async fn changed(store: &impl Store, gateway: &str, boot: &str, now_ms: u64) -> Result<Vec<String>, Error> {
    let mut changed = Vec::new();
    for session in live::of_gateway(store, gateway, now_ms).await? {
        if session.boot == boot
            && (store.exists(&key::orders(&session.id)).await?
                || store.exists(&key::denied(&session.id)).await?)
        {
            changed.push(session.id);
        }
    }
    Ok(changed)
}

/// Sessions with all their orders. What was given holds, though the clock of the host that took it may be ahead.
async fn with_orders(
    store: &impl Store,
    bucket: &impl WorkBucket,
    ids: &[String],
    now_ms: u64,
) -> Result<Vec<(Session, Vec<Order>)>, Error> {
    let mut sessions = Vec::new();
    for id in ids {
        if let Some(session) = session::find(store, id).await? {
            let mut orders = command::orders(store, bucket, &session).await?;
            for order in orders.iter_mut().filter(|order| order.cause.holds_at_once()) {
                order.at_ms = order.at_ms.min(now_ms);
            }
            sessions.push((session, orders));
        }
    }
    Ok(sessions)
}
