//! When timers fire, and what ticks cost.

use store::memory::{MemoryStore, Random, Step, run};

use super::*;

async fn forget(store: &MemoryStore, timers: &[Timer]) {
    for timer in timers {
        done(store, timer).await.unwrap();
    }
}

/// What is due at a time; it is seen to.
fn tick(store: &MemoryStore, now_ms: u64) -> Vec<String> {
    run(async {
        let timers = due(store, Lane::Tick, now_ms).await.unwrap();
        forget(store, &timers).await;
        let mut found: Vec<_> = timers.into_iter().map(|timer| timer.what).collect();
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
fn timers_that_are_set_together_fire_each() {
    let store = MemoryStore::default();
    run(set_all(&store, T + 5_000, ["a", "b"])).unwrap();
    assert_eq!(tick(&store, T + 4_999), [] as [&str; 0]);
    assert_eq!(tick(&store, T + 5_000), ["a", "b"]);
    assert_eq!(tick(&store, T + 5_000), [] as [&str; 0]);
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
    let timers = run(due(&store, Lane::Tick, T)).unwrap();
    run(set(&store, T, "a")).unwrap();
    run(forget(&store, &timers));
    assert_eq!(tick(&store, T), ["a"]);
    assert_eq!(tick(&store, T), [] as [&str; 0]);
}

#[test]
fn a_timer_of_a_time_that_is_over_is_forgotten_once_it_was_seen_to_minutes_later() {
    let store = MemoryStore::default();
    tick(&store, T);
    run(set(&store, T - 120_000, "late")).unwrap();
    let timers = run(due(&store, Lane::Tick, T + 180_000)).unwrap();
    assert!(timers.iter().all(|timer| timer.what == "late") && !timers.is_empty(), "{timers:?}");
    run(forget(&store, &timers));
    for minute in 3..60 {
        assert_eq!(tick(&store, T + minute * 60_000), [] as [&str; 0]);
    }
    store.mend();
    let before = store.operations();
    for second in 0..60 {
        assert_eq!(tick(&store, T + 3_600_000 + second * 1_000), [] as [&str; 0]);
    }
    let operations = (store.operations() - before) / 60;
    assert!(operations < 12, "{operations} operations where nothing is due");
    assert!(store.len() < 8, "{:?}", store.keys());
}

#[test]
fn ticks_cost_what_is_due_however_much_is_due_at_once() {
    let mut costs = Vec::new();
    for count in [100, 3_000] {
        let store = MemoryStore::default();
        tick(&store, T);
        for number in 0..count {
            run(set(&store, T + number % 20_000, &format!("{number}"))).unwrap();
        }
        store.mend();
        let (before, mut found) = (store.operations(), 0);
        for second in 0..60 {
            loop {
                let seen = tick(&store, T + second * 1_000).len();
                found += seen as u64;
                if seen == 0 {
                    break;
                }
            }
        }
        assert_eq!(found, count);
        costs.push((store.operations() - before) / count);
    }
    assert!(costs[1] < 40, "{costs:?} operations a timer");
}

#[test]
fn what_a_tick_that_died_left_is_found_by_a_sweep() {
    let store = MemoryStore::default();
    tick(&store, T);
    run(set(&store, T + 1_000, "a")).unwrap();
    run(due(&store, Lane::Tick, T + 1_000)).unwrap();
    // Whoever took it has died; minutes later it is too old to be read by every tick.
    let found = (0..40).find(|second| !tick(&store, T + 100_000 + second * 1_000).is_empty());
    assert!(found.is_some());
    assert_eq!(tick(&store, T + 200_000), [] as [&str; 0]);
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
fn a_timer_that_is_set_while_its_slot_passes_fires() {
    for seed in 1..3_000 {
        let store = MemoryStore::default();
        tick(&store, T - 1);
        let setting: store::memory::Actor<'_, ()> =
            Box::pin(async { set(&store, T - 10, "a").await.unwrap() });
        let ticking: store::memory::Actor<'_, ()> = Box::pin(async {
            for second in 0..3 {
                let timers = due(&store, Lane::Tick, T + second * 1_000).await.unwrap();
                forget(&store, &timers).await;
            }
        });
        let mut random = Random::new(seed);
        store.scheduler().run(vec![setting, ticking], random.fair());
        // Once by now, or at the next sweep.
        tick(&store, T + 40_000);
        let left = run(due(&store, Lane::Tick, T + 80_000)).unwrap();
        assert!(left.is_empty(), "seed {seed}: {left:?}");
    }
}

#[test]
fn a_tick_after_a_time_without_ticks_finds_what_came_due_meanwhile() {
    let store = MemoryStore::default();
    tick(&store, T);
    run(set(&store, T + 3_000, "a")).unwrap();
    assert_eq!(tick(&store, T + 25_000), ["a"]);
}

#[test]
fn a_timer_of_a_time_that_is_long_over_leaves_nothing_once_it_was_seen_to() {
    let week_ms = 7 * 24 * 3_600_000;
    let store = MemoryStore::default();
    // Ticks pass its slot, and nobody ticks for weeks.
    tick(&store, T);
    (1..20).for_each(|minute| drop(tick(&store, T + minute * 60_000)));
    let late_ms = T + 3 * week_ms;
    run(set(&store, T - week_ms, "of before")).unwrap();
    run(set(&store, late_ms, "of now")).unwrap();
    let mut found = tick(&store, late_ms);
    found.sort();
    assert_eq!(found, ["of before", "of now"]);
    (1..20).for_each(|minute| assert_eq!(tick(&store, late_ms + minute * 60_000), [] as [&str; 0]));
    assert_eq!(left(&store), [] as [String; 0]);
}

/// What is kept of timers.
fn left(store: &MemoryStore) -> Vec<String> {
    let text = |(_, value): (String, Vec<u8>)| String::from_utf8_lossy(&value).into_owned();
    store.values().into_iter().map(text).filter(|text| text.contains(" 0 ")).collect()
}

#[test]
fn a_call_that_dies_as_it_sets_a_timer_leaves_none_that_nobody_comes_to() {
    for seed in 1..2_000 {
        let store = MemoryStore::default();
        (0..20).for_each(|minute| drop(tick(&store, T - 1_200_000 + minute * 60_000)));
        let mut random = Random::new(seed);
        let due_ms = T - 1_000 * random.below(4_000) as u64;
        let setting: store::memory::Actor<'_, ()> = Box::pin(async {
            let _ = set(&store, due_ms, "a").await;
        });
        let ticking: store::memory::Actor<'_, ()> = Box::pin(async {
            for second in 0..8 {
                let timers = due(&store, Lane::Tick, T + second * 3_000).await.unwrap();
                forget(&store, &timers).await;
            }
        });
        let mut dies = Some(random.below(20));
        store.scheduler().run(vec![setting, ticking], |under_way| {
            let at = random.below(under_way);
            if under_way == 2 && at == 0 {
                match dies {
                    Some(0) => {
                        dies = None;
                        return Step::CrashAfter(0);
                    }
                    Some(left) => dies = Some(left - 1),
                    None => {}
                }
            }
            Step::Run(at)
        });
        (1..20).for_each(|minute| drop(tick(&store, T + minute * 60_000)));
        assert_eq!(left(&store), [] as [String; 0], "seed {seed}");
    }
}

#[test]
fn a_timer_that_was_set_while_another_clock_was_ahead_is_not_lost_with_that_host() {
    let store = MemoryStore::default();
    let ahead_ms = 3_600_000;
    tick(&store, T);
    tick(&store, T + ahead_ms);
    run(set(&store, T, "a")).unwrap();
    // The host that is ahead comes to the next slot, and is gone before it sees to anything.
    run(due(&store, Lane::Tick, T + ahead_ms + 6_000)).unwrap();
    assert_eq!(tick(&store, T + 10_000), ["a"]);
}
