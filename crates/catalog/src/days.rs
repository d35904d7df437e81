//! Lists of each UTC day: what a query over a range of time begins with.

use std::collections::BTreeSet;

use store::Store;

use crate::chunk::Slice;
use crate::commit::Prepared;
use crate::error::Error;
use crate::list;
use crate::session::Session;
use crate::stream::StreamName;
use crate::time::DAY_MS;

/// A query reads no more days than this; the recording API asks for four.
const MOST_DAYS: u64 = 32;

/// The UTC day of a moment, counted from 1970.
pub(crate) fn day(unix_ms: u64) -> u64 {
    unix_ms / DAY_MS
}

/// The days that a range touches.
pub(crate) fn days(from_ms: u64, to_ms: u64) -> std::ops::RangeInclusive<u64> {
    let first = day(from_ms);
    first..=day(to_ms.saturating_sub(1)).min(first + MOST_DAYS)
}

/// Notes that a session has media in a day.
pub(crate) async fn note_session(
    store: &impl Store,
    stream: &StreamName,
    day: u64,
    session: &str,
) -> Result<(), Error> {
    list::append(store, &format!("y.{}.{day}", stream.key()), session).await?;
    Ok(())
}

/// Notes the days that a slice touches, as far as its session has not been noted in them: by its adoption in the day of
/// its begin, and by its slices before. To be called before the slice is committed, so that every query finds it.
pub(crate) async fn note_slice(store: &impl Store, prepared: &Prepared, slice: &Slice) -> Result<(), Error> {
    let Session { id, stream, .. } = &prepared.session;
    let noted = day(prepared.noted_ms());
    for day in days(slice.start_ms(), slice.end_ms().max(slice.start_ms() + 1)).filter(|day| *day > noted) {
        note_session(store, stream, day, id).await?;
    }
    Ok(())
}

/// The sessions that have media in the days of a range, each once.
pub(crate) async fn sessions(
    store: &impl Store,
    stream: &StreamName,
    from_ms: u64,
    to_ms: u64,
) -> Result<BTreeSet<String>, Error> {
    let mut sessions = BTreeSet::new();
    for day in days(from_ms, to_ms) {
        let list = format!("y.{}.{day}", stream.key());
        sessions.extend(list::all(store, &list).await?);
    }
    Ok(sessions)
}
