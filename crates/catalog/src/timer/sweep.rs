//! Reads the slots that every tick passes over: what a tick that died left there, what was set late, and what nobody
//! attended to for a week.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use super::{BEHIND, HOUR_SLOTS, Lane, MOST, SLOT_MS, Slot, Timer, of, of_hour, of_slot};
use crate::error::Error;
use crate::list;
use crate::time::DAY_MS;

/// Slots are swept so often.
const EVERY_MS: u64 = 30_000;

/// Slots that are caught up: what is older was left by a clock that was far behind.
const CATCH_UP: u64 = 8 * DAY_MS / SLOT_MS;

/// So many slots are read one by one; where ticks are further behind, the lists of the hours say which.
const DIRECT: u64 = 2 * BEHIND;

/// When slots were swept last, Unix milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Swept {
    at_ms: u64,
}

impl Record for Swept {
    const VERSION: u32 = 1;
}

/// The timers that are left in slots before `near`, if it is time to look for them, or has to be done at once.
pub(super) async fn behind(
    store: &impl Store,
    lane: Lane,
    near: u64,
    at_once: bool,
    now_ms: u64,
) -> Result<Vec<Timer>, Error> {
    let swept: Swept = read(store, &lane.key("swept")).await?.unwrap_or_default();
    if !at_once && swept.at_ms.abs_diff(now_ms) < EVERY_MS {
        return Ok(Vec::new());
    }
    let behind = near.saturating_sub(BEHIND);
    let done: Option<Slot> = read(store, &lane.key("done")).await?;
    // A clock that was ahead passed slots that are still to come.
    let first = done.map_or(near.saturating_sub(CATCH_UP), |done| done.slot).min(behind);
    let (mut timers, mut passed) = (Vec::new(), Vec::new());
    let mut first_left = behind;
    for slot in with_timers(store, lane, first, near, now_ms).await? {
        if timers.len() >= MOST {
            pass(store, lane, first, first_left.min(slot), &passed, now_ms).await?;
            return Ok(timers);
        }
        let found = of(store, lane, slot, now_ms).await?;
        if slot < first_left {
            if found.is_empty() { passed.push(slot) } else { first_left = slot }
        }
        timers.extend(found);
    }
    pass(store, lane, first, first_left, &passed, now_ms).await?;
    write(store, &lane.key("swept"), &Swept { at_ms: now_ms }).await?;
    Ok(timers)
}

/// The slots from `first` up to `next` that may have timers.
async fn with_timers(
    store: &impl Store,
    lane: Lane,
    first: u64,
    next: u64,
    now_ms: u64,
) -> Result<BTreeSet<u64>, Error> {
    if next.saturating_sub(first) <= DIRECT {
        return Ok((first..next).collect());
    }
    let mut slots = BTreeSet::new();
    for hour in first / HOUR_SLOTS..=next / HOUR_SLOTS {
        let noted = list::entries(store, &of_hour(lane, hour), now_ms).await?;
        slots.extend(noted.iter().filter_map(|(_, slot)| slot.parse::<u64>().ok()));
    }
    slots.retain(|slot| (first..next).contains(slot));
    Ok(slots)
}

/// Notes that no timer is left in the slots from `first` up to `next`, of which those that were read are `read`, and
/// removes their lists. No timer is put into one of them any more.
async fn pass(
    store: &impl Store,
    lane: Lane,
    first: u64,
    next: u64,
    read: &[u64],
    now_ms: u64,
) -> Result<(), Error> {
    if next <= first {
        return Ok(());
    }
    write(store, &lane.key("done"), &Slot { slot: next }).await?;
    for slot in read.iter().filter(|slot| **slot < next) {
        let list = of_slot(lane, *slot);
        if list::exists(store, &list).await? {
            list::remove(store, &list).await?;
        }
    }
    for hour in first / HOUR_SLOTS..next / HOUR_SLOTS {
        let list = of_hour(lane, hour);
        if list::exists(store, &list).await? {
            list::clear(store, &list, now_ms).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use store::memory::{MemoryStore, run};

    use super::*;
    use crate::timer::{done, due, set};

    const NOW: u64 = 1_800_000_000_000;

    /// How many timers are due, which are seen to.
    fn tick(store: &MemoryStore, now_ms: u64) -> usize {
        let timers = run(due(store, Lane::Tick, now_ms)).unwrap();
        timers.iter().for_each(|timer| run(done(store, timer)).unwrap());
        timers.len()
    }

    #[test]
    fn the_first_tick_of_all_finds_what_came_due_within_a_week() {
        let store = MemoryStore::default();
        for day in 0..7 {
            run(set(&store, NOW - day * DAY_MS, &format!("day {day}"))).unwrap();
        }
        assert_eq!(tick(&store, NOW), 7);
    }

    #[test]
    fn what_is_noted_of_an_hour_goes_once_it_is_over() {
        let store = MemoryStore::default();
        tick(&store, NOW);
        let before = store.len();
        for minute in 1..600 {
            let now_ms = NOW + minute * 60_000;
            run(set(&store, now_ms, "a")).unwrap();
            assert_eq!(tick(&store, now_ms), 1);
        }
        tick(&store, NOW + 700 * 60_000);
        assert!(store.len() < before + 10, "{:?}", store.keys());
    }
}
