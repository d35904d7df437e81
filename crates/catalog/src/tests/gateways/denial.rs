//! Pushes that are to end.

use std::cell::RefCell;

use store::memory::{Actor, Random};

use super::*;
use crate::denial::{self, Denial};

const BOOT: &str = "spool.1";

fn denial(reason: &str) -> Denial {
    Denial { reason: reason.into(), until_ms: None }
}

fn end_pushes(world: &World, reason: &str, now_ms: u64) {
    run(denial::end_pushes(&world.store, &session_of("").stream, None, &denial(reason), now_ms)).unwrap();
}

/// The sessions that a gateway is told to end, with their reasons.
fn told(changes: &Changes) -> Vec<(&str, &str)> {
    changes.denied.iter().map(|(id, reason)| (id.as_str(), reason.as_str())).collect()
}

#[test]
fn each_gateway_is_told_of_its_own_pushes_until_it_has_heard() {
    let world = World::new();
    end_pushes(&world, "nothing is pushed", NOW);
    push(&world, "a", "g", BOOT, NOW);
    push(&world, "b", "other", BOOT, NOW);
    push(&world, "c", "g", BOOT, NOW);
    run(session::end(&world.store, &world.bucket, "c", 0, 5_000, 0, NOW)).unwrap();
    hear(&world, &beat("g", BOOT, None), NOW);
    end_pushes(&world, "forbidden", NOW + 1);
    for (gateway, id) in [("g", "a"), ("other", "b")] {
        let first = hear(&world, &beat(gateway, BOOT, Some(0)), NOW + 2);
        // The answer was lost.
        let second = hear(&world, &beat(gateway, BOOT, Some(0)), NOW + 3);
        for heard in [&first, &second] {
            assert_eq!(told(heard), [(id, "forbidden")]);
            assert_eq!(heard.sessions.len(), 1);
        }
        let third = hear(&world, &beat(gateway, BOOT, Some(second.since)), NOW + 4);
        assert_eq!((third.sessions.len(), told(&third)), (0, vec![]), "it is told once");
    }
    // What is pushed later is another push.
    push(&world, "d", "g", BOOT, NOW + 5);
    assert_eq!(told(&hear(&world, &beat("g", BOOT, Some(1)), NOW + 6)), []);
    end_pushes(&world, "once more", NOW + 7);
    assert_eq!(
        told(&hear(&world, &beat("g", BOOT, Some(1)), NOW + 8)),
        [("a", "once more"), ("d", "once more")],
        "the first is still not ended"
    );
}

#[test]
fn a_gateway_that_was_silent_is_told_once_it_is_heard_again() {
    let world = World::new();
    push(&world, "a", "g", BOOT, NOW);
    hear(&world, &beat("g", BOOT, None), NOW);
    ticks(&world, NOW, 300);
    let later = NOW + 300 * SECOND;
    assert_eq!(live_ids(&world, later), Vec::<String>::new());
    end_pushes(&world, "forbidden", later);
    assert_eq!(told(&hear(&world, &beat("g", BOOT, Some(0)), later + 1)), [("a", "forbidden")]);
}

#[test]
fn a_push_that_ends_before_the_first_heartbeat_that_is_answered_is_told_however_they_race() {
    let mut at_once = 0;
    for seed in 1..300 {
        let world = World::new();
        push(&world, "a", "g", BOOT, NOW);
        let (stream, first) = (session_of("").stream, beat("g", BOOT, None));
        let heard = RefCell::new(Changes::default());
        let ending: Actor<'_, ()> = Box::pin(async {
            denial::end_pushes(&world.store, &stream, None, &denial("forbidden"), NOW).await.unwrap();
        });
        let beating: Actor<'_, ()> = Box::pin(async {
            *heard.borrow_mut() = gateway::beat(&world.store, &world.bucket, &first, NOW).await.unwrap();
        });
        world.store.scheduler().run(vec![ending, beating], Random::new(seed).lopsided());
        let first = heard.into_inner();
        let second = hear(&world, &beat("g", BOOT, Some(first.since)), NOW + SECOND);
        assert!(!told(&first).is_empty() || !told(&second).is_empty(), "seed {seed}: {first:?} {second:?}");
        at_once += usize::from(!told(&first).is_empty());
    }
    assert!((20..280).contains(&at_once), "{at_once}");
}

#[test]
fn what_it_costs_grows_with_the_pushes_that_end_alone() {
    let world = World::new();
    let mut costs = Vec::new();
    for number in 0..120 {
        let (id, now_ms) = (format!("e{number}"), NOW + number * 10 * SECOND);
        push(&world, &id, "g", BOOT, now_ms);
        let before = world.store.operations();
        end_pushes(&world, "forbidden", now_ms);
        costs.push(world.store.operations() - before);
        run(session::end(&world.store, &world.bucket, &id, 0, 5_000, 0, now_ms)).unwrap();
        ticks_and_beats(&world, "g", BOOT, now_ms + SECOND, 9);
    }
    // What is not settled is longest in the lists for the first time after some eighty.
    let (early, late) = costs.split_at(80);
    assert!(late.iter().max() <= early.iter().max(), "{costs:?}");
}

#[test]
fn one_push_of_a_stream_may_end_alone_and_a_reason_counts_until_its_end_or_until_it_is_taken_back() {
    let world = World::new();
    let (store, stream) = (&world.store, session_of("").stream);
    push(&world, "a", "g", BOOT, NOW);
    push(&world, "b", "g", BOOT, NOW);
    let end = |only, until_ms| {
        let denial = Denial { reason: "forbidden".into(), until_ms };
        run(denial::end_pushes(store, &stream, only, &denial, NOW)).unwrap();
    };
    let reasons = |now_ms| ["a", "b"].map(|id| run(denial::reason(store, id, now_ms)).unwrap().is_some());
    end(Some("b"), Some(NOW + 10));
    assert_eq!(told(&hear(&world, &beat("g", BOOT, Some(0)), NOW)), [("b", "forbidden")]);
    assert_eq!([NOW + 9, NOW + 10, NOW + 11].map(reasons), [[false, true], [false, false], [false, false]]);
    // What holds for good is not taken back with what forbade the stream for a while.
    end(Some("a"), None);
    run(denial::let_push(store, &stream, NOW + 1)).unwrap();
    assert_eq!(reasons(NOW + 1), [true, false]);
}
