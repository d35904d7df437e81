//! Lists in a store that cannot list: entries under numbers drawn from a counter.
//!
//! | key | holds |
//! | --- | --- |
//! | `{list}.n` | counter: numbers drawn |
//! | `{list}.{number}` | an entry; its writer drew the number |
//! | `{list}.low` | hint: no entry has a number up to this one; and a count that was seen, with its time |
//!
//! An append draws a number and then writes its entry. If it dies in between, the number stays a hole. A hole can
//! be filled until its call is over: [`CALL_MAX_MS`] after the counter was seen to be past it.
//!
//! Entries come and go, and one that stays must not hold up the begin of the list for ever. Whoever reads a list
//! with many holes therefore appends its oldest entries anew before deleting them. A reader that misses an entry
//! since it was moved finds that the counter has grown, and reads on.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store, counter};

use crate::error::Error;
use crate::time::CALL_MAX_MS;

/// A list is tightened when it spans this many numbers more than twice its entries.
const SLACK: u64 = 32;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    value: String,
}

impl Record for Entry {
    const VERSION: u32 = 1;
}

/// Where a list begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Low {
    /// No entry has a number up to this one.
    number: u64,
    /// The counter as it was seen.
    seen: u64,
    /// When it was seen, Unix milliseconds.
    seen_ms: u64,
}

impl Record for Low {
    const VERSION: u32 = 1;
}

/// Appends a value. A value that is appended twice is in the list once.
///
/// # Errors
/// The store failed; the value may be in the list all the same.
pub(crate) async fn append(store: &impl Store, list: &str, value: &str) -> Result<(), Error> {
    let number = counter::add(store, &format!("{list}.n"), 1).await?;
    Ok(write(store, &format!("{list}.{number}"), &Entry { value: value.into() }).await?)
}

/// How many numbers were drawn.
///
/// # Errors
/// The store failed.
pub(crate) async fn count(store: &impl Store, list: &str) -> Result<u64, Error> {
    Ok(counter::value(store, &format!("{list}.n")).await?)
}

/// The value under a number, if it is there.
///
/// # Errors
/// The store failed.
pub(crate) async fn get(store: &impl Store, list: &str, number: u64) -> Result<Option<String>, Error> {
    let entry: Option<Entry> = read(store, &format!("{list}.{number}")).await?;
    Ok(entry.map(|entry| entry.value))
}

/// Removes what is under a number.
///
/// # Errors
/// The store failed.
pub(crate) async fn delete(store: &impl Store, list: &str, number: u64) -> Result<(), Error> {
    Ok(store.delete(&format!("{list}.{number}")).await?)
}

/// Removes a list that is empty.
///
/// # Errors
/// The store failed.
pub(crate) async fn remove(store: &impl Store, list: &str) -> Result<(), Error> {
    store.delete(&format!("{list}.low")).await?;
    Ok(store.delete(&format!("{list}.n")).await?)
}

/// The values of a list that nothing is ever removed from.
///
/// # Errors
/// The store failed.
pub(crate) async fn all(store: &impl Store, list: &str) -> Result<BTreeSet<String>, Error> {
    let mut values = BTreeSet::new();
    for number in 1..=count(store, list).await? {
        values.extend(get(store, list, number).await?);
    }
    Ok(values)
}

/// The values of a list, oldest first, each once. Those that `is_gone` are removed.
///
/// # Errors
/// The store failed.
pub(crate) async fn values<S: Store>(
    store: &S,
    list: &str,
    now_ms: u64,
    is_gone: impl AsyncFn(&str) -> Result<bool, Error>,
) -> Result<Vec<String>, Error> {
    if !store.exists(&format!("{list}.n")).await? {
        return Ok(Vec::new());
    }
    let low: Low = read(store, &format!("{list}.low")).await?.unwrap_or_default();
    let mut found: Vec<(u64, String)> = Vec::new();
    let mut read_to = low.number;
    loop {
        let count = count(store, list).await?;
        if count <= read_to {
            break;
        }
        for number in read_to + 1..=count {
            let Some(value) = get(store, list, number).await? else { continue };
            if is_gone(&value).await? {
                delete(store, list, number).await?;
            } else {
                found.push((number, value));
            }
        }
        read_to = count;
    }
    tighten(store, list, low, read_to, &found, now_ms).await?;
    let mut seen = BTreeSet::new();
    found.retain(|(_, value)| seen.insert(value.clone()));
    Ok(found.into_iter().map(|(_, value)| value).collect())
}

/// Whether a list has a value. Those that are found gone on the way are removed.
///
/// # Errors
/// The store failed.
pub(crate) async fn has_any<S: Store>(
    store: &S,
    list: &str,
    now_ms: u64,
    is_gone: impl AsyncFn(&str) -> Result<bool, Error>,
) -> Result<bool, Error> {
    let count = count(store, list).await?;
    let low: Low = read(store, &format!("{list}.low")).await?.unwrap_or_default();
    for number in low.number + 1..=count.min(low.number + SLACK) {
        if let Some(value) = get(store, list, number).await?
            && !is_gone(&value).await?
        {
            return Ok(true);
        }
    }
    Ok(!values(store, list, now_ms, is_gone).await?.is_empty())
}

/// Moves the oldest entries of a list with many holes to its end, and raises the hint.
async fn tighten(
    store: &impl Store,
    list: &str,
    low: Low,
    count: u64,
    found: &[(u64, String)],
    now_ms: u64,
) -> Result<(), Error> {
    let is_loose = count - low.number > 2 * found.len() as u64 + SLACK;
    let (moved, kept) = found.split_at(if is_loose { found.len().div_ceil(2) } else { 0 });
    for (number, value) in moved {
        append(store, list, value).await?;
        delete(store, list, *number).await?;
    }
    let before_first = kept.first().map_or(count, |(number, _)| number - 1);
    let is_over = now_ms >= low.seen_ms + CALL_MAX_MS;
    let mut new = Low { number: low.number.max(low.seen.min(before_first)), ..low };
    if !is_over {
        new.number = low.number;
    }
    if low.seen == low.number || is_over {
        (new.seen, new.seen_ms) = (count, now_ms);
    }
    if is_loose && new != low {
        write(store, &format!("{list}.low"), &new).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use store::memory::{Actor, MemoryStore, Random, run};

    use super::*;

    async fn never(_: &str) -> Result<bool, Error> {
        Ok(false)
    }

    #[test]
    fn an_entry_that_stays_is_found_among_thousands_that_go() {
        let store = MemoryStore::default();
        run(append(&store, "l", "stays")).unwrap();
        let mut most = 0;
        for number in 0..3_000_u64 {
            let now_ms = number * 10_000;
            run(append(&store, "l", &format!("goes-{number}"))).unwrap();
            let is_gone = async |value: &str| Ok(value != "stays" && value != format!("goes-{number}"));
            store.mend();
            let before = store.operations();
            let values = run(values(&store, "l", now_ms, is_gone)).unwrap();
            most = most.max(store.operations() - before);
            assert_eq!(values.iter().map(String::as_str).collect::<BTreeSet<_>>().len(), 2, "{values:?}");
        }
        assert!(most < 150, "{most} operations for a list of two");
        assert!(store.values_under("l.") < 8, "{}", store.values_under("l."));
    }

    #[test]
    fn no_reader_misses_an_entry_that_is_being_moved() {
        let mut moved = 0;
        for seed in 1..2_000 {
            let store = MemoryStore::default();
            for number in 0..SLACK + 8 {
                let value = if number == 3 { "stays".into() } else { format!("goes-{number}") };
                run(append(&store, "l", &value)).unwrap();
            }
            let gone = async |value: &str| Ok(value != "stays");
            run(values(&store, "l", 0, gone)).unwrap();
            moved += u64::from(run(store.exists("l.4")).is_ok_and(|exists| !exists));
            run(append(&store, "l", "new")).unwrap();
            let reader = || -> Actor<'_, Vec<String>> {
                Box::pin(async {
                    values(&store, "l", 1_000_000, async |value: &str| Ok(value.starts_with("goes")))
                        .await
                        .unwrap()
                })
            };
            let readers = vec![reader(), reader(), reader()];
            for found in store.scheduler().run(readers, Random::new(seed).fair()).into_iter().flatten() {
                assert!(
                    found.contains(&"stays".into()) && found.contains(&"new".into()),
                    "seed {seed}: {found:?}"
                );
            }
        }
        assert!(moved > 1_000, "entries were moved {moved} times");
    }

    #[test]
    fn a_hole_is_waited_for_until_it_cannot_be_filled() {
        let store = MemoryStore::default();
        // One append has drawn its number and stalls.
        run(counter::add(&store, "l.n", 1)).unwrap();
        for number in 0..3 * SLACK {
            run(append(&store, "l", &format!("{number}"))).unwrap();
        }
        let late = Entry { value: "late".into() };
        for now_ms in [0, CALL_MAX_MS - 1] {
            assert!(!run(values(&store, "l", now_ms, never)).unwrap().contains(&"late".into()));
        }
        run(write(&store, "l.1", &late)).unwrap();
        assert!(run(values(&store, "l", CALL_MAX_MS, never)).unwrap().contains(&"late".into()));
    }
}
