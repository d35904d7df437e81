//! Deletes from the store what a part holds.

use store::Store;
use store::record::write;

use super::{RELEASE_MS, WAIT_MS, note_sealed, retention, unsealed};
use crate::chunk::Chunk;
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::log::part::{self, Over, Run, Where};
use crate::log::{Kind, StreamDay};
use crate::page::PAGE;
use crate::sealed::{Sealed, sealed};
use crate::time::{DAY_MS, Retention};
use crate::{committed, days, file, key, list, names, session, silence, timer};

/// What could not be sealed is looked at again after an eighth of the day's age, within these bounds. Unit: ms.
const AGAIN_MS: (u64, u64) = (3_600_000, DAY_MS);

/// Where clearing stands: which part, if there is one; up to which number sessions were noted in the day's list when
/// the part was written; and how often it was waited.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clearing {
    pub(crate) part: Option<u32>,
    pub(crate) noted: u64,
    pub(crate) waits: u64,
}

/// Notes how far sessions are sealed, waits twice, and then [deletes](delete).
pub(crate) async fn clear(
    store: &impl Store,
    bucket: &impl WorkBucket,
    at: StreamDay<'_>,
    clearing: Clearing,
    kept: Retention,
    now_ms: u64,
) -> Result<(), Error> {
    let Clearing { part, noted, waits } = clearing;
    if waits >= 2 {
        return delete(store, bucket, at, clearing, kept, now_ms).await;
    }
    let mut word = "none".to_owned();
    if let Some(part) = part {
        if !at.is_marked(store, Kind::Sessions, part).await? {
            // Its seal is tried again, and sets another timer.
            return Ok(());
        }
        if waits == 0 {
            for run in part::read(bucket, at, part).await? {
                note_sealed(store, &run, Where { day: at.day, part }).await?;
            }
        }
        word = part.to_string();
    }
    // Set once everything is noted: where this call dies before, the wait begins anew.
    let StreamDay { stream, day } = at;
    timer::set(store, now_ms + WAIT_MS, &format!("d {stream} {day} {word} {noted} {}", waits + 1)).await
}

/// Deletes what a part holds, and takes the sessions from the day's list that have nothing more for it.
async fn delete(
    store: &impl Store,
    bucket: &impl WorkBucket,
    at: StreamDay<'_>,
    Clearing { part, noted, .. }: Clearing,
    kept: Retention,
    now_ms: u64,
) -> Result<(), Error> {
    let StreamDay { stream, day } = at;
    if let Some(part) = part {
        let runs = part::read(bucket, at, part).await?;
        for run in &runs {
            clear_run(store, run, Where { day, part }).await?;
        }
        if runs.iter().any(|run| run.over.is_some()) {
            // Other ticks that clear the same part at this moment are over by then.
            timer::set(store, now_ms + RELEASE_MS, &format!("r {stream} {day} {part}")).await?;
        }
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
    if !is_any_left {
        if part.is_none() && !at.is_marked(store, Kind::Sessions, 0).await? {
            // It has no part: its list is to be forgotten all the same.
            retention::forget_later(store, at, kept).await?;
        }
        return list::pass(store, &list, noted).await;
    }
    let (shortest_ms, longest_ms) = AGAIN_MS;
    let again_ms = (now_ms.saturating_sub(at.end_ms()) / 8).clamp(shortest_ms, longest_ms);
    timer::set(store, now_ms + again_ms, &format!("s {stream} {day}")).await
}

/// Whether a session has nothing more to be sealed in a day.
async fn is_settled(store: &impl Store, id: &str, at: StreamDay<'_>) -> Result<bool, Error> {
    if session::find(store, id).await?.is_none() {
        return Ok(true);
    }
    if session::adopted(store, id).await?.is_none() {
        return Ok(false);
    }
    // A session that has ended is noted in the day of its end. It stays in that day's list until it is over.
    let end = session::ended(store, id).await?;
    if end.is_some_and(|end| end.ended_ms < at.end_ms()) {
        return Ok(false);
    }
    let first = sealed(store, id).await?.map_or(0, |sealed| sealed.next);
    let length = committed::length(store, id).await?;
    let left = unsealed(store, id, first, length, at.end_ms()).await?;
    Ok(!left.chunks.iter().any(|chunk| matches!(chunk, Chunk::Slice(_))))
}

/// Deletes what a run holds: the session, where it is over by this part, or else the chunks before its last one.
async fn clear_run(store: &impl Store, run: &Run, at: Where) -> Result<(), Error> {
    let id = &run.session.id;
    let known = sealed(store, id).await?.filter(|sealed| sealed.next >= run.next());
    let held = known.filter(|sealed| sealed.at == at && sealed.is_held);
    if let Some((over, held)) = run.over.as_ref().zip(held) {
        let is_first = match &run.adopted.continues {
            Some(before) => session::find(store, before).await?.is_none(),
            None => true,
        };
        if is_first && committed::length(store, id).await? <= run.next() {
            return delete_session(store, run, over).await;
        }
        // A chunk was on its way when the session was found to be over, or the one that it continues is still there: a
        // later part has it once more.
        write(store, &key::sealed(id), &Sealed { is_held: false, ..held }).await?;
    }
    // A later part may have been cleared before this one, and the session is gone with it: its chunks here are left over.
    if session::find(store, id).await?.is_some() {
        if known.is_none() {
            return Ok(());
        }
        committed::raise_head(store, id, run.next()).await?;
        if session::find(store, id).await?.is_none() {
            // Another call that clears it has deleted it meanwhile.
            store.delete(&key::head(id)).await?;
        }
    }
    delete_chunks(store, run, run.next().saturating_sub(1)).await
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

/// Deletes a session. Its first record goes first: without it no call finds the session and adds to it.
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
        store.delete(&key::told(&run.adopted.recording)).await?;
    }
    for key in [
        key::adopted(id),
        key::continued(id),
        key::head(id),
        key::end(id),
        key::given_up(id),
        key::orders(id),
        key::denied(id),
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
