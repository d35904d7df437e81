//! Lists in a store that cannot list: entries under numbers drawn from a counter.
//!
//! | key | holds |
//! | --- | --- |
//! | `{list}.n` | counter: numbers drawn |
//! | `{list}.{number}` | an entry; its writer drew the number |
//! | `{list}.low` | hint: no entry has a number up to this one; and two counts that were seen beyond it, with their times |
//!
//! An append draws a number and then writes its entry. If it dies in between, the number stays a hole. A hole can
//! be filled until its call is over: [`CALL_MAX_MS`] after the counter was seen to be past it. That time passes twice:
//! one of two hosts may be an hour ahead, and look right after the other one.
//!
//! Entries come and go, and one that stays must not hold up the begin of the list for ever. Whoever reads a list
//! with many holes therefore appends its oldest entries anew before deleting them. A reader that misses an entry
//! since it was moved finds that the counter has grown, and reads on.
//!
//! A list that is removed may begin anew, with numbers from 1 on. A call that read it before and stalled finds the counter
//! below what it has read, and takes back what it has just written. It would take a list that has as many numbers
//! within that call for the one that it has read: lists are removed days after the last append.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store, counter};

use crate::error::Error;
use crate::time::CALL_MAX_MS;

/// A list is tightened when it spans this many numbers more than twice its entries.
const SLACK: u64 = 32;

/// A list is tidied up when it spans more numbers than this. Streams that nobody pushes keep what is left then, so it is
/// little.
const TIDY: u64 = 4;

/// So many entries are tidied up at a time: more than the one that was appended for each that ends, so that it catches
/// up.
const TIDIED: u64 = 4;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    value: String,
}

impl Record for Entry {
    const VERSION: u32 = 1;
}

/// Where a list begins. A list that is sealed has one for as long as its day is kept: what is zero is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Low {
    /// No entry has a number up to this one.
    number: u64,
    /// The counter as it was seen.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    seen: u64,
    /// When it was seen, Unix milliseconds.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    seen_ms: u64,
    /// The counter that had been seen a call's time before.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    waited: u64,
    /// When that time was over, Unix milliseconds.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    waited_ms: u64,
}

impl Record for Low {
    /// Version 1 had zeros as well.
    const VERSION: u32 = 2;
}

impl Low {
    /// With entries gone up to a number. Counts that were seen tell of later numbers alone.
    fn passed(self, number: u64) -> Self {
        let mut low = Self { number: self.number.max(number), ..self };
        if low.seen <= low.number {
            (low.seen, low.seen_ms) = (0, 0);
        }
        if low.waited <= low.number {
            (low.waited, low.waited_ms) = (0, 0);
        }
        low
    }

    /// Numbers up to this one are written by now, or never will be.
    fn settled(self, now_ms: u64) -> u64 {
        if now_ms >= self.waited_ms + CALL_MAX_MS { self.waited.max(self.number) } else { self.number }
    }

    /// Whether it tells of more numbers than were drawn: it is of a list that was removed.
    fn is_behind(self, count: u64) -> bool {
        count < self.number.max(self.seen).max(self.waited)
    }

    /// With the counter as it is seen now, and entries gone up to a number.
    fn seen(self, count: u64, number: u64, now_ms: u64) -> Self {
        let mut low = self.passed(number);
        let is_over = now_ms >= low.seen_ms + CALL_MAX_MS;
        if is_over && low.waited == 0 && low.seen > 0 {
            (low.waited, low.waited_ms) = (low.seen, now_ms);
        }
        if is_over || low.seen == 0 {
            (low.seen, low.seen_ms) = (count, now_ms);
        }
        low.passed(number)
    }
}

/// Appends a value, and answers its number. A value that is appended twice is in the list once.
///
/// # Errors
/// The store failed; the value may be in the list all the same.
pub(crate) async fn append(store: &impl Store, list: &str, value: &str) -> Result<u64, Error> {
    let number = counter::add(store, &format!("{list}.n"), 1).await?;
    write(store, &key(list, number), &Entry { value: value.into() }).await?;
    Ok(number)
}

/// The key of an entry.
pub(crate) fn key(list: &str, number: u64) -> String {
    format!("{list}.{number}")
}

/// Whether anything was ever appended to a list that was not removed since.
///
/// # Errors
/// The store failed.
pub(crate) async fn exists(store: &impl Store, list: &str) -> Result<bool, Error> {
    Ok(store.exists(&format!("{list}.n")).await?)
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
    let entry: Option<Entry> = read(store, &key(list, number)).await?;
    Ok(entry.map(|entry| entry.value))
}

/// Removes what is under a number.
///
/// # Errors
/// The store failed.
pub(crate) async fn delete(store: &impl Store, list: &str, number: u64) -> Result<(), Error> {
    Ok(store.delete(&key(list, number)).await?)
}

async fn low(store: &impl Store, list: &str) -> Result<Low, Error> {
    Ok(read(store, &format!("{list}.low")).await?.unwrap_or_default())
}

/// Notes where a list begins of which so many numbers were drawn as it was read. The hint is taken back where the list was
/// removed since: it would hide what comes into the list that begins anew.
async fn note_begin(store: &impl Store, list: &str, low: Low, count: u64) -> Result<(), Error> {
    write(store, &format!("{list}.low"), &low).await?;
    if self::count(store, list).await? < count {
        begin_anew(store, list).await?;
    }
    Ok(())
}

/// Forgets where a list begins. A hint behind the list's end is of a list that was removed: the call that wrote the hint had
/// stalled meanwhile, and died before it could take the hint back.
async fn begin_anew(store: &impl Store, list: &str) -> Result<Low, Error> {
    store.delete(&format!("{list}.low")).await?;
    Ok(Low::default())
}

/// Removes a list that is empty. Whoever notes its begin meanwhile finds no counter, or its hint is removed here.
///
/// # Errors
/// The store failed.
pub(crate) async fn remove(store: &impl Store, list: &str) -> Result<(), Error> {
    let hint = format!("{list}.low");
    store.delete(&hint).await?;
    store.delete(&format!("{list}.n")).await?;
    Ok(store.delete(&hint).await?)
}

/// Removes a list with what is in it.
///
/// # Errors
/// The store failed.
pub(crate) async fn clear(store: &impl Store, list: &str, now_ms: u64) -> Result<(), Error> {
    values(store, list, now_ms, async |_| Ok(true)).await?;
    remove(store, list).await
}

/// The values of a list; nothing is removed or moved.
///
/// # Errors
/// The store failed.
pub(crate) async fn all(store: &impl Store, list: &str) -> Result<BTreeSet<String>, Error> {
    let mut values = BTreeSet::new();
    let mut read_to = None;
    loop {
        let count = count(store, list).await?;
        let from = match read_to {
            None if count == 0 => break,
            None => {
                Some(low(store, list).await?).filter(|low| !low.is_behind(count)).map_or(0, |low| low.number)
            }
            Some(read_to) => read_to,
        };
        for number in from + 1..=count {
            values.extend(get(store, list, number).await?);
        }
        // What was moved meanwhile is at the end.
        if from >= count {
            break;
        }
        read_to = Some(count);
    }
    Ok(values)
}

/// The first of some numbers from which on entries are `late`, where entries are in that order; the end of the numbers if
/// none is. Holes are passed over.
///
/// # Errors
/// The store failed; what `is_late` answers.
pub(crate) async fn first(
    store: &impl Store,
    list: &str,
    numbers: Range<u64>,
    is_late: impl Fn(&str) -> Result<bool, Error>,
) -> Result<u64, Error> {
    let Range { start: mut low, end: mut high } = numbers;
    while low < high {
        let middle = low + (high - low) / 2;
        let mut at = middle;
        let value = loop {
            match get(store, list, at).await? {
                None if at + 1 < high => at += 1,
                value => break value,
            }
        };
        match value {
            Some(value) if !is_late(&value)? => low = at + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// Notes that no entry has a number up to this one; their writers are over. Of a list that is removed nothing is noted.
///
/// # Errors
/// The store failed.
pub(crate) async fn pass(store: &impl Store, list: &str, number: u64) -> Result<(), Error> {
    let low = low(store, list).await?;
    let count = count(store, list).await?;
    if low.number >= number || count < number {
        return Ok(());
    }
    note_begin(store, list, low.passed(number), count).await
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
    Ok(find(store, list, now_ms, is_gone).await?.into_iter().map(|(_, value)| value).collect())
}

/// The entries of a list with their numbers.
///
/// # Errors
/// The store failed.
pub(crate) async fn entries(
    store: &impl Store,
    list: &str,
    now_ms: u64,
) -> Result<Vec<(u64, String)>, Error> {
    find(store, list, now_ms, async |_| Ok(false)).await
}

async fn find<S: Store>(
    store: &S,
    list: &str,
    now_ms: u64,
    is_gone: impl AsyncFn(&str) -> Result<bool, Error>,
) -> Result<Vec<(u64, String)>, Error> {
    if !exists(store, list).await? {
        return Ok(Vec::new());
    }
    let mut low = low(store, list).await?;
    let mut found: Vec<(u64, String)> = Vec::new();
    let mut read_to = low.number;
    loop {
        let count = count(store, list).await?;
        if count < read_to || low.is_behind(count) {
            low = begin_anew(store, list).await?;
            read_to = 0;
            found.clear();
        }
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
    forget_twins(store, list, &mut found).await?;
    tighten(store, list, low, read_to, &mut found, now_ms).await?;
    Ok(found)
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
    let low = low(store, list).await?;
    let count = count(store, list).await?;
    for number in low.number + 1..=count.min(low.number + SLACK) {
        if let Some(value) = get(store, list, number).await?
            && !is_gone(&value).await?
        {
            return Ok(true);
        }
    }
    Ok(!values(store, list, now_ms, is_gone).await?.is_empty())
}

/// Keeps the last entry of each value alone: two readers that tighten a list at once both move what stays.
///
/// The last one stays there until a mover has appended another one.
async fn forget_twins(store: &impl Store, list: &str, found: &mut Vec<(u64, String)>) -> Result<(), Error> {
    let last: HashMap<String, u64> = found.iter().map(|(number, value)| (value.clone(), *number)).collect();
    for (number, _) in found.iter().filter(|(number, value)| last[value] != *number) {
        delete(store, list, *number).await?;
    }
    found.retain(|(number, value)| last[value] == *number);
    Ok(())
}

/// Tidies up the oldest few entries of a list: removes what is gone, and moves what stays to the list's end. Whoever
/// ends what is in a list calls this, so that the list is as long as what stays, whether it is read or not.
///
/// # Errors
/// The store failed.
pub(crate) async fn tidy<S: Store>(
    store: &S,
    list: &str,
    now_ms: u64,
    is_gone: impl AsyncFn(&str) -> Result<bool, Error>,
) -> Result<(), Error> {
    let mut low = low(store, list).await?;
    let count = count(store, list).await?;
    if low.is_behind(count) {
        low = begin_anew(store, list).await?;
    }
    if count <= low.number + TIDY {
        return Ok(());
    }
    let settled = low.settled(now_ms);
    let mut number = low.number + 1;
    while number <= low.number + TIDIED {
        match get(store, list, number).await? {
            Some(value) => {
                if is_gone(&value).await? {
                    delete(store, list, number).await?;
                } else if move_to_end(store, list, count, (number, &value)).await?.is_none() {
                    return Ok(());
                }
            }
            // It may be filled yet.
            None if number > settled => break,
            None => {}
        }
        number += 1;
    }
    let new = low.seen(count, number - 1, now_ms);
    if new != low { note_begin(store, list, new, count).await } else { Ok(()) }
}

/// Moves an entry to the end of a list of which so many numbers were drawn as it was read; answers the new number. None is
/// answered where the list was removed since: it was empty then, so the entry is gone.
async fn move_to_end(
    store: &impl Store,
    list: &str,
    count: u64,
    (number, value): (u64, &str),
) -> Result<Option<u64>, Error> {
    if self::count(store, list).await? < count {
        return Ok(None);
    }
    let new = append(store, list, value).await?;
    let is_anew = new <= count;
    delete(store, list, if is_anew { new } else { number }).await?;
    Ok((!is_anew).then_some(new))
}

/// Moves the oldest entries of a list with many holes to its end, and raises the hint.
async fn tighten(
    store: &impl Store,
    list: &str,
    low: Low,
    count: u64,
    found: &mut [(u64, String)],
    now_ms: u64,
) -> Result<(), Error> {
    let is_loose = count - low.number > 2 * found.len() as u64 + SLACK;
    // The begin cannot be raised past what may still be written, whatever is moved.
    let settled = low.settled(now_ms);
    let movable = found.partition_point(|(number, _)| *number <= settled).min(found.len().div_ceil(2));
    let (moved, kept) = found.split_at_mut(if is_loose { movable } else { 0 });
    for (number, value) in moved {
        match move_to_end(store, list, count, (*number, value)).await? {
            Some(new) => *number = new,
            None => return Ok(()),
        }
    }
    let before_first = kept.first().map_or(count, |(number, _)| number - 1);
    let new = low.seen(count, settled.min(before_first), now_ms);
    if is_loose && new != low { note_begin(store, list, new, count).await } else { Ok(()) }
}

#[cfg(test)]
mod tests;
