//! Timers: what is to be looked at, and from when on.
//!
//! A timer is set by a cause (an end, a stop, a file that is complete), and only that cause sets it again. One that
//! fires for nothing costs a look.
//!
//! | key | holds |
//! | --- | --- |
//! | `t.{minute}` | list: the timers of a minute since 1970, as `{due, Unix ms} {tries} {target}` |
//! | `t.h.{hour}` | list: the minutes of an hour that have timers |
//! | `t.open` | the minute that ticks have come to |
//! | `t.done` | hint: no timer is left in minutes before this one |
//! | `t.n` | counter: tells timers apart that are alike |
//!
//! A tick writes the minute that it has come to into `t.open` before it reads lists; whoever sets a timer puts it into
//! its list before reading `t.open`. One of the two sees the other: a timer for a minute that is over goes into the
//! list of the open minute as well, and may fire twice. `t.open` may be set back by a call that stalls, by
//! [`CALL_MAX_MS`] at most, so ticks read the minutes of `BEHIND` again.
//!
//! A clock that was ahead leaves `t.open` in the future. Timers then go into that minute's list, and every tick reads
//! it, too, until time has come there: timers are late by nothing, and ticks cost what is pending.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store, counter};

use crate::error::Error;
use crate::list;
use crate::time::CALL_MAX_MS;

const MINUTE_MS: u64 = 60_000;
const HOUR_MINUTES: u64 = 60;

/// Minutes behind the open one that are read at each tick: more than a call lasts.
const BEHIND: u64 = CALL_MAX_MS / MINUTE_MS + 3;

/// Minutes that one tick catches up: what is later than these is read by the ticks after it.
const CATCH_UP: u64 = 24 * 8 * HOUR_MINUTES;

/// So many minutes are read one by one; where ticks are further behind, the lists of the hours say which.
const NEAR: u64 = 10;

/// A minute since 1970.
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
    /// How often it was tried in vain.
    pub tries: u32,
    /// What is to be looked at, and where it stands: `{what} {number}`, or `{what} {number}@{minute}` in the list of
    /// the minute that was open.
    pub target: String,
}

impl Timer {
    fn to_text(&self) -> String {
        format!("{} {} {}", self.due_ms, self.tries, self.target)
    }

    fn of_text(text: &str) -> Option<Self> {
        let (due_ms, rest) = text.split_once(' ')?;
        let (tries, target) = rest.split_once(' ')?;
        Some(Self { due_ms: due_ms.parse().ok()?, tries: tries.parse().ok()?, target: target.into() })
    }

    /// The minute in whose list it is: its own, or the one that was open when it was set.
    fn list(&self) -> u64 {
        let open = self.target.rsplit_once('@').and_then(|(_, open)| open.parse().ok());
        open.unwrap_or(self.due_ms / MINUTE_MS)
    }

    /// What is to be looked at.
    #[must_use]
    pub fn what(&self) -> &str {
        self.target.rsplit_once(' ').map_or("", |(what, _)| what)
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
    // A tick forgets the timers that it has seen, and must not forget one that is set meanwhile.
    let number = counter::add(store, "t.n", 1).await?;
    let timer = Timer { due_ms, tries, target: format!("{what} {number}") };
    let minute = due_ms / MINUTE_MS;
    put(store, minute, &timer).await?;
    let open = open(store).await?;
    if open <= minute {
        return Ok(());
    }
    let target = format!("{}@{open}", timer.target);
    put(store, open, &Timer { target, ..timer }).await
}

async fn put(store: &impl Store, minute: u64, timer: &Timer) -> Result<(), Error> {
    let list = of_minute(minute);
    if !store.exists(&format!("{list}.n")).await? {
        list::append(store, &of_hour(minute / HOUR_MINUTES), &minute.to_string()).await?;
    }
    list::append(store, &list, &timer.to_text()).await
}

fn of_minute(minute: u64) -> String {
    format!("t.{minute}")
}

fn of_hour(hour: u64) -> String {
    format!("t.h.{hour}")
}

async fn open(store: &impl Store) -> Result<u64, Error> {
    let open: Option<Minute> = read(store, "t.open").await?;
    Ok(open.unwrap_or_default().minute)
}

/// The timers that are due, oldest first. They stay due until [`done`].
///
/// # Errors
/// The store failed.
pub(crate) async fn due(store: &impl Store, now_ms: u64) -> Result<Vec<Timer>, Error> {
    let now = now_ms / MINUTE_MS;
    let mut open = open(store).await?;
    if open < now {
        write(store, "t.open", &Minute { minute: now }).await?;
        open = now;
    }
    let done: Option<Minute> = read(store, "t.done").await?;
    let first = done.map_or(now.saturating_sub(CATCH_UP), |done| done.minute);
    let last = now.min(first + CATCH_UP);
    let behind = now.saturating_sub(BEHIND);
    let mut minutes = with_timers(store, first, last, now_ms).await?;
    minutes.extend((behind..=now).chain([open]));
    let (mut timers, mut passed) = (BTreeSet::new(), Vec::new());
    let mut first_left = last.min(behind);
    for minute in minutes {
        let texts = list::values(store, &of_minute(minute), now_ms, async |_| Ok(false)).await?;
        if minute < first_left {
            if texts.is_empty() { passed.push(minute) } else { first_left = minute }
        }
        timers.extend(texts.iter().filter_map(|text| Timer::of_text(text)));
    }
    if first_left > first {
        pass(store, first, first_left, &passed, now_ms).await?;
    }
    timers.retain(|timer| timer.due_ms <= now_ms);
    Ok(timers.into_iter().collect())
}

/// The minutes of a range that may have timers.
async fn with_timers(store: &impl Store, first: u64, last: u64, now_ms: u64) -> Result<BTreeSet<u64>, Error> {
    if last.saturating_sub(first) <= NEAR {
        return Ok((first..=last).collect());
    }
    let mut minutes = BTreeSet::new();
    for hour in first / HOUR_MINUTES..=last / HOUR_MINUTES {
        let noted = list::values(store, &of_hour(hour), now_ms, async |_| Ok(false)).await?;
        minutes.extend(noted.iter().filter_map(|minute| minute.parse::<u64>().ok()));
    }
    minutes.retain(|minute| (first..=last).contains(minute));
    Ok(minutes)
}

/// Notes that no timer is left in the minutes from `first` up to `next`, of which those that were read are `read`, and
/// removes their lists. A timer that is put into one of them late is in the list of the open minute as well.
async fn pass(store: &impl Store, first: u64, next: u64, read: &[u64], now_ms: u64) -> Result<(), Error> {
    write(store, "t.done", &Minute { minute: next }).await?;
    for minute in read {
        let list = of_minute(*minute);
        if store.exists(&format!("{list}.n")).await? {
            list::remove(store, &list).await?;
        }
    }
    for hour in first / HOUR_MINUTES..next / HOUR_MINUTES {
        let list = of_hour(hour);
        if store.exists(&format!("{list}.n")).await? {
            list::values(store, &list, now_ms, async |_| Ok(true)).await?;
            list::remove(store, &list).await?;
        }
    }
    Ok(())
}

/// Forgets timers that were seen to or set anew.
///
/// # Errors
/// The store failed.
pub(crate) async fn done(store: &impl Store, timers: &[Timer], now_ms: u64) -> Result<(), Error> {
    let seen: BTreeSet<String> = timers.iter().map(Timer::to_text).collect();
    for minute in timers.iter().map(Timer::list).collect::<BTreeSet<u64>>() {
        let is_seen = async |text: &str| Ok(seen.contains(text));
        list::values(store, &of_minute(minute), now_ms, is_seen).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use store::memory::{MemoryStore, Random, run};

    use super::*;

    /// What is due at a time; it is seen to.
    fn tick(store: &MemoryStore, now_ms: u64) -> Vec<String> {
        run(async {
            let timers = due(store, now_ms).await.unwrap();
            done(store, &timers, now_ms).await.unwrap();
            let mut found: Vec<_> = timers.iter().map(|timer| timer.what().to_owned()).collect();
            found.dedup();
            found
        })
    }

    const T: u64 = 1_800_000_000_000;

    #[test]
    fn each_timer_fires_once_from_its_time_on() {
        let store = MemoryStore::default();
        for (due_ms, target) in [(T + 5_000, "a"), (T + 90_000, "b"), (T - 1, "past")] {
            run(set(&store, due_ms, target)).unwrap();
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
            run(set(&store, T + day * 86_400_000 + 61_000, &format!("day {day}"))).unwrap();
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
        run(set(&store, T + 30_000, "a")).unwrap();
        assert_eq!(tick(&store, T + 29_000), [] as [&str; 0]);
        assert_eq!(tick(&store, T + 30_000), ["a"]);
    }

    #[test]
    fn a_timer_that_is_set_while_one_like_it_is_seen_to_stays() {
        let store = MemoryStore::default();
        run(set(&store, T, "a")).unwrap();
        let timers = run(due(&store, T)).unwrap();
        run(set(&store, T, "a")).unwrap();
        run(done(&store, &timers, T)).unwrap();
        assert_eq!(tick(&store, T), ["a"]);
        assert_eq!(tick(&store, T), [] as [&str; 0]);
    }

    #[test]
    fn a_timer_of_a_minute_that_is_over_is_forgotten_once_it_was_seen_to_minutes_later() {
        let store = MemoryStore::default();
        tick(&store, T);
        run(set(&store, T - 120_000, "late")).unwrap();
        let timers = run(due(&store, T + 180_000)).unwrap();
        assert!(timers.iter().all(|timer| timer.what() == "late") && !timers.is_empty(), "{timers:?}");
        run(done(&store, &timers, T + 180_000)).unwrap();
        for minute in 3..60 {
            assert_eq!(tick(&store, T + minute * 60_000), [] as [&str; 0]);
        }
        store.mend();
        let before = store.operations();
        tick(&store, T + 3_600_000);
        let operations = store.operations() - before;
        assert!(operations < 20, "{operations} operations where nothing is due");
        assert!(store.len() < 8, "{:?}", store.keys());
    }

    #[test]
    fn ticks_that_are_an_hour_late_or_find_ten_thousand_timers_that_are_not_due_cost_no_more() {
        let store = MemoryStore::default();
        tick(&store, T);
        for number in 0..10_000 {
            run(set(&store, T + 600_000 + number * 1_000, "later")).unwrap();
        }
        run(set(&store, T + 1_000, "now")).unwrap();
        let before = store.operations();
        assert_eq!(tick(&store, T + 2_000), ["now"]);
        let operations = store.operations() - before;
        assert!(operations < 40, "{operations}");
    }

    #[test]
    fn a_timer_that_is_set_while_its_minute_passes_fires() {
        for seed in 1..3_000 {
            let store = MemoryStore::default();
            tick(&store, T - 1);
            let setting: store::memory::Actor<'_, ()> =
                Box::pin(async { set(&store, T - 10, "a").await.unwrap() });
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
