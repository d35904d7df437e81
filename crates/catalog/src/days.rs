//! Lists of each UTC day: what a query over a range of time begins with.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::error::Error;
use crate::log::StreamDay;
use crate::stream::StreamName;
use crate::time::DAY_MS;
use crate::{key, list, timer};

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

/// The list of the sessions that have media in a stream's day, or began or ended in it.
pub(crate) fn sessions_of(at: StreamDay<'_>) -> String {
    format!("y.{}.{}", at.stream, at.day)
}

/// The last day in which a stream was pushed. A hint.
#[derive(Serialize, Deserialize)]
struct Pushed {
    #[serde(default)]
    last_day: u64,
}

impl Record for Pushed {
    const VERSION: u32 = 1;
}

/// The last day in which a stream, by its key, was pushed.
pub(crate) async fn last_day(store: &impl Store, stream: &str) -> Result<Option<u64>, Error> {
    let pushed: Option<Pushed> = read(store, &key::known(stream)).await?;
    Ok(pushed.map(|pushed| pushed.last_day))
}

/// Notes that a session has something in a day, and has the day sealed.
pub(crate) async fn note_session(
    store: &impl Store,
    stream: &StreamName,
    day: u64,
    session: &str,
    now_ms: u64,
) -> Result<(), Error> {
    let stream = stream.key();
    let at = StreamDay { stream: &stream, day };
    let list = sessions_of(at);
    let last = last_day(store, &stream).await?;
    if last == Some(day) && now_ms < at.end_ms() {
        // Another session was noted in the day before: its timer is set.
        list::append(store, &list, session).await?;
        return Ok(());
    }
    note(store, &list, "s", at, session, now_ms).await?;
    if last.is_none_or(|last| last < day) {
        write(store, &key::known(&stream), &Pushed { last_day: day }).await?;
    }
    Ok(())
}

/// Notes that a stream, by its key, was pushed in a day.
pub(crate) async fn note_pushed(store: &impl Store, stream: &str, day: u64) -> Result<(), Error> {
    if last_day(store, stream).await?.is_none_or(|last| last < day) {
        write(store, &key::known(stream), &Pushed { last_day: day }).await?;
    }
    Ok(())
}

/// Puts a value into a day's list, of which `timer` takes care.
pub(crate) async fn note(
    store: &impl Store,
    list: &str,
    timer: &str,
    at: StreamDay<'_>,
    value: &str,
    now_ms: u64,
) -> Result<(), Error> {
    // Once for each day, and again where the day may be sealed already.
    if now_ms >= at.end_ms() || !list::exists(store, list).await? {
        timer::set(store, at.seal_due_ms(now_ms), &format!("{timer} {} {}", at.stream, at.day)).await?;
    }
    list::append(store, list, value).await?;
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
        let stream = stream.key();
        sessions.extend(list::all(store, &sessions_of(StreamDay { stream: &stream, day })).await?);
    }
    Ok(sessions)
}

#[cfg(test)]
mod tests {
    use store::memory::{MemoryStore, run};

    use super::*;
    use crate::tests::world::session_of;

    #[test]
    fn the_last_day_of_a_stream_never_goes_back() {
        let (store, stream) = (MemoryStore::default(), session_of("a").stream);
        let last = || run(last_day(&store, &stream.key())).unwrap();
        assert_eq!(last(), None);
        for (day, expected) in [(7, 7), (6, 7), (7, 7), (9, 9)] {
            run(note_pushed(&store, &stream.key(), day)).unwrap();
            assert_eq!(last(), Some(expected), "{day}");
        }
        for (day, expected) in [(8, 9), (9, 9), (10, 10), (9, 10), (11, 11)] {
            run(note_session(&store, &stream, day, "a", day * DAY_MS)).unwrap();
            assert_eq!(last(), Some(expected), "{day}");
        }
    }

    /// A day may be sealed already once it is over.
    #[test]
    fn a_session_that_is_noted_in_a_day_that_is_over_has_the_day_sealed_again() {
        let (store, stream) = (MemoryStore::default(), session_of("a").stream);
        let key = stream.key();
        let end_ms = StreamDay { stream: &key, day: 20_000 }.end_ms();
        let mut asked_ms = end_ms + DAY_MS;
        // Of a day one timer is set while it lasts, and then one for each.
        for (id, now_ms, timers) in
            [("a", end_ms - 2, 1), ("b", end_ms - 1, 1), ("c", end_ms, 2), ("d", end_ms + 1, 3)]
        {
            run(note_session(&store, &stream, 20_000, id, now_ms)).unwrap();
            // What is behind is looked for now and then.
            asked_ms += 60_000;
            let due = run(timer::due(&store, timer::Lane::Tick, asked_ms)).unwrap();
            let entries: usize = due.iter().map(|timer| timer.entries.len()).sum();
            assert_eq!(entries, timers, "{id}");
        }
        let noted = run(sessions(&store, &stream, end_ms - 1, end_ms)).unwrap();
        assert!(noted.iter().eq(["a", "b", "c", "d"]), "{noted:?}");
    }
}
