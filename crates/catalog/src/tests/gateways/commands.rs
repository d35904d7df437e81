//! Commands, and whether gateways hear of them.

use store::counter;
use store::memory::{Actor, Random, every_schedule};

use super::*;
use crate::command::{self, Refusal};
use crate::file::Confirmed;
use crate::order::{Cause, Generation};
use crate::time::CALL_MAX_MS;
use crate::timer::Timer;
use crate::{changes, decision, key};

const BOOT: &str = "spool.1";

pub(crate) fn give(world: &World, cause: Cause, now_ms: u64) -> Result<(), Refusal> {
    let (stream, call) = (session_of("").stream, format!("{cause:?} {now_ms}"));
    run(live::give(&world.store, &world.bucket, &stream, cause, &call, now_ms)).unwrap()
}

pub(crate) fn orders(world: &World) -> Vec<String> {
    let orders = run(command::orders(&world.store, &world.bucket, &session_of("a"))).unwrap();
    orders.iter().map(|order| format!("{} {:?}", order.generation, order.cause)).collect()
}

#[test]
fn a_command_goes_to_every_live_push_and_is_refused_if_none_can_take_it() {
    let world = World::new();
    assert_eq!(give(&world, Cause::Stop, NOW), Err(Refusal::NotPushed));
    push(&world, "a", "g", BOOT, NOW);
    push(&world, "b", "other", BOOT, NOW);
    assert_eq!(give(&world, Cause::Start, NOW), Err(Refusal::Recording));
    assert_eq!(give(&world, Cause::Stop, NOW + 1), Ok(()));
    push(&world, "c", "other", BOOT, NOW + 2);
    // The third is recorded: it cannot start, and the other two can.
    assert_eq!(give(&world, Cause::Start, NOW + 3), Ok(()));
    for (gateway, expected) in [("g", vec!["a"]), ("other", vec!["b"])] {
        let heard = hear(&world, &beat(gateway, BOOT, Some(0)), NOW + 4);
        let ids: Vec<&str> = heard.sessions.iter().map(|(session, _)| session.id.as_str()).collect();
        assert_eq!(ids, expected);
        assert!(heard.sessions.iter().all(|(_, orders)| orders.len() == 3));
        // It is told once.
        let again = hear(&world, &beat(gateway, BOOT, Some(heard.since)), NOW + 5);
        assert!(again.sessions.is_empty());
    }
}

#[test]
fn a_command_before_the_first_heartbeat_that_is_answered_is_heard_and_nothing_else_is() {
    let world = World::new();
    push(&world, "a", "g", BOOT, NOW);
    push(&world, "b", "g", "spool.0", NOW);
    assert!(hear(&world, &beat("g", BOOT, None), NOW).sessions.is_empty());
    assert_eq!(give(&world, Cause::Stop, NOW + 1), Ok(()));
    // The answer was lost, so that it asks anew.
    let heard = hear(&world, &Beat { holds: vec!["b".into()], ..beat("g", BOOT, None) }, NOW + 2);
    let ids: Vec<&str> = heard.sessions.iter().map(|(session, _)| session.id.as_str()).collect();
    assert_eq!(ids, ["a"]);
}

#[test]
fn files_of_two_orders_that_are_confirmed_before_their_chunks_are_there_close_once_they_are() {
    let world = World::new();
    push(&world, "a", "g", BOOT, NOW);
    let confirmed = |files, chunks| {
        let generation = Generation { orders: files + 1, files };
        ("a".to_owned(), Confirmed { generation, chunks })
    };
    let told = Beat { confirmed: vec![confirmed(1, 1), confirmed(2, 3)], ..beat("g", BOOT, None) };
    hear(&world, &told, NOW);
    assert_eq!(ticks(&world, NOW, 2), []);
    run(world.bring_at("a", 0, 0, NOW + 2 * SECOND)).unwrap();
    let first: Vec<_> = ticks(&world, NOW + 2 * SECOND, 8).into_iter().map(|(_, file)| file).collect();
    assert_eq!(first, ["a0"]);
    run(world.bring_at("a", 1, 1, NOW + 10 * SECOND)).unwrap();
    run(world.bring_at("a", 2, 1, NOW + 10 * SECOND)).unwrap();
    // Nothing more is pushed, and the push goes on.
    let second = ticks_and_beats(&world, "g", BOOT, NOW + 10 * SECOND, 30);
    assert_eq!(second.into_iter().map(|(_, file)| file).collect::<Vec<_>>(), ["a1 a2"]);
}

#[test]
fn a_command_between_a_begin_and_the_first_heartbeat_is_heard_however_they_race() {
    let (mut at_once, mut next_time) = (0, 0);
    for seed in 1..600 {
        let world = World::new();
        push(&world, "a", "g", BOOT, NOW);
        let (stream, first) = (session_of("").stream, beat("g", BOOT, None));
        let heard = std::cell::RefCell::new(gateway::Changes::default());
        let commanding: Actor<'_, ()> = Box::pin(async {
            let given = live::give(&world.store, &world.bucket, &stream, Cause::Stop, "stop", NOW).await;
            given.unwrap().unwrap();
        });
        let beating: Actor<'_, ()> = Box::pin(async {
            *heard.borrow_mut() = gateway::beat(&world.store, &world.bucket, &first, NOW).await.unwrap();
        });
        world.store.scheduler().run(vec![commanding, beating], Random::new(seed).lopsided());
        let first = heard.into_inner();
        let second = hear(&world, &beat("g", BOOT, Some(first.since)), NOW + SECOND);
        let has_stop = |changes: &Changes| changes.sessions.iter().any(|(_, orders)| orders.len() == 2);
        assert!(has_stop(&first) || has_stop(&second), "seed {seed}: {first:?} {second:?}");
        at_once += usize::from(has_stop(&first));
        next_time += usize::from(has_stop(&second) && !has_stop(&first));
    }
    assert!(at_once > 50 && next_time > 50, "{at_once} {next_time}");
}

#[test]
fn a_heartbeat_that_asks_from_now_on_costs_what_is_live_and_not_what_ever_was() {
    let world = World::new();
    let mut costs = Vec::new();
    for number in 0..400 {
        let now_ms = NOW + number * 10 * SECOND;
        let id = format!("e{number}");
        push(&world, &id, "g", BOOT, now_ms);
        assert_eq!(give(&world, Cause::Stop, now_ms), Ok(()));
        hear(&world, &beat("g", BOOT, Some(number)), now_ms);
        if number % 40 == 39 {
            let before = world.store.operations();
            let ids = |changes: Changes| changes.sessions.into_iter().map(|(session, _)| session.id);
            let heard = hear(&world, &beat("g", BOOT, None), now_ms);
            assert!(ids(heard).eq([id.clone()]));
            costs.push(world.store.operations() - before);
        }
        run(session::end(&world.store, &world.bucket, &id, 0, 5_000, 0, now_ms)).unwrap();
        ticks_and_beats(&world, "g", BOOT, now_ms + SECOND, 9);
    }
    assert!(costs.iter().all(|cost| *cost <= costs[0] + 8), "{costs:?}");
}

/// What becomes of a push of ten seconds that was stopped then, ended 110 s after its begin and came back `back_s` after
/// it: the recording of the next push, and the seconds in which files close.
fn paused_before_its_end(
    back_s: Option<u64>,
    is_started_again: bool,
    is_end_told: bool,
) -> (String, Vec<u64>) {
    let world = World::new();
    push(&world, "a", "g", BOOT, NOW);
    world.bring_all("a", 0..2);
    assert_eq!(give(&world, Cause::Stop, NOW + 10 * SECOND), Ok(()));
    if is_started_again {
        assert_eq!(give(&world, Cause::Start, NOW + 100 * SECOND), Ok(()));
    }
    let mut files = ticks_and_beats(&world, "g", BOOT, NOW, 110);
    let end =
        || run(session::end(&world.store, &world.bucket, "a", 0, 110_000, 2, NOW + 110 * SECOND)).unwrap();
    if is_end_told {
        end();
    }
    let recording = back_s.map_or(String::new(), |back_s| {
        let after = After { session: "a".into(), gap_ms: (back_s - 110) * SECOND };
        let back_ms = NOW + back_s * SECOND;
        let session = Session { began_ms: back_ms, ..session_of("b") };
        // Whatever the tick does first.
        begin(&world, session, Some(after), back_ms);
        run(session::adopted(&world.store, "b")).unwrap().unwrap().recording
    });
    end();
    files.extend(ticks_and_beats(&world, "g", BOOT, NOW + 110 * SECOND, 300));
    (recording, files.into_iter().map(|(second, _)| second + 110).collect())
}

#[test]
fn a_pause_before_an_end_counts_into_the_break() {
    let (_, closed_s) = paused_before_its_end(None, false, true);
    assert!(matches!(closed_s[..], [190..=193]), "{closed_s:?}");
    let (_, closed_s) = paused_before_its_end(None, true, true);
    assert!(matches!(closed_s[..], [290..=293]), "{closed_s:?}");
    // 180 s from the stop, and a second more.
    assert_eq!(paused_before_its_end(Some(190), false, true).0, "a");
    assert_eq!(paused_before_its_end(Some(191), false, true).0, "b");
    assert_eq!(paused_before_its_end(Some(191), true, true).0, "a");
    // The gateway may not have heard of the stop: what was recorded to the end is not known yet.
    assert_eq!(paused_before_its_end(Some(191), false, false).0, "a");
}

#[test]
fn a_pause_that_lasts_closes_the_file_and_one_that_a_start_ends_does_not() {
    for is_resumed in [false, true] {
        let world = World::new();
        push(&world, "a", "g", BOOT, NOW);
        assert_eq!(give(&world, Cause::Stop, NOW + SECOND), Ok(()));
        if is_resumed {
            assert_eq!(give(&world, Cause::Start, NOW + 180 * SECOND), Ok(()));
            // A second pause begins, for which the first one's timer is too early.
            assert_eq!(give(&world, Cause::Stop, NOW + 180 * SECOND + 1), Ok(()));
        }
        ticks_and_beats(&world, "g", BOOT, NOW, 183);
        let expected: &[&str] = if is_resumed {
            &["1.0 Begin", "2.0 Stop", "3.0 Start", "4.0 Stop"]
        } else {
            &["1.0 Begin", "2.0 Stop", "3.1 CancelDelay"]
        };
        assert_eq!(orders(&world), expected);
    }
}

#[test]
fn a_pause_ends_though_its_order_is_later_than_the_call_that_gave_it() {
    let world = World::new();
    push(&world, "a", "g", BOOT, NOW);
    assert_eq!(give(&world, Cause::Stop, NOW + 10 * SECOND), Ok(()));
    // A host whose clock is a second ahead takes the one, and another the other.
    assert_eq!(give(&world, Cause::Start, NOW + 101 * SECOND), Ok(()));
    assert_eq!(give(&world, Cause::Stop, NOW + 100 * SECOND), Ok(()));
    ticks_and_beats(&world, "g", BOOT, NOW, 284);
    assert_eq!(orders(&world), ["1.0 Begin", "2.0 Stop", "3.0 Start", "4.0 Stop", "5.1 CancelDelay"]);
}

#[test]
fn a_pause_that_its_gateway_had_not_heard_of_is_no_part_of_the_break() {
    let world = World::new();
    push(&world, "a", "g", BOOT, NOW);
    hear(&world, &beat("g", BOOT, None), NOW);
    world.bring_all("a", 0..2);
    assert_eq!(give(&world, Cause::Stop, NOW + 10 * SECOND), Ok(()));
    // What was spooled meanwhile comes after the end.
    run(session::end(&world.store, &world.bucket, "a", 0, 110_000, 22, NOW + 110 * SECOND)).unwrap();
    ticks_and_beats(&world, "g", BOOT, NOW + 110 * SECOND, 5);
    world.bring_all("a", 2..22);
    assert_eq!(ticks_and_beats(&world, "g", BOOT, NOW + 115 * SECOND, 170), []);
    let after = After { session: "a".into(), gap_ms: 175_000 };
    begin(&world, session_of("b"), Some(after), NOW + 285 * SECOND);
    assert_eq!(run(session::adopted(&world.store, "b")).unwrap().unwrap().recording, "a");
}

#[test]
fn a_tick_whose_clock_is_ahead_ends_no_pause_and_no_offer() {
    let world = World::new();
    push(&world, "a", "g", BOOT, NOW);
    world.offer("b", None);
    assert_eq!(give(&world, Cause::Stop, NOW + SECOND), Ok(()));
    ticks(&world, NOW + 2 * 3_600_000, 30);
    assert_eq!(orders(&world), ["1.0 Begin", "2.0 Stop"]);
    assert!(run(session::get(&world.store, &world.bucket, "b")).is_ok());
    // It is as late as that by its own clock.
    ticks(&world, NOW + 2 * 3_600_000 + 30 * SECOND, 160);
    assert_eq!(orders(&world)[2], "3.1 CancelDelay");
}

#[test]
fn a_start_that_comes_as_a_pause_is_over_is_before_or_after_that_and_both_hold() {
    let mut outcomes = std::collections::BTreeMap::new();
    let now_ms = NOW + 181 * SECOND;
    every_schedule(|next| {
        let world = World::new();
        let session = push(&world, "a", "g", BOOT, NOW);
        assert_eq!(give(&world, Cause::Stop, NOW + SECOND), Ok(()));
        let start: Actor<'_, ()> = Box::pin(async {
            let (store, bucket) = (&world.store, &world.bucket);
            let given = command::give(store, bucket, &session, Cause::Start, "start", now_ms).await.unwrap();
            assert!(given.is_ok());
        });
        let over: Actor<'_, ()> = Box::pin(async {
            command::pause_over(&world.store, &world.bucket, &session, now_ms).await.unwrap();
        });
        world.store.scheduler().run(vec![start, over], next);
        *outcomes.entry(orders(&world)[2..].join(", ")).or_insert(0) += 1;
    });
    let found: Vec<&str> = outcomes.keys().map(String::as_str).collect();
    assert_eq!(found, ["3.0 Start", "3.1 CancelDelay, 4.1 Start"], "{outcomes:?}");
}

#[test]
fn a_change_that_is_noted_as_the_gateway_asks_is_heard_at_once_or_next() {
    let mut at_once = 0;
    let schedules = every_schedule(|next| {
        let world = World::new();
        let store = &world.store;
        let noting: Actor<'_, Option<changes::News>> = Box::pin(async {
            changes::notify(store, "g", "first").await.unwrap();
            changes::notify(store, "g", "second").await.unwrap();
            None
        });
        let asking: Actor<'_, Option<changes::News>> =
            Box::pin(async { Some(changes::after(store, "g", 0, None, NOW).await.unwrap()) });
        let mut found = store.scheduler().run(vec![noting, asking], next);
        let news = found.pop().flatten().flatten().unwrap();
        at_once += usize::from(!news.sessions.is_empty());
        let next = run(changes::after(store, "g", news.since, news.hole, NOW + 1)).unwrap();
        for session in ["first", "second"] {
            let is_heard = [&news, &next].iter().any(|news| news.sessions.iter().any(|id| id == session));
            assert!(is_heard, "{session}: {news:?} {next:?}");
        }
        assert_eq!((next.since, next.hole.is_some()), (2, news.hole.is_some()));
    });
    assert!(at_once > 0 && at_once < schedules, "{at_once} of {schedules}");
}

/// A call has drawn its number and stalls, while two hosts whose clocks are an hour apart take turns.
#[test]
fn a_change_whose_call_stalls_is_heard_whichever_host_looks() {
    let world = World::new();
    let store = &world.store;
    run(counter::add(store, &format!("{}.n", key::changes("g")), 1)).unwrap();
    run(changes::notify(store, "g", "second")).unwrap();
    let mut news = changes::News::default();
    for beat in 0..240 {
        let ahead_ms = if beat % 2 == 1 { 3_600_000 } else { 0 };
        news = run(changes::after(store, "g", news.since, news.hole, NOW + beat * 2_000 + ahead_ms)).unwrap();
        assert!(beat >= 60 || news.since == 0, "given up {} s after it was drawn", beat * 2);
    }
    assert_eq!(news.since, 2, "waited for in vain");
}

/// Whether the first command is in the log. To read the log as the catalog does would mend what a call that died left.
fn is_commanded(world: &World) -> bool {
    let entry: Option<serde_json::Value> =
        run(decision::find(&world.bucket, &command::entry_name("a", 0))).unwrap();
    entry.is_some()
}

#[test]
fn no_order_stays_unheard_whatever_dies() {
    let (mut late, mut by_timer) = (0, 0);
    for seed in 1..=1_500 {
        let cause = [Cause::Stop, Cause::Restart][seed as usize % 2];
        let world = World::new();
        push(&world, "a", "g", BOOT, NOW);
        let since = hear(&world, &beat("g", BOOT, None), NOW).since;
        let stream = session_of("").stream;
        let (asked, answered) = (beat("g", BOOT, Some(since)), std::cell::Cell::new(since));
        let commanding: Actor<'_, ()> = Box::pin(async {
            let (store, bucket) = (&world.store, &world.bucket);
            let _ = live::give(store, bucket, &stream, cause, "call", NOW).await;
        });
        let beating: Actor<'_, ()> = Box::pin(async {
            if let Ok(changes) = gateway::beat(&world.store, &world.bucket, &asked, NOW).await {
                answered.set(changes.since);
                if changes.sessions.iter().any(|(_, orders)| orders.len() == 2) {
                    answered.set(u64::MAX);
                }
            }
        });
        let mut random = Random::new(seed);
        world.store.scheduler().run(vec![commanding, beating], random.faulty(12));
        if !is_commanded(&world) || answered.get() == u64::MAX {
            continue;
        }
        let mut since = answered.get();
        let mut heard_at = None;
        for second in 1..CALL_MAX_MS / SECOND + 5 {
            tick(&world, NOW + second * SECOND);
            let changes = hear(&world, &beat("g", BOOT, Some(since)), NOW + second * SECOND);
            since = changes.since;
            let is_heard = changes.sessions.iter().any(|(_, orders)| orders.len() >= 2);
            heard_at = heard_at.or(is_heard.then_some(second));
        }
        match heard_at.unwrap_or_else(|| panic!("seed {seed}: unheard")) {
            1..=2 => late += 1,
            _ => by_timer += 1,
        }
    }
    assert!(late > 20 && by_timer > 20, "{late} {by_timer}");
}

/// A host whose clock is an hour ahead looks for the order while it is being given, and the call dies then.
#[test]
fn an_order_is_heard_although_it_was_looked_for_too_early() {
    let world = World::new();
    push(&world, "a", "g", BOOT, NOW);
    let since = hear(&world, &beat("g", BOOT, None), NOW).since;
    let ahead_ms = NOW + 3_600_000;
    run(crate::timer::set(&world.store, NOW + CALL_MAX_MS, "o a")).unwrap();
    tick(&world, ahead_ms);
    run(command::give(&world.store, &world.bucket, &session_of("a"), Cause::Stop, "call", NOW))
        .unwrap()
        .unwrap();
    let is_heard = (1..CALL_MAX_MS / SECOND + 5).any(|second| {
        tick(&world, ahead_ms + second * SECOND);
        let changes = hear(&world, &beat("g", BOOT, Some(since)), NOW + second * SECOND);
        changes.sessions.iter().any(|(_, orders)| orders.len() == 2)
    });
    assert!(is_heard);
}

/// Whoever gives a command again, whose first call died, need not wait for a timer.
#[test]
fn an_order_that_is_given_again_is_heard_at_once() {
    let world = World::new();
    push(&world, "a", "g", BOOT, NOW);
    let since = hear(&world, &beat("g", BOOT, None), NOW).since;
    run(command::give(&world.store, &world.bucket, &session_of("a"), Cause::Stop, "call", NOW))
        .unwrap()
        .unwrap();
    assert!(hear(&world, &beat("g", BOOT, Some(since)), NOW).sessions.is_empty());
    assert!(give(&world, Cause::Stop, NOW + SECOND).is_err());
    let heard = hear(&world, &beat("g", BOOT, Some(since)), NOW + SECOND);
    assert_eq!(heard.sessions.len(), 1);
}

#[test]
fn a_timer_that_fails_or_whose_tick_dies_comes_back() {
    let world = World::new();
    let store = &world.store;
    run(crate::timer::set(store, NOW, "f a")).unwrap();
    // A tick takes it and dies; another one has to wait.
    let attend = |timer: &Timer, now_ms| run(due::attend(store, &world.bucket, timer, KEPT, now_ms)).unwrap();
    let timers = run(due::due(store, due::Lane::Tick, NOW)).unwrap();
    assert_eq!(timers.len(), 1);
    assert_eq!(attend(&timers[0], NOW), Some(vec!["a".to_owned()]));
    assert_eq!(attend(&timers[0], NOW + 59_999), None);
    // Hours later it is there still, and fails ever again.
    let (mut now_ms, mut waits) = (NOW + 5 * 3_600_000, Vec::new());
    for _ in 0..9 {
        let timers = run(due::due(store, due::Lane::Tick, now_ms)).unwrap();
        assert_eq!(timers.iter().map(|timer| timer.what.as_str()).collect::<Vec<_>>(), ["f a"]);
        assert_eq!(attend(&timers[0], now_ms), Some(vec!["a".to_owned()]));
        let wait = run(due::settle(store, &[], &timers, &[], now_ms)).unwrap()[0];
        assert_eq!(run(due::due(store, due::Lane::Tick, now_ms + wait * SECOND - 1)).unwrap(), []);
        now_ms += wait * SECOND;
        waits.push(wait);
    }
    assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
}
