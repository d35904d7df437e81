//! Timers: what is to be looked at, and from when on.
//!
//! A timer is set by a cause (an end, a stop, a file that is complete), and only that cause sets it again. One that
//! fires for nothing costs a look.
//!
//! Each [lane](Lane) has timers of its own: those of compositions have keys that begin with `t.m`, those of
//! deliveries `t.w` in place of `t`.
//!
//! | key | holds |
//! | --- | --- |
//! | `t.{slot}` | list: the timers of 5 s, counted since 1970, as `{due, Unix ms} {tries} {what}` |
//! | `t.h.{hour}` | list: the slots of an hour that have timers |
//! | `t.open` | the slot that ticks have come to |
//! | `t.swept` | hint: when the slots behind were read last |
//! | `t.done` | hint: no timer is left in slots before this one |
//!
//! A timer for a slot that ticks have passed goes into the list of the open slot: nobody reads its own any more. A tick
//! writes the slot that it has come to into `t.open` before it reads lists; whoever sets a timer puts it into a list and
//! then reads `t.open` once more. One of the two sees the other: where ticks have gone on meanwhile, the timer is put
//! into the list of the slot that is open then, and taken out of the first one. `t.open` may be set back by a call that
//! stalls, by [`CALL_MAX_MS`] at most, and a timer may be put into its list as much later, so ticks sweep the slots of
//! `BEHIND` again and again.
//!
//! Each tick reads the lists of the last few seconds alone. What is older was attended to, except where a tick died or
//! a timer was set late: a sweep finds that, every 30 s and after a time without ticks.
//!
//! A clock that was ahead leaves `t.open` in the future. Timers then go into that slot's list, and every tick reads
//! it, too, until time has come there: timers are late by nothing, and ticks cost what is pending.

mod sweep;

use std::collections::HashMap;
use std::fmt::Display;

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::error::Error;
use crate::list;
use crate::time::CALL_MAX_MS;

const SLOT_MS: u64 = 5_000;
const HOUR_SLOTS: u64 = 3_600_000 / SLOT_MS;

/// Slots before the present one that each tick reads.
const NEAR: u64 = 2;

/// Slots behind the open one that are swept again and again: more than two calls last.
const BEHIND: u64 = (CALL_MAX_MS + 180_000) / SLOT_MS;

/// The last word of a timer that has waited again, by another clock; once for each such wait.
pub(crate) const AGAIN: &str = "again";

/// The last words of a timer that waits no more, whatever it is for.
pub(crate) const AGAIN_AND_AGAIN: &str = "again again";

/// Wait after the first failure of what a timer leads to, and the longest one. Unit: ms.
pub(crate) const BACKOFF_MS: (u64, u64) = (5_000, 300_000);

/// A tick that has found so many timers leaves later slots to the next one.
const MOST: usize = 1_000;

/// A slot, counted since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Slot {
    slot: u64,
}

impl Record for Slot {
    const VERSION: u32 = 1;
}

/// Who attends to a timer: calls that do not wait for one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// What is short.
    Tick,
    /// What moves the media of record files.
    Compose,
    /// What tells users' servers.
    Deliver,
}

impl Lane {
    /// The lane of what is to be looked at.
    pub(crate) fn of(what: &str) -> Self {
        match what.split(' ').next() {
            Some("m" | "t" | "x") => Self::Compose,
            Some("w" | "y" | "h") => Self::Deliver,
            _ => Self::Tick,
        }
    }

    /// A key of its timers.
    fn key(self, rest: impl Display) -> String {
        match self {
            Self::Tick => format!("t.{rest}"),
            Self::Compose => format!("t.m.{rest}"),
            Self::Deliver => format!("t.w.{rest}"),
        }
    }
}

/// A timer that is due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timer {
    /// From when on, Unix milliseconds.
    pub due_ms: u64,
    /// How often it was tried in vain.
    pub tries: u32,
    /// What is to be looked at, and where that stands.
    pub what: String,
    /// The keys that it is kept under: its own, and those of others for the same.
    pub entries: Vec<String>,
}

impl Timer {
    fn of_text(entry: String, text: &str) -> Option<Self> {
        let (due_ms, rest) = text.split_once(' ')?;
        let (tries, what) = rest.split_once(' ')?;
        Some(Self {
            due_ms: due_ms.parse().ok()?,
            tries: tries.parse().ok()?,
            what: what.into(),
            entries: vec![entry],
        })
    }
}

/// Sets a timer for something.
///
/// # Errors
/// The store failed; the timer may be set all the same.
pub(crate) async fn set(store: &impl Store, due_ms: u64, what: &str) -> Result<(), Error> {
    set_again(store, due_ms, 0, what).await
}

/// Sets a timer for something that was tried before.
///
/// # Errors
/// The store failed; the timer may be set all the same.
pub(crate) async fn set_again(store: &impl Store, due_ms: u64, tries: u32, what: &str) -> Result<(), Error> {
    enter(store, Lane::of(what), due_ms, &[format!("{due_ms} {tries} {what}")]).await
}

/// Sets a timer for each of several things of the ticks' lane, at less cost than one after the other.
///
/// # Errors
/// The store failed; timers may be set all the same.
pub(crate) async fn set_all(store: &impl Store, due_ms: u64, whats: [&str; 2]) -> Result<(), Error> {
    enter(store, Lane::Tick, due_ms, &whats.map(|what| format!("{due_ms} 0 {what}"))).await
}

async fn enter(store: &impl Store, lane: Lane, due_ms: u64, texts: &[String]) -> Result<(), Error> {
    let slot = open(store, lane).await?.max(due_ms / SLOT_MS);
    let entries = put(store, lane, slot, texts).await?;
    let open = open(store, lane).await?;
    if open > slot {
        put(store, lane, open, texts).await?;
        for entry in entries {
            store.delete(&entry).await?;
        }
    }
    Ok(())
}

/// Puts timers into the list of a slot, and answers the keys that they are kept under.
async fn put(store: &impl Store, lane: Lane, slot: u64, texts: &[String]) -> Result<Vec<String>, Error> {
    let list = of_slot(lane, slot);
    if !list::exists(store, &list).await? {
        list::append(store, &of_hour(lane, slot / HOUR_SLOTS), &slot.to_string()).await?;
    }
    let mut entries = Vec::new();
    for text in texts {
        entries.push(list::key(&list, list::append(store, &list, text).await?));
    }
    Ok(entries)
}

fn of_slot(lane: Lane, slot: u64) -> String {
    lane.key(slot)
}

fn of_hour(lane: Lane, hour: u64) -> String {
    lane.key(format_args!("h.{hour}"))
}

async fn open(store: &impl Store, lane: Lane) -> Result<u64, Error> {
    let open: Option<Slot> = read(store, &lane.key("open")).await?;
    Ok(open.unwrap_or_default().slot)
}

/// The timers of a lane that are due, oldest first, each thing once; where there are very many, the oldest slots' alone. They stay
/// due until they are settled.
///
/// # Errors
/// The store failed.
pub async fn due(store: &impl Store, lane: Lane, now_ms: u64) -> Result<Vec<Timer>, Error> {
    let now = now_ms / SLOT_MS;
    let near = now.saturating_sub(NEAR);
    let open = open(store, lane).await?;
    if open < now {
        write(store, &lane.key("open"), &Slot { slot: now }).await?;
    }
    // For a while there was no tick.
    let is_late = open < near;
    let mut timers = sweep::behind(store, lane, near, is_late, now_ms).await?;
    // What was set while another host's clock was ahead lies in the slots that it has come to.
    let ahead = open.saturating_sub(NEAR).max(now + 1)..=open;
    for slot in (near..=now).chain(ahead) {
        if timers.len() < MOST {
            timers.extend(of(store, lane, slot, now_ms).await?);
        }
    }
    timers.retain(|timer| timer.due_ms <= now_ms);
    timers.sort();
    Ok(merge(timers))
}

/// Those that are for the same as one: whoever attends to the first attends to all that were set by then.
fn merge(timers: Vec<Timer>) -> Vec<Timer> {
    let mut places = HashMap::new();
    let mut merged: Vec<Timer> = Vec::new();
    for timer in timers {
        let place = *places.entry(timer.what.clone()).or_insert(merged.len());
        match merged.get_mut(place) {
            Some(first) => first.entries.extend(timer.entries),
            None => merged.push(timer),
        }
    }
    merged
}

/// The timers of a slot, due or not.
async fn of(store: &impl Store, lane: Lane, slot: u64, now_ms: u64) -> Result<Vec<Timer>, Error> {
    let list = of_slot(lane, slot);
    let entries = list::entries(store, &list, now_ms).await?;
    let timer = |(number, text): (u64, String)| Timer::of_text(list::key(&list, number), &text);
    Ok(entries.into_iter().filter_map(timer).collect())
}

/// Forgets a timer that was seen to or set anew. One that is set meanwhile for the same is another one, and stays.
///
/// # Errors
/// The store failed.
pub(crate) async fn done(store: &impl Store, timer: &Timer) -> Result<(), Error> {
    for entry in &timer.entries {
        store.delete(entry).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
