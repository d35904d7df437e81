//! Timers: what is to be looked at, and from when on.
//!
//! A timer is set by a cause (an end, a stop, a file that is complete), and only that cause sets it again. One that
//! fires for nothing costs a look.
//!
//! | list | holds |
//! | --- | --- |
//! | `t.{minute}` | the timers of a minute since 1970, as `{due, Unix ms} {target}` |
//! | `t.h.{hour}` | the minutes of an hour that have timers |
//!
//! A tick writes the minute that it has come to into `t.open` before it reads lists; whoever sets a timer puts it into
//! its list before reading `t.open`. One of the two sees the other: a timer for a minute that is over goes into the
//! list of the open minute as well. `t.open` may be set back by a call that stalls, by [`CALL_MAX_MS`] at most, so
//! ticks read the minutes of `BEHIND` again.
//!
//! A clock that was ahead leaves `t.open` in the future. Timers then go into that minute's list, and every tick reads
//! it, too, until time has come there: timers are late by nothing, and ticks cost what is pending.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::error::Error;
use crate::list;
use crate::silence::CALL_MAX_MS;

const MINUTE_MS: u64 = 60_000;
const HOUR_MINUTES: u64 = 60;

/// Minutes behind the open one that are read at each tick: more than a call lasts.
const BEHIND: u64 = CALL_MAX_MS / MINUTE_MS + 3;

/// Minutes that one tick catches up: what is older than these is read by the ticks after it.
const CATCH_UP_HOURS: u64 = 24 * 8;

/// Where ticks are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Minute {
    minute: u64,
}

impl Record for Minute {
    const VERSION: u32 = 1;
}

/// A timer that is due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timer {
    /// From when on, Unix milliseconds.
    pub due_ms: u64,
    /// What is to be looked at.
    pub target: String,
}

impl Timer {
    fn to_text(&self) -> String {
        format!("{} {}", self.due_ms, self.target)
    }

    fn of_text(text: &str) -> Option<Self> {
        let (due_ms, target) = text.split_once(' ')?;
        Some(Self { due_ms: due_ms.parse().ok()?, target: target.into() })
    }
}

/// Sets a timer.
///
/// # Errors
/// The store failed; the timer may be set all the same.
pub async fn set(store: &impl Store, timer: &Timer) -> Result<(), Error> {
    let minute = timer.due_ms / MINUTE_MS;
    put(store, minute, timer).await?;
    let open = open(store).await?;
    if open > minute { put(store, open, timer).await } else { Ok(()) }
}

async fn put(store: &impl Store, minute: u64, timer: &Timer) -> Result<(), Error> {
    let hour = minute / HOUR_MINUTES;
    list::append(store, &format!("t.h.{hour}"), &minute.to_string()).await?;
    list::append(store, &format!("t.{minute}"), &timer.to_text()).await
}

async fn open(store: &impl Store) -> Result<u64, Error> {
    let open: Option<Minute> = read(store, "t.open").await?;
    Ok(open.unwrap_or_default().minute)
}

/// The timers that are due, oldest first. They stay due until [`done`].
///
/// # Errors
/// The store failed.
pub async fn due(store: &impl Store, now_ms: u64) -> Result<Vec<Timer>, Error> {
    let now = now_ms / MINUTE_MS;
    let mut open = open(store).await?;
    if open < now {
        write(store, "t.open", &Minute { minute: now }).await?;
        open = now;
    }
    let mut timers = BTreeSet::new();
    for minute in minutes(store, now, open, now_ms).await? {
        for text in list::values(store, &format!("t.{minute}"), now_ms, async |_| Ok(false)).await? {
            timers.extend(Timer::of_text(&text).filter(|timer| timer.due_ms <= now_ms));
        }
    }
    Ok(timers.into_iter().collect())
}

/// The minutes whose lists are read.
async fn minutes(store: &impl Store, now: u64, open: u64, now_ms: u64) -> Result<BTreeSet<u64>, Error> {
    let mut minutes: BTreeSet<u64> = (now.saturating_sub(BEHIND)..=now).collect();
    minutes.insert(open);
    let done: Option<Minute> = read(store, "t.done").await?;
    let hour = now / HOUR_MINUTES;
    let first = done.map_or(hour, |done| done.minute / HOUR_MINUTES);
    for hour in first..=hour.min(first + CATCH_UP_HOURS) {
        let with_timers = list::values(store, &format!("t.h.{hour}"), now_ms, async |_| Ok(false)).await?;
        minutes.extend(
            with_timers
                .iter()
                .filter_map(|minute| minute.parse::<u64>().ok())
                .filter(|minute| *minute <= now),
        );
    }
    Ok(minutes)
}

/// Notes that timers were seen to. Those of a tick are noted together, after all of them were seen to or set anew.
///
/// # Errors
/// The store failed.
pub async fn done(store: &impl Store, timers: &[Timer], now_ms: u64) -> Result<(), Error> {
    let now = now_ms / MINUTE_MS;
    let open = open(store).await?;
    let seen: BTreeSet<String> = timers.iter().map(Timer::to_text).collect();
    let minutes = timers.iter().map(|timer| timer.due_ms / MINUTE_MS).chain([open]);
    for minute in minutes.collect::<BTreeSet<u64>>() {
        let is_seen = async |text: &str| Ok(seen.contains(text));
        list::values(store, &format!("t.{minute}"), now_ms, is_seen).await?;
    }
    let hour = (now - now % HOUR_MINUTES).saturating_sub(HOUR_MINUTES);
    let done: Option<Minute> = read(store, "t.done").await?;
    if done.is_none_or(|done| done.minute < hour) {
        write(store, "t.done", &Minute { minute: hour }).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use store::memory::{MemoryStore, Random, run};

    use super::*;

    fn timer(due_ms: u64, target: &str) -> Timer {
        Timer { due_ms, target: target.into() }
    }

    /// What is due at a time; it is seen to.
    fn tick(store: &MemoryStore, now_ms: u64) -> Vec<String> {
        run(async {
            let timers = due(store, now_ms).await.unwrap();
            done(store, &timers, now_ms).await.unwrap();
            timers.into_iter().map(|timer| timer.target).collect()
        })
    }

    const T: u64 = 1_800_000_000_000;

    #[test]
    fn each_timer_fires_once_from_its_time_on() {
        let store = MemoryStore::default();
        for (due_ms, target) in [(T + 5_000, "a"), (T + 90_000, "b"), (T - 1, "past")] {
            run(set(&store, &timer(due_ms, target))).unwrap();
        }
        assert_eq!(tick(&store, T), ["past"]);
        assert_eq!(tick(&store, T + 4_999), [] as [&str; 0]);
        assert_eq!(tick(&store, T + 5_000), ["a"]);
        assert_eq!(tick(&store, T + 5_000), [] as [&str; 0]);
        assert_eq!(tick(&store, T + 89_999), [] as [&str; 0]);
        assert_eq!(tick(&store, T + 200_000), ["b"]);
    }

    #[test]
    fn a_week_without_ticks_is_caught_up_by_one() {
        let store = MemoryStore::default();
        tick(&store, T);
        let week_ms = 7 * 24 * 3_600_000;
        for day in 0..7 {
            run(set(&store, &timer(T + day * 86_400_000 + 61_000, &format!("day {day}")))).unwrap();
        }
        store.mend();
        let before = store.operations();
        assert_eq!(tick(&store, T + week_ms).len(), 7);
        let operations = store.operations() - before;
        assert!(operations < 1_000, "{operations}");
        assert_eq!(tick(&store, T + week_ms + 1_000), [] as [&str; 0]);
    }

    #[test]
    fn a_clock_that_was_ahead_delays_no_timer() {
        let store = MemoryStore::default();
        tick(&store, T);
        tick(&store, T + 3_600_000);
        run(set(&store, &timer(T + 30_000, "a"))).unwrap();
        assert_eq!(tick(&store, T + 29_000), [] as [&str; 0]);
        assert_eq!(tick(&store, T + 30_000), ["a"]);
    }

    #[test]
    fn a_timer_that_is_set_while_its_minute_passes_fires() {
        for seed in 1..3_000 {
            let store = MemoryStore::default();
            tick(&store, T - 1);
            let setting: store::memory::Actor<'_, ()> =
                Box::pin(async { set(&store, &timer(T - 10, "a")).await.unwrap() });
            let ticking: store::memory::Actor<'_, ()> = Box::pin(async {
                for second in 0..3 {
                    let timers = due(&store, T + second * 1_000).await.unwrap();
                    done(&store, &timers, T + second * 1_000).await.unwrap();
                }
            });
            let mut random = Random::new(seed);
            store.scheduler().run(vec![setting, ticking], random.fair());
            // Once by now, or at the next tick.
            tick(&store, T + 4_000);
            let left = run(due(&store, T + 5_000)).unwrap();
            assert!(left.is_empty(), "seed {seed}: {left:?}");
        }
    }
}
