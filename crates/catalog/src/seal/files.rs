//! Sealing of record files and indexes: as that of sessions, with the timers `i`, `j` and `l` in the places of `s`, `d`
//! and `k`. A file is in the parts of all days that its content touches; its record leaves the store with the last one.

use store::Store;
use store::record::read;

use super::retention::delete;
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::log::{Kind, StreamDay};
use crate::stored_file::{self, Stored};
use crate::time::{CALL_MAX_MS, Retention};
use crate::{list, timer};

/// What could not be sealed is looked at again after this.
const AGAIN_MS: u64 = 1_200_000;

/// Seals the files of a stream's day.
pub(crate) async fn seal(
    store: &impl Store,
    bucket: &impl WorkBucket,
    at: StreamDay<'_>,
    retention: Retention,
    now_ms: u64,
) -> Result<(), Error> {
    let StreamDay { stream, day } = at;
    let again = format!("i {stream} {day}");
    if now_ms < at.end_ms() {
        return timer::set(store, at.seal_due_ms(now_ms), &again).await;
    }
    let noted = list::entries(store, &stored_file::list_of(at), now_ms).await?;
    let Some((last, _)) = noted.last() else { return Ok(()) };
    let mut files: Vec<Stored> = Vec::new();
    for (_, id) in &noted {
        let stored: Option<Stored> = read(store, &stored_file::key(stream, id)).await?;
        files.extend(stored.filter(|new| files.iter().all(|known| known.file.id != new.file.id)));
    }
    // A file's record leaves the store with its last day, so the days before have to be sealed first. Who puts a file
    // into the lists begins with its first day, so what was read here stands in that list, too.
    let earlier = StreamDay { stream, day: day - 1 };
    if !list::entries(store, &stored_file::list_of(earlier), now_ms).await?.is_empty() {
        timer::set(store, now_ms, &format!("i {stream} {}", earlier.day)).await?;
        return timer::set(store, now_ms + AGAIN_MS, &again).await;
    }
    let part = at.parts(store, Kind::Files).await?;
    let name = at.object(Kind::Files, part);
    let bytes = stored_file::encode(&name, &files)?;
    bucket.create_or_read(&name, &bytes).await.map_err(Error::WorkBucket)?;
    timer::set(store, now_ms + 2 * CALL_MAX_MS, &format!("j {stream} {day} {part} {last}")).await?;
    if part == 0 {
        forget_later(store, at, retention).await?;
    }
    at.mark(store, Kind::Files, part).await
}

/// As [`retention::forget_later`].
pub(crate) async fn forget_later(
    store: &impl Store,
    at: StreamDay<'_>,
    retention: Retention,
) -> Result<(), Error> {
    let StreamDay { stream, day } = at;
    timer::set(store, at.end_ms() + retention.files_ms, &format!("l {stream} {day}")).await
}

/// Deletes what a part holds, and takes from the day's list what was noted up to a number when the part was written.
pub(crate) async fn clear(
    store: &impl Store,
    bucket: &impl WorkBucket,
    at: StreamDay<'_>,
    (part, noted): (u32, u64),
    now_ms: u64,
) -> Result<(), Error> {
    let StreamDay { stream, day } = at;
    if !at.is_marked(store, Kind::Files, part).await? {
        // Its seal is tried again, and sets another timer.
        return Ok(());
    }
    let sealed = stored_file::read_part(bucket, at, part).await?;
    let list = stored_file::list_of(at);
    let mut is_any_left = false;
    for (number, id) in list::entries(store, &list, now_ms).await? {
        let key = stored_file::key(stream, &id);
        let stored: Option<Stored> = read(store, &key).await?;
        // Whoever noted it before the part was written is over, with its record; what it wrote may not be in the part.
        let is_sealed = stored.as_ref().is_none_or(|stored| sealed.contains(stored));
        if number > noted || !is_sealed {
            is_any_left = true;
            continue;
        }
        if stored.is_some_and(|stored| *stored_file::days_of(&stored.file).end() == day) {
            store.delete(&key).await?;
        }
        list::delete(store, &list, number).await?;
    }
    if is_any_left {
        return timer::set(store, now_ms + AGAIN_MS, &format!("i {stream} {day}")).await;
    }
    list::pass(store, &list, noted).await
}

/// Deletes the parts of a stream's day, beyond retention.
pub(crate) async fn forget(
    store: &impl Store,
    bucket: &impl WorkBucket,
    at: StreamDay<'_>,
    retention: Retention,
    now_ms: u64,
) -> Result<(), Error> {
    let StreamDay { stream, day } = at;
    if now_ms < at.end_ms() + retention.files_ms {
        return forget_later(store, at, retention).await;
    }
    if !list::entries(store, &stored_file::list_of(at), now_ms).await?.is_empty() {
        // They could not be sealed for so long: their records leave the store first.
        timer::set(store, now_ms, &format!("i {stream} {day}")).await?;
        return timer::set(store, now_ms + AGAIN_MS, &format!("l {stream} {day}")).await;
    }
    // One that was left without its mark comes after the others.
    for part in (0..=at.parts(store, Kind::Files).await?).rev() {
        delete(bucket, &at.object(Kind::Files, part)).await?;
        at.unmark(store, Kind::Files, part).await?;
    }
    list::clear(store, &stored_file::list_of(at), now_ms).await
}

/// The files that parts of the days of a range hold, later parts over earlier ones.
pub(crate) async fn of_days(
    store: &impl Store,
    bucket: &impl WorkBucket,
    stream: &str,
    days: impl IntoIterator<Item = u64>,
) -> Result<Vec<Stored>, Error> {
    let mut found: Vec<Stored> = Vec::new();
    for day in days {
        let at = StreamDay { stream, day };
        for part in 0..at.parts(store, Kind::Files).await? {
            for stored in stored_file::read_part(bucket, at, part).await? {
                found.retain(|known| known.file.id != stored.file.id);
                found.push(stored);
            }
        }
    }
    Ok(found)
}
