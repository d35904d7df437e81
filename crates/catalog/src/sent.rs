//! Callbacks that were sent, as the API lists them.
//!
//! | key | holds | written by |
//! | --- | --- | --- |
//! | `ec.{domain}.{day}` | list: the callbacks that were sent in a UTC day | whoever sent them |

use serde::{Deserialize, Serialize};
use store::Store;

use crate::error::Error;
use crate::stream::StreamName;
use crate::time::{CALL_MAX_MS, DAY_MS};
use crate::{key, list, timer};

/// So many days after a callback was sent, it is known.
const KEPT_DAYS: u64 = 8;

/// So many entries are read for one answer: those that were sent last.
const MOST: u64 = 10_000;

/// A callback is noted so long after it was sent at most, and hosts' clocks differ by less than the rest of it: entries are
/// that far from their order in time.
const UNORDERED_MS: u64 = CALL_MAX_MS + 60_000;

/// A callback that was sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Callback {
    /// When it was sent, Unix milliseconds.
    pub sent_ms: u64,
    /// What it is of.
    pub stream: StreamName,
    /// What happened, such as `file_created`.
    pub event: String,
    /// Where it was sent.
    pub url: String,
    /// The body that was sent.
    pub content: String,
    /// How often it was sent by then.
    pub attempt: u32,
    /// The status that was answered, if any.
    pub status: Option<u16>,
    /// Why it failed; `None`: it was taken.
    pub reason: Option<String>,
}

/// Notes a callback.
///
/// # Errors
/// The store failed.
pub async fn note(store: &impl Store, callback: &Callback) -> Result<(), Error> {
    let day = callback.sent_ms / DAY_MS;
    let domain = key::domain(&callback.stream.domain);
    let list = key::callbacks(&domain, day);
    if !list::exists(store, &list).await? {
        timer::set(store, (day + 1 + KEPT_DAYS) * DAY_MS, &format!("h {domain} {day}")).await?;
    }
    let text = serde_json::to_string(callback)
        .map_err(|error| Error::Record { key: list.clone(), reason: error.to_string() })?;
    list::append(store, &list, &text).await?;
    Ok(())
}

/// The callbacks of a domain that were sent from one moment on and before another, Unix milliseconds, oldest first; of more
/// than 10,000 the last ones. What is read grows with the range, and with what was sent within three minutes of it.
///
/// # Errors
/// [`Error::Record`]; the store failed.
pub async fn between(
    store: &impl Store,
    domain: &str,
    (from_ms, to_ms): (u64, u64),
    now_ms: u64,
) -> Result<Vec<Callback>, Error> {
    let first = from_ms.max(now_ms.saturating_sub(KEPT_DAYS * DAY_MS)) / DAY_MS;
    // The host that sent one may have been a little ahead.
    let last = to_ms.min(now_ms + DAY_MS) / DAY_MS;
    let mut callbacks: Vec<Callback> = Vec::new();
    let mut left = MOST;
    for day in (first..=last).rev() {
        let list = key::callbacks(&key::domain(domain), day);
        let parse = |text: &str| -> Result<Callback, Error> {
            serde_json::from_str(text)
                .map_err(|error| Error::Record { key: list.clone(), reason: error.to_string() })
        };
        let sent_from = |ms: u64| move |text: &str| Ok(parse(text)?.sent_ms >= ms);
        let all = 1..list::count(store, &list).await? + 1;
        let begin = list::first(store, &list, all.clone(), sent_from(from_ms.saturating_sub(UNORDERED_MS)));
        let begin = begin.await?;
        let end = list::first(store, &list, begin..all.end, sent_from(to_ms.saturating_add(UNORDERED_MS)));
        for number in (begin..end.await?).rev() {
            let Some(text) = list::get(store, &list, number).await? else { continue };
            let callback = parse(&text)?;
            if (from_ms..to_ms).contains(&callback.sent_ms) {
                callbacks.push(callback);
                left -= 1;
            }
            if left == 0 {
                break;
            }
        }
        if left == 0 {
            break;
        }
    }
    callbacks.sort();
    callbacks.dedup();
    Ok(callbacks)
}

/// Forgets the callbacks of a domain's day.
pub(crate) async fn forget(store: &impl Store, domain: &str, day: u64, now_ms: u64) -> Result<(), Error> {
    list::clear(store, &key::callbacks(domain, day), now_ms).await
}

#[cfg(test)]
mod tests {
    use store::memory::{MemoryStore, run};

    use super::*;
    use crate::due;
    use crate::tests::world::{KEPT, World};

    const DOMAIN: &str = "d";

    /// Noon of a day.
    const NOON_MS: u64 = 20_000 * DAY_MS + DAY_MS / 2;

    fn callback(sent_ms: u64) -> Callback {
        let stream = StreamName { domain: DOMAIN.into(), app: "a".into(), stream: "s".into() };
        let (event, url, content) = ("file_created".into(), "http://cb".into(), "{}".into());
        Callback { sent_ms, stream, event, url, content, attempt: 1, status: Some(200), reason: None }
    }

    fn asked(store: &MemoryStore, from_ms: u64, to_ms: u64) -> (Vec<u64>, u64) {
        let before = store.operations();
        let found = run(between(store, DOMAIN, (from_ms, to_ms), NOON_MS + DAY_MS)).unwrap();
        (found.into_iter().map(|callback| callback.sent_ms).collect(), store.operations() - before)
    }

    #[test]
    fn what_is_read_grows_with_the_range_and_not_with_the_day() {
        let store = MemoryStore::default();
        let day: Vec<u64> = (0..40_000).map(|number| NOON_MS - 40_000_000 + number * 2_000).collect();
        let mut noted = day.clone();
        // Calls take their time, and one dies between number and entry.
        noted.chunks_mut(7).for_each(<[u64]>::reverse);
        for (place, sent_ms) in noted.into_iter().enumerate() {
            if place % 1_000 == 3 {
                let list = key::callbacks(&key::domain(DOMAIN), sent_ms / DAY_MS);
                run(store::counter::add(&store, &format!("{list}.n"), 1)).unwrap();
            }
            run(note(&store, &callback(sent_ms))).unwrap();
        }
        for (from_ms, to_ms) in
            [(NOON_MS, NOON_MS + 60_000), (0, day[30] + 1), (day[39_990], u64::MAX), (NOON_MS, NOON_MS)]
        {
            let (found, operations) = asked(&store, from_ms, to_ms);
            let expected: Vec<_> = day.iter().copied().filter(|ms| (from_ms..to_ms).contains(ms)).collect();
            assert_eq!(found, expected, "from {from_ms} to {to_ms}");
            assert!(operations < 500, "{operations} operations for {} callbacks", found.len());
        }
        let (found, operations) = asked(&store, 0, u64::MAX);
        let last = &day[day.len() - MOST as usize + 7..];
        assert!(found.len() == MOST as usize && found.ends_with(last), "the last ones");
        assert!(operations < MOST + 200, "{operations}");
    }

    #[test]
    fn what_was_sent_soon_after_a_range_hides_nothing_of_it() {
        let store = MemoryStore::default();
        let minute = 0..60_000;
        // More than are read, within the three minutes after the range.
        for number in 0..MOST + 2_000 {
            run(note(&store, &callback(NOON_MS + minute.end + number * 10))).unwrap();
        }
        run(note(&store, &callback(NOON_MS + 7))).unwrap();
        assert_eq!(asked(&store, NOON_MS + minute.start, NOON_MS + minute.end).0, [NOON_MS + 7]);
    }

    #[test]
    fn the_days_of_a_range_are_read_as_one() {
        let store = MemoryStore::default();
        let sent: Vec<u64> = (0..9).map(|number| NOON_MS - 3 * DAY_MS + number * DAY_MS / 3).collect();
        sent.iter().for_each(|sent_ms| run(note(&store, &callback(*sent_ms))).unwrap());
        assert_eq!(asked(&store, 0, u64::MAX).0, sent);
        assert_eq!(asked(&store, sent[2], sent[7]).0, sent[2..7]);
    }

    #[test]
    fn what_was_sent_just_now_is_found_though_its_host_has_the_next_day() {
        let store = MemoryStore::default();
        let midnight_ms = NOON_MS + DAY_MS / 2;
        let sent = [midnight_ms - 2, midnight_ms + 500];
        sent.iter().for_each(|sent_ms| run(note(&store, &callback(*sent_ms))).unwrap());
        let found = run(between(&store, DOMAIN, (0, u64::MAX), midnight_ms - 1)).unwrap();
        assert_eq!(found.into_iter().map(|callback| callback.sent_ms).collect::<Vec<_>>(), sent);
    }

    #[test]
    fn a_day_is_forgotten_when_it_is_eight_days_old_however_little_was_sent_in_it() {
        for count in [1, 4] {
            let World { store, bucket, .. } = World::new();
            for sent_ms in NOON_MS..NOON_MS + count {
                run(note(&store, &callback(sent_ms))).unwrap();
            }
            let forgotten_ms = NOON_MS + DAY_MS / 2 + 8 * DAY_MS;
            let due = |now_ms| run(due::due(&store, due::Lane::Deliver, now_ms)).unwrap();
            assert_eq!(due(forgotten_ms - 1), []);
            let timers = due(forgotten_ms);
            assert_eq!(timers.len(), 1);
            run(due::attend(&store, &bucket, &timers[0], KEPT, forgotten_ms)).unwrap();
            run(due::settle(&store, &timers, &[], &[], forgotten_ms)).unwrap();
            let left: Vec<_> = store.keys().into_iter().filter(|key| !key.starts_with("t.")).collect();
            assert_eq!(left, [] as [&str; 0]);
        }
    }
}
