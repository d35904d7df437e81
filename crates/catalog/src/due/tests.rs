//! What timers do, and when they come again.

use store::memory::{MemoryStore, run};

use super::*;
use crate::order::Cause;
use crate::session::Session;
use crate::stream::StreamName;
use crate::tests::world::{KEPT, NOW, World, delivery, session_of, slice};
use crate::time::DAY_MS;

fn timer(what: &str, due_ms: u64) -> Timer {
    Timer { due_ms, tries: 0, what: what.into(), entries: Vec::new() }
}

fn attend_at(world: &World, timer: &Timer, now_ms: u64) -> Option<Vec<String>> {
    run(attend(&world.store, &world.bucket, timer, KEPT, now_ms)).unwrap()
}

/// What a lane has to do at a moment.
fn due_at(store: &MemoryStore, lane: Lane, now_ms: u64) -> Vec<(String, u64)> {
    let timers = run(due(store, lane, now_ms)).unwrap();
    timers.into_iter().map(|timer| (timer.what, timer.due_ms)).collect()
}

/// A push that is adopted, and has nothing due.
fn pushed(session: Session) -> World {
    let World { store, bucket, users } = World::new();
    run(async {
        let (session, _) = session::offer(&store, &bucket, session, None, None, NOW).await.unwrap();
        session::adopt(&store, &bucket, &session, NOW).await.unwrap();
        for timer in due(&store, Lane::Tick, NOW + OFFER_WAIT_MS).await.unwrap() {
            timer::done(&store, &timer).await.unwrap();
        }
        // As it was before these timers were asked for.
        store.delete("t.open").await.unwrap();
    });
    World { store, bucket, users }
}

#[test]
fn a_timer_leads_to_its_recording() {
    let world = World::new();
    for what in ["m r", "w r status 0", "w r m3u8 7"] {
        assert_eq!(attend_at(&world, &timer(what, NOW), NOW), Some(vec!["r".to_owned()]), "{what}");
    }
}

#[test]
fn one_tick_has_a_timer_in_hand_for_a_minute_and_nobody_has_another_one_by_that() {
    let world = World::new();
    let first = timer("f r", NOW);
    assert!(attend_at(&world, &first, NOW).is_some());
    assert!(attend_at(&world, &timer("f other", NOW), NOW).is_some());
    assert!(attend_at(&world, &timer("b r 7", NOW), NOW).is_some());
    assert!(attend_at(&world, &first, NOW + LEASE_MS - 1).is_none());
    // The call that had it has died.
    assert!(attend_at(&world, &first, NOW + LEASE_MS).is_some());
}

#[test]
fn an_event_that_is_released_is_free_at_once() {
    let world = World::new();
    let event = timer("w r status 0", NOW);
    assert!(attend_at(&world, &event, NOW).is_some());
    // Those of a kind are told by one call.
    assert!(attend_at(&world, &timer("w r status 1", NOW), NOW).is_none());
    assert!(attend_at(&world, &timer("w r slice 0", NOW), NOW).is_some());
    run(release(&world.store, &event)).unwrap();
    assert!(attend_at(&world, &event, NOW).is_some());
}

#[test]
fn callbacks_of_a_day_are_forgotten_once_nobody_may_ask_for_them() {
    let world = World::new();
    let stream = StreamName { domain: "d".into(), app: "a".into(), stream: "s".into() };
    let (event, url, content) = ("file_created".into(), "http://cb".into(), "{}".into());
    let sent_ms = 20_000 * DAY_MS;
    let callback =
        sent::Callback { sent_ms, stream, event, url, content, attempt: 1, status: None, reason: None };
    run(sent::note(&world.store, &callback)).unwrap();
    let noted = || world.store.keys().iter().filter(|key| key.starts_with("ec.")).count();
    assert!(noted() > 0);
    for day in 1..100 {
        let now_ms = sent_ms + day * DAY_MS;
        let timers = run(due(&world.store, Lane::Deliver, now_ms)).unwrap();
        timers.iter().for_each(|timer| _ = attend_at(&world, timer, now_ms));
    }
    assert_eq!(noted(), 0);
}

#[test]
fn what_must_not_come_too_early_waits_once_more() {
    let delay_ms = session_of("a").delay_ms();
    for (what, late_ms, wait_ms) in [
        ("r s 7 0", 0, Some(3 * CALL_MAX_MS)),
        ("a s 7", 0, Some(CALL_MAX_MS)),
        ("j s 7 0 1", 0, Some(2 * CALL_MAX_MS)),
        ("n a 3 4", 0, Some(10 * 60_000)),
        ("n a 3 4 1", 0, Some(2 * CALL_MAX_MS)),
        ("z a 1 2", LATE_MS + 1, Some(SUSPENDED_MAX_MS)),
        ("z a 1 2", LATE_MS, None),
        ("p a", LATE_MS + 1, Some(delay_ms)),
        ("p a", LATE_MS, None),
    ] {
        let world = pushed(session_of("a"));
        let now_ms = NOW + late_ms;
        attend_at(&world, &timer(what, NOW), now_ms);
        let again = format!("{what} again");
        let at = |at_ms| due_at(&world.store, Lane::Tick, at_ms).iter().any(|(what, _)| *what == again);
        match wait_ms {
            Some(wait_ms) => assert!(!at(now_ms + wait_ms - 1) && at(now_ms + wait_ms), "{what}"),
            None => assert!(!at(now_ms + SUSPENDED_MAX_MS), "{what}"),
        }
    }
}

/// A clock that steps ends one wait at most.
#[test]
fn what_would_lose_media_waits_twice_more_and_all_else_once() {
    for (what, wait_ms) in [
        ("e a", Some(OFFER_WAIT_MS)),
        ("e a again", Some(OFFER_WAIT_MS)),
        ("e a again again", None),
        ("n a 3 4 again", Some(missing::WAIT_MS)),
        ("n a 3 4 again again", None),
        ("n a 3 4 1 again", Some(missing::GIVEN_UP_MS)),
        ("n a 3 4 1 again again", None),
        ("x a a 0 1 0 again", None),
        ("z a 1 2 again", None),
        ("p a again", None),
    ] {
        let world = pushed(session_of("a"));
        let now_ms = NOW + LATE_MS + 1;
        attend_at(&world, &timer(what, NOW), now_ms);
        let again = format!("{what} again");
        let found = due_at(&world.store, Lane::Tick, now_ms + SUSPENDED_MAX_MS);
        let due_ms = found.into_iter().find_map(|(what, due_ms)| (what == again).then_some(due_ms));
        assert_eq!(due_ms, wait_ms.map(|wait_ms| now_ms + wait_ms), "{what}");
    }
}

#[test]
fn a_command_is_looked_for_again_when_the_call_that_may_give_it_is_over() {
    let world = pushed(session_of("a"));
    attend_at(&world, &timer("o a", NOW), NOW);
    let at = |at_ms| due_at(&world.store, Lane::Tick, at_ms);
    assert_eq!(at(NOW + CALL_MAX_MS - 1), []);
    assert_eq!(at(NOW + CALL_MAX_MS), [("o a again".to_owned(), NOW + CALL_MAX_MS)]);
}

#[test]
fn a_pause_that_is_closed_is_told_though_the_call_that_closes_it_dies() {
    let world = pushed(session_of("a"));
    let World { store, bucket, .. } = &world;
    run(command::give(store, bucket, &session_of("a"), Cause::Stop, "call", NOW)).unwrap().unwrap();
    let over_ms = NOW + session_of("a").delay_ms();
    attend_at(&world, &timer("p a", over_ms), over_ms);
    let at = |at_ms| due_at(store, Lane::Tick, at_ms);
    assert_eq!(at(over_ms + CALL_MAX_MS - 1), []);
    assert_eq!(at(over_ms + CALL_MAX_MS), [("o a".to_owned(), over_ms + CALL_MAX_MS)]);
}

#[test]
fn chunks_before_an_order_are_waited_for_ever_more_seldom_up_to_a_minute() {
    let world = pushed(session_of("a"));
    let confirmed = file::Confirmed { generation: Generation { orders: 2, files: 1 }, chunks: 3 };
    run(file::confirm(&world.store, "a", confirmed)).unwrap();
    let (mut now_ms, mut seconds) = (NOW, Vec::new());
    for waits in 0..8 {
        attend_at(&world, &timer(&format!("c a {waits}"), now_ms), now_ms);
        let next = due_at(&world.store, Lane::Tick, now_ms + 60_000);
        let next = next.iter().find(|(what, _)| *what == format!("c a {}", waits + 1)).unwrap();
        seconds.push((next.1 - now_ms) / 1_000);
        now_ms = next.1;
        run(release_subject(&world.store, false, "c a")).unwrap();
    }
    assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60]);
}

#[test]
fn a_file_that_a_commit_completes_is_looked_at_though_its_call_dies() {
    let world = pushed(session_of("a"));
    run(world.bring_at("a", 0, 0, NOW)).unwrap();
    let prepared = match run(commit::prepare(&world.store, &world.bucket, "a", 1, NOW)).unwrap() {
        commit::Turn::Next(prepared) => prepared,
        other => panic!("{other:?}"),
    };
    run(commit(&world.store, &prepared, delivery(1, 1, Chunk::Slice(slice(1))), NOW)).unwrap();
    let now = run(due(&world.store, Lane::Tick, NOW)).unwrap();
    let now: Vec<_> =
        now.iter().filter(|timer| timer.what == "f a").map(|timer| timer.entries.len()).collect();
    assert_eq!(now, [1]);
    let later = run(due(&world.store, Lane::Tick, NOW + CALL_MAX_MS)).unwrap();
    let later: Vec<_> =
        later.iter().filter(|timer| timer.what == "f a").map(|timer| timer.entries.len()).collect();
    assert_eq!(later, [2]);
}
