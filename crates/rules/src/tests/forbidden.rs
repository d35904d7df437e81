//! Streams that may not be pushed.

use store::memory::{Actor, MemoryStore, Random, run};

use super::triple;
use crate::{Error, Forbidden, forbidden};

fn forbid(app: &str, stream: &str, since_s: u64, until_s: u64) -> Forbidden {
    Forbidden { stream: triple(app, stream), since_s, until_s }
}

fn listed(store: &MemoryStore, now_s: u64) -> Vec<String> {
    let found = run(forbidden::list_domain(store, "live.example.com", now_s)).unwrap();
    found.into_iter().map(|found| format!("{}/{}", found.stream.app, found.stream.stream)).collect()
}

fn holds(store: &MemoryStore, app: &str, stream: &str, now_s: u64) -> bool {
    run(forbidden::get(store, &triple(app, stream), now_s)).unwrap().is_some()
}

#[test]
fn a_stream_is_forbidden_until_its_time_or_until_it_may_be_pushed_again() {
    let store = MemoryStore::default();
    assert_eq!(run(forbidden::add(&store, forbid("live", "x", 10, 20))), Ok(()));
    assert_eq!([9, 10, 19, 20].map(|now_s| holds(&store, "live", "x", now_s)), [true, true, true, false]);
    assert!(!holds(&store, "live", "y", 10) && !holds(&store, "vod", "x", 10));
    let again = run(forbidden::add(&store, forbid("live", "x", 15, 90)));
    let named = "forbidden stream live.example.com/live/x";
    assert_eq!(again, Err(Error::AlreadyExists { what: named.into() }));
    assert!(!holds(&store, "live", "x", 20), "the first one holds");
    // What is over does not stand in the way.
    assert_eq!(run(forbidden::add(&store, forbid("live", "x", 20, 30))), Ok(()));
    assert_eq!((holds(&store, "live", "x", 29), listed(&store, 29)), (true, vec!["live/x".to_owned()]));
    for _ in 0..2 {
        assert_eq!(run(forbidden::resume(&store, &triple("live", "x"), 29)), Ok(()));
        assert_eq!((holds(&store, "live", "x", 29), listed(&store, 29)), (false, vec![]));
    }
    assert_eq!(run(forbidden::add(&store, forbid("live", "x", 21, 30))), Ok(()));
    assert!(store.keys().iter().filter(|key| key.contains(".slot.")).count() == 1);
}

#[test]
fn those_that_hold_are_listed_oldest_first_and_those_that_are_over_are_forgotten() {
    let store = MemoryStore::default();
    for (stream, since_s, until_s) in [("c", 30, 90_000), ("a", 10, 40), ("b", 20, 90_000)] {
        run(forbidden::add(&store, forbid("live", stream, since_s, until_s))).unwrap();
    }
    let slots = || store.keys().iter().filter(|key| key.contains(".slot.")).count();
    assert_eq!(listed(&store, 39), ["live/a", "live/b", "live/c"]);
    let both = || vec!["live/b".to_owned(), "live/c".to_owned()];
    assert_eq!((listed(&store, 40), slots()), (both(), 3));
    // Another host's clock may be behind.
    assert_eq!((listed(&store, 40 + 86_400), slots()), (both(), 2));
    assert_eq!(run(forbidden::list_domain(&store, "other.example.com", 39)), Ok(vec![]));
}

#[test]
fn what_was_resumed_is_found_for_a_day_by_who_looks_back() {
    const NOW_S: u64 = 1_000_000;
    const DAY_S: u64 = 86_400;
    let store = MemoryStore::default();
    for stream in ["x", "y"] {
        run(forbidden::add(&store, forbid("live", stream, NOW_S - 10, NOW_S + 2 * DAY_S))).unwrap();
    }
    run(forbidden::resume(&store, &triple("live", "x"), NOW_S)).unwrap();
    // Another host's clock may be behind.
    assert!(!holds(&store, "live", "x", NOW_S - 3_600));
    assert_eq!(listed(&store, NOW_S), ["live/y"]);
    let later_s = NOW_S + DAY_S - 3_601;
    run(forbidden::resume(&store, &triple("live", "x"), later_s)).unwrap();
    assert_eq!(listed(&store, later_s), ["live/y"]);
    assert_eq!(listed(&store, later_s - forbidden::KEPT_S), ["live/x", "live/y"]);
    assert_eq!(listed(&store, later_s + 1), ["live/y"]);
    assert!(store.keys().iter().filter(|key| key.contains(".slot.")).count() == 1);
}

#[test]
fn of_very_many_that_are_over_a_list_forgets_some_and_the_next_one_goes_on() {
    let store = MemoryStore::default();
    for number in 0..300 {
        run(forbidden::add(&store, forbid("live", &number.to_string(), 10, 40))).unwrap();
    }
    let left = || {
        assert_eq!(listed(&store, 100_000), [] as [&str; 0]);
        store.keys().iter().filter(|key| key.contains(".slot.")).count()
    };
    assert_eq!([left(), left()], [44, 0]);
}

#[test]
fn what_never_was_forbidden_costs_one_look_and_leaves_nothing() {
    let store = MemoryStore::default();
    assert!(!holds(&store, "live", "x", 1));
    run(forbidden::resume(&store, &triple("live", "x"), 1)).unwrap();
    assert_eq!(store.keys(), Vec::<String>::new());
}

#[test]
fn of_sixteen_calls_at_once_one_forbids_and_a_list_at_the_same_time_takes_it_back_from_nobody() {
    /// Past the time for which what is over is kept.
    const NOW_S: u64 = 100_000;
    for seed in 0..200 {
        let store = MemoryStore::default();
        run(forbidden::add(&store, forbid("live", "x", 1, 10))).unwrap();
        let store = &store;
        let callers: Vec<Actor<'_, _>> = (0..16)
            .map(|n| {
                let call = async move {
                    if n % 4 == 3 {
                        forbidden::list_domain(store, "live.example.com", NOW_S).await.map(|_| false)
                    } else {
                        forbidden::add(store, forbid("live", "x", NOW_S, NOW_S + 10 + n)).await.map(|()| true)
                    }
                };
                Box::pin(call) as Actor<'_, _>
            })
            .collect();
        let outcomes = store.scheduler().run(callers, Random::new(seed).fair());
        let winners = outcomes.iter().flatten().filter(|outcome| **outcome == Ok(true)).count();
        assert_eq!((winners, holds(store, "live", "x", NOW_S + 9)), (1, true), "seed {seed}");
        assert_eq!(listed(store, NOW_S + 9), ["live/x"], "seed {seed}");
    }
}
