//! Which recording a push goes on with, and what is left of one that comes to nothing.

use store::memory::{Actor, Outcome, run};

use super::gateways::{begin, tick};
use super::media::Push;
use super::sealing::stage::{KEPT, Stage, TODAY};
use super::world::{NOW, World, session_of};
use crate::event::{self, At, Fact, Kind, Trouble};
use crate::order::Cause;
use crate::rule::Mode;
use crate::session::{self, After, Session};
use crate::time::{CALL_MAX_MS, DAY_MS, OFFER_WAIT_MS};
use crate::wish::{self, Wish};
use crate::{command, decision};

const HOUR_MS: u64 = 3_600_000;

/// What a push continues that comes a second after another one, under the same rule.
fn continues(change: impl Fn(&mut Session), is_started: bool) -> Option<String> {
    let world = World::new();
    let changed = |id, began_ms| {
        let mut session = Session { began_ms, ..session_of(id) };
        change(&mut session);
        session
    };
    let mut first = Push::begin_as(&world, changed("a", NOW), None);
    if is_started {
        let World { store, bucket, .. } = &world;
        run(command::give(store, bucket, &first.session, Cause::Start, "call", NOW)).unwrap().unwrap();
    }
    first.slices(1);
    first.end(5_000);
    Push::begin_as(&world, changed("b", NOW + 6_000), Some(("a", 1_000))).session.continues
}

#[test]
fn a_push_that_is_not_recorded_from_its_begin_continues_nothing() {
    assert_eq!(continues(|_| {}, false).as_deref(), Some("a"));
    let waits_for_a_command = |session: &mut Session| session.rule.as_mut().unwrap().mode = Mode::Manual;
    assert_eq!(continues(waits_for_a_command, true), None);
    let waits_for_a_window =
        |session: &mut Session| session.rule.as_mut().unwrap().window_start = Some(NOW / 1_000 + 3_600);
    assert_eq!(continues(waits_for_a_window, true), None);
}

#[test]
fn a_push_under_another_rule_continues_nothing() {
    let world = World::new();
    let mut first = Push::begin(&world, "a", NOW, None);
    first.slices(1);
    first.end(5_000);
    let mut session = Session { began_ms: NOW + 6_000, ..session_of("b") };
    session.rule.as_mut().unwrap().formats[0].cycle_seconds += 1;
    assert_eq!(Push::begin_as(&world, session, Some(("a", 1_000))).session.continues, None);
}

/// Two gateways cannot tell whether their pushes overlap, and one may have lost its spool.
#[test]
fn a_push_continues_another_gateways_once_that_has_ended_and_its_chunks_are_there() {
    for (gateway, is_ended, chunks, expected) in [
        ("g", false, 2, Some("a")),
        ("g", true, 3, Some("a")),
        ("other", true, 2, Some("a")),
        ("other", true, 3, None),
        ("other", false, 2, None),
    ] {
        let world = World::new();
        let mut first = Push::begin(&world, "a", NOW, None);
        first.slices(2);
        if is_ended {
            run(session::end(&world.store, &world.bucket, "a", 0, 10_000, chunks, NOW + 10_000)).unwrap();
        }
        let session = Session { gateway: gateway.into(), began_ms: NOW + 11_000, ..session_of("b") };
        let after = After { session: "a".into(), gap_ms: 1_000 };
        let session = begin(&world, session, Some(after), NOW + 11_000);
        assert_eq!(session.continues.as_deref(), expected, "{gateway} {is_ended} {chunks}");
    }
}

#[test]
fn what_was_recorded_of_a_session_is_kept_for_so_long_after_its_day() {
    let expires_ms = TODAY + DAY_MS + KEPT.sessions_ms;
    let id = naming::session_id(TODAY + 5 * HOUR_MS, [1; 16]);
    assert!(!session::is_expired(&id, KEPT, TODAY));
    assert!(!session::is_expired(&id, KEPT, expires_ms));
    assert!(session::is_expired(&id, KEPT, expires_ms + 1));
    assert!(!session::is_expired("none of ours", KEPT, u64::MAX));
}

#[test]
fn an_offer_is_there_for_an_hour_however_often_ticks_come() {
    let world = World::new();
    world.offer("a", None);
    let is_there = || run(session::find(&world.store, "a")).unwrap().is_some();
    for minute in 0..60 {
        assert!(is_there(), "{minute}");
        tick(&world, NOW + minute * 60_000);
    }
    tick(&world, NOW + HOUR_MS + 60_000);
    tick(&world, NOW + HOUR_MS + 120_000);
    assert!(!is_there());
}

#[test]
fn an_offer_is_there_though_its_host_is_an_hour_behind_and_a_clock_steps() {
    for step_minutes in 0..=60 {
        let world = World::new();
        world.offer("a", None);
        let is_there = || run(session::find(&world.store, "a")).unwrap().is_some();
        let right_ms = NOW + HOUR_MS;
        let ahead_ms = right_ms + step_minutes * 60_000;
        for now_ms in [right_ms, ahead_ms, ahead_ms + OFFER_WAIT_MS - 1] {
            tick(&world, now_ms);
            assert!(is_there(), "{step_minutes} {now_ms}");
        }
        tick(&world, ahead_ms + OFFER_WAIT_MS);
        tick(&world, ahead_ms + 2 * OFFER_WAIT_MS);
        assert!(!is_there(), "{step_minutes}");
    }
}

/// The object is what an adoption writes first.
#[test]
fn an_adoption_that_died_on_its_way_is_completed() {
    let world = World::new();
    let session = world.offer("a", None);
    run(decision::decide(&world.bucket, "session/a", &Some(session))).unwrap();
    for minute in 0..65 {
        tick(&world, NOW + minute * 60_000);
    }
    let adopted = run(session::adopted(&world.store, "a")).unwrap().unwrap();
    assert_eq!(adopted.recording, "a");
}

/// A chunk may be on its way, whose commit is over by then.
#[test]
fn a_break_that_is_over_at_once_is_not_closed_while_a_chunk_may_come() {
    let world = World::new();
    let mut session = session_of("a");
    session.rule.as_mut().unwrap().delay_seconds = 0;
    let mut push = Push::begin_as(&world, session, None);
    push.slices(2);
    let ended_ms = NOW + 10_000;
    run(session::end_at_last(&world.store, &world.bucket, &push.session, ended_ms)).unwrap();
    let mut files = Vec::new();
    for second in 0..CALL_MAX_MS / 1_000 {
        files.extend(tick(&world, ended_ms + second * 1_000));
    }
    assert_eq!(files, [] as [&str; 0]);
    for second in 0..400 {
        files.extend(tick(&world, ended_ms + CALL_MAX_MS + second * 1_000));
    }
    assert_eq!(files, ["a0 a1"]);
}

/// A tick comes while its end is being noted, and finds nothing yet. Nobody tells the end again.
#[test]
fn a_break_that_is_over_at_once_is_closed_wherever_the_call_that_ends_its_push_dies() {
    let ended_ms = NOW + 10_000;
    // The tick comes after so many operations, and the call dies after so many more; answers whether it was over before.
    let is_over_at = |before: usize, more: usize| {
        let world = World::new();
        let mut session = session_of("a");
        session.rule.as_mut().unwrap().delay_seconds = 0;
        Push::begin_as(&world, session, None).slices(2);
        let (store, bucket) = (&world.store, &world.bucket);
        let mut ending: Actor<'_, ()> = Box::pin(async move {
            session::end(store, bucket, "a", 0, 10_000, 2, ended_ms).await.unwrap();
        });
        let mut step = || store.scheduler().step(&mut ending, Outcome::Applied).0.is_ready();
        if (0..before).any(|_| step()) {
            return true;
        }
        let mut files = tick(&world, ended_ms);
        let _ = (0..more).any(|_| step());
        for look in 0..200 {
            files.extend(tick(&world, ended_ms + look * 5_000));
        }
        assert_eq!(files, ["a0 a1"], "{before} {more}");
        false
    };
    let operations = (0..).find(|before| [1, 2, 3].map(|more| is_over_at(*before, more)).contains(&true));
    assert!(operations.is_some_and(|operations| operations > 20), "{operations:?}");
}

fn on_demand(id: &str) -> Session {
    let mut session = Session { began_ms: TODAY + HOUR_MS, tells_status: true, ..session_of(id) };
    session.rule.as_mut().unwrap().mode = Mode::OnDemand;
    session
}

fn wanted(record: bool, reason: Option<&str>) -> Wish {
    Wish { record, containers: None, cycles: Vec::new(), reason: reason.map(str::to_owned) }
}

#[test]
fn each_push_has_a_wish_of_its_own() {
    let world = World::new();
    let stream = session_of("").stream;
    let push = |gateway, push| wish::Push { stream: &stream, gateway, push };
    let wishes = [(push("g", "a"), wanted(true, None)), (push("g", "b"), wanted(false, Some("late")))];
    for (push, wish) in &wishes {
        assert_eq!(run(wish::decide(&world.bucket, *push, wish)).unwrap(), *wish);
    }
    // What was decided first holds.
    assert_eq!(run(wish::decide(&world.bucket, push("g", "b"), &wanted(true, None))).unwrap(), wishes[1].1);
    for (push, wish) in wishes {
        assert_eq!(run(wish::find(&world.bucket, push)).unwrap(), Some(wish));
    }
    assert_eq!(run(wish::find(&world.bucket, push("other", "a"))).unwrap(), None);
}

#[test]
fn that_nobody_said_to_record_is_told_with_the_reason() {
    let world = World::new();
    let session = on_demand("b");
    let push = wish::Push { stream: &session.stream, gateway: "g", push: "b" };
    run(wish::decide(&world.bucket, push, &wanted(false, Some("no answer")))).unwrap();
    let automatic = Session { tells_status: true, ..session_of("b") };
    let told = |id| {
        let at = At { recording: id, kind: Kind::Unanswered, number: 0 };
        run(event::get(&world.store, at)).unwrap().map(|event| event.fact)
    };
    run(event::note_unanswered(&world.store, &world.bucket, &automatic, NOW)).unwrap();
    assert_eq!(told("b"), None);
    run(event::note_unanswered(&world.store, &world.bucket, &session, NOW)).unwrap();
    assert_eq!(told("b"), Some(Fact::Trouble(Trouble::Unanswered("no answer".into()))));
}

/// A wish goes with the push that it was for, whether that was adopted or not, and no other one's does.
#[test]
fn no_wish_is_left_beyond_retention() {
    let world = World::new();
    for id in ["20200101-a", "20200101-b"] {
        let session = on_demand(id);
        let push = wish::Push { stream: &session.stream, gateway: "g", push: id };
        run(wish::decide(&world.bucket, push, &wanted(true, None))).unwrap();
    }
    let offered = Session { is_wanted: true, ..on_demand("20200101-a") };
    let now_ms = offered.began_ms;
    run(session::offer(&world.store, &world.bucket, offered, None, None, now_ms)).unwrap();
    let mut push = Push::begin_as(&world, Session { is_wanted: true, ..on_demand("20200101-b") }, None);
    push.slices(5);
    push.end(25_000);
    let mut stage = Stage::new(world);
    stage.leap_until(TODAY + 30 * DAY_MS);
    assert_eq!(stage.objects("decision/wish/"), 2);
    stage.leap_until(TODAY + 190 * DAY_MS);
    assert_eq!(stage.world.bucket.names(), [] as [&str; 0]);
}
