//! Deletes what is older than it has to be kept.

use store::Store;

use crate::decision::{self, WorkBucket};
use crate::error::Error;
use crate::log::part::{self, Over, Where};
use crate::log::{Kind, StreamDay};
use crate::sealed::sealed;
use crate::session::Session;
use crate::time::{CALL_MAX_MS, Retention};
use crate::{command, days, key, list, live, session, silence, status, timer, upload};

/// What waits for something to be sealed is looked at again after this.
const AGAIN_MS: u64 = 3_600_000;

/// Has a day forgotten once it need not be kept. To be set before the mark of its first part, so that no day is sealed
/// without it: the timer is in the store for as long as the day, and one is enough for all of its parts.
pub(crate) async fn forget_later(
    store: &impl Store,
    at: StreamDay<'_>,
    retention: Retention,
) -> Result<(), Error> {
    let StreamDay { stream, day } = at;
    timer::set(store, at.end_ms() + retention.sessions_ms, &format!("k {stream} {day}")).await
}

/// Deletes the parts of a stream's day, with the objects of the sessions that were over in it.
pub(crate) async fn forget(
    store: &impl Store,
    bucket: &impl WorkBucket,
    at: StreamDay<'_>,
    retention: Retention,
    now_ms: u64,
) -> Result<(), Error> {
    let due_ms = at.end_ms() + retention.sessions_ms;
    let StreamDay { stream, day } = at;
    if now_ms < due_ms {
        // They are kept for longer than when the timer was set.
        return forget_later(store, at, retention).await;
    }
    let list = days::sessions_of(at);
    for (_, id) in list::entries(store, &list, now_ms).await? {
        if session::find(store, &id).await?.is_some() {
            // It ended only now, or something came for it: it is sealed first.
            timer::set(store, now_ms, &format!("s {stream} {day}")).await?;
            return timer::set(store, now_ms + AGAIN_MS, &format!("k {stream} {day}")).await;
        }
    }
    // One that was left without its mark comes after the others.
    for part in (0..=at.parts(store, Kind::Sessions).await?).rev() {
        for run in part::read(bucket, at, part).await? {
            let Some(over) = &run.over else { continue };
            let id = &run.session.id;
            // A session that came back after it was over is found by this key, and has its objects until it is over again.
            match sealed(store, id).await? {
                Some(sealed) if sealed.at != (Where { day, part }) => continue,
                Some(_) => store.delete(&key::sealed(id)).await?,
                None => {}
            }
            if session::find(store, id).await?.is_none() {
                delete_objects(bucket, &run.session, over).await?;
            }
        }
        delete(bucket, &at.object(Kind::Sessions, part)).await?;
        at.unmark(store, Kind::Sessions, part).await?;
    }
    list::clear(store, &list, now_ms).await?;
    let forgotten_ms = at.end_ms() + retention.files_ms.max(retention.sessions_ms);
    timer::set(store, forgotten_ms.max(now_ms), &format!("v {stream} {day}")).await
}

/// Deletes what the work bucket holds of a session beside its runs.
async fn delete_objects(bucket: &impl WorkBucket, session: &Session, over: &Over) -> Result<(), Error> {
    let id = &session.id;
    for number in 0..over.commands {
        delete(bucket, &command::entry_name(id, number)).await?;
    }
    for round in 1..=over.rounds {
        delete(bucket, &silence::round_name(id, round)).await?;
    }
    for name in session::object_names(session) {
        delete(bucket, &name).await?;
    }
    if session.rule.is_some() {
        decision::forget(bucket, &upload::decisions(id)).await?;
    }
    status::forget(bucket, session).await
}

pub(crate) async fn delete(bucket: &impl WorkBucket, name: &str) -> Result<(), Error> {
    bucket.delete(name).await.map_err(Error::WorkBucket)
}

/// Forgets a stream of which nothing was noted after a day, and recalls what begins meanwhile: at once, and later, as a call
/// that numbers its session by what is forgotten may take that long.
pub(crate) async fn forget_stream(store: &impl Store, at: StreamDay<'_>, now_ms: u64) -> Result<(), Error> {
    let StreamDay { stream, day } = at;
    let is_last = days::last_day(store, stream).await?.is_some_and(|last| last <= day);
    if is_last && !live::has_any_of_stream(store, stream, now_ms).await? {
        timer::set(store, now_ms + CALL_MAX_MS, &format!("a {stream} {day}")).await?;
        live::forget_stream(store, stream).await?;
        live::recall_stream(store, stream, now_ms).await?;
    }
    Ok(())
}
