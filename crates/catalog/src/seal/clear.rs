//! Deletes from the store what a part holds.

use store::Store;
use store::record::write;

use super::{AFTER_MS, Sealed, sealed, unsealed};
use crate::chunk::Chunk;
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::log::part::{self, Over, Run, Where};
use crate::log::{Kind, StreamDay};
use crate::page::PAGE;
use crate::time::{CALL_MAX_MS, Retention};
use crate::{committed, days, file, key, list, names, session, silence, timer};

/// What could not be sealed is looked at again after this.
const AGAIN_MS: u64 = 3_600_000;

/// Deletes what a part holds, and takes the sessions from the day's list that have nothing more for it, of those that
/// were noted up to a number when the part was written.
pub(crate) async fn clear(
    store: &impl Store,
    bucket: &impl WorkBucket,
    at: StreamDay<'_>,
    (part, noted): (u32, u64),
    retention: Retention,
    now_ms: u64,
) -> Result<(), Error> {
    let StreamDay { stream, day } = at;
    let mut is_any_over = false;
    if at.is_marked(store, Kind::Sessions, part).await? {
        for run in part::read(bucket, at, part).await? {
            is_any_over |= run.over.is_some();
            clear_run(store, &run, Where { day, part }).await?;
        }
        timer::set(store, at.end_ms() + retention.sessions_ms, &format!("k {stream} {day}")).await?;
    }
    let list = days::sessions_of(at);
    let mut is_any_left = false;
    for (number, id) in list::entries(store, &list, now_ms).await? {
        if number <= noted && is_settled(store, &id, at).await? {
            list::delete(store, &list, number).await?;
        } else {
            is_any_left = true;
        }
    }
    if is_any_left {
        timer::set(store, now_ms + AGAIN_MS, &format!("s {stream} {day}")).await?;
    } else {
        list::pass(store, &list, noted).await?;
    }
    if is_any_over {
        // Other ticks that clear the same part began before this one was settled.
        timer::set(store, now_ms + 3 * CALL_MAX_MS, &format!("r {stream} {day} {part}")).await?;
    }
    Ok(())
}

/// Whether a session has nothing more to be sealed in a day.
async fn is_settled(store: &impl Store, id: &str, at: StreamDay<'_>) -> Result<bool, Error> {
    if session::find(store, id).await?.is_none() {
        return Ok(true);
    }
    if session::adopted(store, id).await?.is_none() {
        return Ok(false);
    }
    // A session that has ended is noted in the day of its end, and is over there.
    let end = session::ended(store, id).await?;
    if end.is_some_and(|end| end.ended_ms < at.end_ms()) {
        return Ok(false);
    }
    let first = sealed(store, id).await?.map_or(0, |sealed| sealed.next);
    let length = committed::length(store, id).await?;
    let left = unsealed(store, id, first, length, at.end_ms()).await?;
    Ok(!left.chunks.iter().any(|chunk| matches!(chunk, Chunk::Slice(_))))
}

async fn clear_run(store: &impl Store, run: &Run, at: Where) -> Result<(), Error> {
    let id = &run.session.id;
    let Some(over) = &run.over else {
        committed::raise_head(store, id, run.next()).await?;
        return delete_chunks(store, run, run.next().saturating_sub(1)).await;
    };
    let Some(known) = sealed(store, id).await?.filter(|sealed| sealed.at == at && sealed.is_held) else {
        return Ok(());
    };
    if committed::length(store, id).await? > run.next() {
        // A chunk was on its way when the session was found to be over.
        return Ok(write(store, &key::sealed(id), &Sealed { is_held: false, ..known }).await?);
    }
    delete_session(store, run, over).await
}

/// Deletes the records of a run's chunks before one, and that of the chunk before the run.
async fn delete_chunks(store: &impl Store, run: &Run, before: u64) -> Result<(), Error> {
    let id = &run.session.id;
    let first = run.first.saturating_sub(1);
    // Others than the last of a page are there for the last few chunks alone.
    let recent = run.next().saturating_sub(PAGE + 1);
    for seq in (first..before).filter(|seq| (seq + 1).is_multiple_of(PAGE) || *seq >= recent || *seq == first)
    {
        store.delete(&key::chunk(id, seq)).await?;
    }
    for (seq, chunk) in run.numbered() {
        if chunk.has_own_name() {
            names::forget_slice(store, id, seq).await?;
        }
    }
    Ok(())
}

/// Deletes a session: first that by which it is found, so that nothing is added to it meanwhile.
async fn delete_session(store: &impl Store, run: &Run, over: &Over) -> Result<(), Error> {
    let id = &run.session.id;
    store.delete(&key::session(id)).await?;
    delete_chunks(store, run, run.next()).await?;
    silence::forget(store, id).await?;
    for files in 0..=over.files + 1 {
        store.delete(&key::confirmed(id, files)).await?;
    }
    if over.continued.is_none() {
        file::forget(store, &run.session, &run.adopted.recording, &over.next_files).await?;
    }
    for key in [
        key::adopted(id),
        key::continued(id),
        key::head(id),
        key::end(id),
        key::orders(id),
        key::break_look(id),
        key::flag(id),
    ] {
        store.delete(&key).await?;
    }
    Ok(())
}

/// Lets chunks come again for the sessions of a part that are over.
pub(crate) async fn release(
    store: &impl Store,
    bucket: &impl WorkBucket,
    at: StreamDay<'_>,
    part: u32,
) -> Result<(), Error> {
    let place = Where { day: at.day, part };
    for run in part::read(bucket, at, part).await? {
        let id = &run.session.id;
        let Some(known) = sealed(store, id).await?.filter(|sealed| sealed.at == place && sealed.is_held)
        else {
            continue;
        };
        // A session that was over before is found by this key.
        if run.is_revived {
            write(store, &key::sealed(id), &Sealed { is_held: false, ..known }).await?;
        } else {
            store.delete(&key::sealed(id)).await?;
        }
    }
    Ok(())
}

const _: () = assert!(AFTER_MS > CALL_MAX_MS);
