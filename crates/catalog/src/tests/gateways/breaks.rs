//! Breaks and ends.

use store::memory::{Actor, Random};

use super::*;
use crate::decision::WorkBucket as _;
use crate::file::Confirmed;
use crate::gateway::check_boot;
use crate::order::Generation;
use crate::session::Resends;
use crate::time::OFFER_WAIT_MS;

const BOOT: &str = "spool.1";

/// A push of two chunks that ended ten seconds after its begin.
fn ended() -> World {
    let world = World::new();
    push(&world, "a", "g", BOOT, NOW);
    hear(&world, &beat("g", BOOT, None), NOW);
    world.bring_all("a", 0..2);
    run(session::end(&world.store, &world.bucket, "a", 0, 10_000, 2, NOW + 10 * SECOND)).unwrap();
    world
}

#[test]
fn a_break_closes_once_its_gateway_has_told_everything_up_to_the_delay() {
    let world = ended();
    let files = ticks_and_beats(&world, "g", BOOT, NOW + 10 * SECOND, 300);
    assert!(matches!(&files[..], [(180..=182, file)] if file == "a0 a1"), "{files:?}");
    assert_eq!(live_ids(&world, NOW + 300 * SECOND), [] as [&str; 0]);
}

#[test]
fn a_break_waits_for_what_its_gateway_has_not_told() {
    let world = ended();
    let began_ms = NOW + 10 * SECOND;
    for second in 0..400 {
        let untold = Beat { told_ms: second * SECOND, ..beat("g", BOOT, Some(0)) };
        hear(&world, &untold, began_ms + second * SECOND);
        assert_eq!(tick(&world, began_ms + second * SECOND), [] as [&str; 0]);
    }
    // What it had not told: a push a second after the one before.
    let after = After { session: "a".into(), gap_ms: 1_000 };
    let session = Session { boot: BOOT.into(), ..session_of("b") };
    begin(&world, session, Some(after), began_ms + 400 * SECOND);
    let adopted = run(session::adopted(&world.store, "b")).unwrap().unwrap();
    assert_eq!(adopted.recording, "a");
}

#[test]
fn a_break_closes_a_minute_after_the_delay_if_its_gateway_is_silent() {
    let world = ended();
    let files = ticks(&world, NOW + 10 * SECOND, 400);
    assert!(matches!(&files[..], [(240..=251, file)] if file == "a0 a1"), "{files:?}");
}

#[test]
fn a_break_is_not_closed_early_by_a_clock_that_is_ahead() {
    for seed in 1..30 {
        let world = ended();
        let mut random = store::memory::Random::new(seed);
        for second in 10..188 {
            let mut clock = || NOW + second * SECOND + if random.below(2) == 0 { 3_600_000 } else { 0 };
            hear(&world, &beat("g", BOOT, Some(0)), clock());
            assert_eq!(tick(&world, clock()), [] as [&str; 0], "seed {seed}, second {second}");
        }
        let after = After { session: "a".into(), gap_ms: 178_000 };
        begin(&world, session_of("b"), Some(after), NOW + 188 * SECOND);
        assert_eq!(run(session::adopted(&world.store, "b")).unwrap().unwrap().recording, "a", "seed {seed}");
    }
}

/// Hosts agree within a second. A heartbeat that is sent twice comes to both, and the end is told between two of them.
#[test]
fn a_push_that_comes_as_late_as_it_may_goes_on_though_heartbeats_are_doubled() {
    for seed in 1..200 {
        let world = World::new();
        let mut random = Random::new(seed);
        let mut at = |ms: u64| NOW + ms - 300 + 600 * random.below(2) as u64;
        push(&world, "a", "g", BOOT, at(0));
        world.bring_all("a", 0..2);
        for second in 0..=190 {
            for _ in 0..1 + second % 2 {
                hear(&world, &beat("g", BOOT, Some(0)), at(second * SECOND));
            }
            if second == 10 {
                let now_ms = at(10_900);
                run(session::end(&world.store, &world.bucket, "a", 900, 10_000, 2, now_ms)).unwrap();
            }
            assert_eq!(tick(&world, at(second * SECOND)), [] as [&str; 0], "seed {seed}, second {second}");
        }
        let after = After { session: "a".into(), gap_ms: 180_000 };
        begin(&world, session_of("b"), Some(after), at(191_000));
        assert_eq!(run(session::adopted(&world.store, "b")).unwrap().unwrap().recording, "a", "seed {seed}");
    }
}

/// Heartbeats come to two hosts in turn, one of which is ahead.
#[test]
fn a_break_closes_in_time_though_hosts_that_differ_take_turns() {
    for (ahead_ms, latest_s) in [(0, 182), (2_500, 200), (30_000, 280), (3_600_000, 280)] {
        let world = ended();
        let closed_s = (10..600).find(|second| {
            let ahead_ms = if second % 2 == 0 { ahead_ms } else { 0 };
            let now_ms = NOW + second * SECOND + ahead_ms;
            hear(&world, &beat("g", BOOT, Some(0)), now_ms);
            !tick(&world, now_ms).is_empty()
        });
        let closed_s = closed_s.map(|second| second - 10);
        assert!(closed_s.is_some_and(|at_s| (180..=latest_s).contains(&at_s)), "{ahead_ms} ms: {closed_s:?}");
    }
}

#[test]
fn a_break_is_not_closed_early_where_only_a_host_that_is_ahead_hears_its_gateway() {
    const AHEAD_MS: u64 = 3_600_000;
    let world = World::new();
    // The other host takes the begin and the end.
    push(&world, "a", "g", BOOT, NOW);
    world.bring_all("a", 0..2);
    let hears = |second| hear(&world, &beat("g", BOOT, Some(0)), NOW + second * SECOND + AHEAD_MS);
    (0..10).for_each(|second| drop(hears(second)));
    run(session::end(&world.store, &world.bucket, "a", 0, 10_000, 2, NOW + 10 * SECOND)).unwrap();
    for second in 10..188 {
        hears(second);
        assert_eq!(tick(&world, NOW + second * SECOND + AHEAD_MS), [] as [&str; 0], "second {second}");
    }
    let after = After { session: "a".into(), gap_ms: 178_000 };
    begin(&world, session_of("b"), Some(after), NOW + 188 * SECOND);
    assert_eq!(run(session::adopted(&world.store, "b")).unwrap().unwrap().recording, "a");
}

/// The call of one host dies once it has noted the end, and the other one takes it again.
#[test]
fn a_break_is_not_closed_early_where_a_host_that_is_ahead_has_noted_the_end() {
    const AHEAD_MS: u64 = 2_700_000;
    let world = World::new();
    push(&world, "a", "g", BOOT, NOW);
    world.bring_all("a", 0..2);
    let hears = |second| hear(&world, &beat("g", BOOT, Some(0)), NOW + second * SECOND + AHEAD_MS);
    (0..12).for_each(|second| drop(hears(second)));
    for (ended_ago_ms, ahead_ms) in [(1_000, AHEAD_MS), (2_000, 0)] {
        let now_ms = NOW + 10 * SECOND + ended_ago_ms + ahead_ms;
        run(session::end(&world.store, &world.bucket, "a", ended_ago_ms, 10_000, 2, now_ms)).unwrap();
    }
    for second in 12..188 {
        hears(second);
        assert_eq!(tick(&world, NOW + second * SECOND + AHEAD_MS), [] as [&str; 0], "second {second}");
    }
    let files = ticks_and_beats(&world, "g", BOOT, NOW + 188 * SECOND + AHEAD_MS, 60);
    assert!(matches!(&files[..], [(2..=12, file)] if file == "a0 a1"), "{files:?}");
}

#[test]
fn an_end_that_is_told_late_closes_its_break_no_later() {
    let world = World::new();
    push(&world, "a", "g", BOOT, NOW);
    world.bring_all("a", 0..2);
    let hears = |second| hear(&world, &beat("g", BOOT, Some(0)), NOW + second * SECOND);
    (0..70).for_each(|second| drop(hears(second)));
    // A connection that was dead for a minute.
    run(session::end(&world.store, &world.bucket, "a", 60_000, 10_000, 2, NOW + 70 * SECOND)).unwrap();
    let files = ticks_and_beats(&world, "g", BOOT, NOW + 70 * SECOND, 180);
    assert!(matches!(&files[..], [(120..=122, file)] if file == "a0 a1"), "{files:?}");
}

#[test]
fn the_files_of_an_ended_session_close_wherever_its_end_was_interrupted() {
    let ends = |operation: Option<u64>| {
        let world = World::new();
        push(&world, "a", "g", BOOT, NOW);
        hear(&world, &beat("g", BOOT, None), NOW);
        world.bring_all("a", 0..2);
        let (store, bucket) = (&world.store, &world.bucket);
        store.break_at(operation.unwrap_or(u64::MAX));
        // A later boot of the spool leaves it out: no gateway ends it.
        let _ = run(gateway::beat(store, bucket, &beat("g", "spool.2", None), NOW + 12 * SECOND));
        let operations = store.operations();
        store.mend();
        let files = ticks_and_beats(&world, "g", "spool.2", NOW + 13 * SECOND, 600);
        let files: Vec<_> = files.iter().map(|(_, file)| file.as_str()).collect();
        assert_eq!(files, ["a0 a1"], "{operation:?}");
        operations
    };
    let operations = ends(None);
    (0..operations).for_each(|operation| {
        ends(Some(operation));
    });
}

/// The tick of a host that is an hour ahead comes to the look at a break before the end is noted.
#[test]
fn the_file_of_an_ended_session_closes_though_the_next_host_is_an_hour_ahead() {
    for seed in 1..500 {
        let world = World::new();
        push(&world, "a", "g", BOOT, NOW);
        hear(&world, &beat("g", BOOT, None), NOW);
        world.bring_all("a", 0..2);
        let (store, bucket) = (&world.store, &world.bucket);
        let ending: Actor<'_, ()> = Box::pin(async {
            session::end(store, bucket, "a", 0, 10 * SECOND, 2, NOW + 12 * SECOND).await.unwrap();
        });
        let ahead_ms = NOW + 3_600_000;
        let ticking: Actor<'_, ()> = Box::pin(async {
            for second in 0..8 {
                let now_ms = ahead_ms + second * SECOND;
                for timer in due::due(store, due::Lane::Tick, now_ms).await.unwrap() {
                    due::attend(store, bucket, &timer, KEPT, now_ms).await.unwrap();
                    due::settle(store, &[timer], &[], &[], now_ms).await.unwrap();
                }
            }
        });
        world.store.scheduler().run(vec![ending, ticking], Random::new(seed).fair());
        let files = ticks_and_beats(&world, "g", BOOT, ahead_ms + 13 * SECOND, 600);
        let files: Vec<_> = files.iter().map(|(_, file)| file.as_str()).collect();
        assert_eq!(files, ["a0 a1"], "seed {seed}");
    }
}

#[test]
fn an_end_that_is_told_while_chunks_wait_closes_the_file_with_the_last_of_them() {
    let world = World::new();
    push(&world, "a", "g", BOOT, NOW);
    world.bring_all("a", 0..2);
    run(session::end(&world.store, &world.bucket, "a", 0, 15_000, 3, NOW + 15 * SECOND)).unwrap();
    assert_eq!(ticks_and_beats(&world, "g", BOOT, NOW + 15 * SECOND, 400), []);
    run(world.bring_at("a", 2, 0, NOW + 415 * SECOND)).unwrap();
    let files = ticks_and_beats(&world, "g", BOOT, NOW + 415 * SECOND, 70);
    assert_eq!(files.iter().map(|(_, file)| file.as_str()).collect::<Vec<_>>(), ["a0 a1 a2"]);
}

#[test]
fn chunks_that_a_silent_gateway_never_brings_keep_no_file_open() {
    let world = World::new();
    push(&world, "a", "g", BOOT, NOW);
    hear(&world, &beat("g", BOOT, None), NOW);
    world.bring_all("a", 0..2);
    run(session::end(&world.store, &world.bucket, "a", 0, 15_000, 3, NOW + 15 * SECOND)).unwrap();
    let files = ticks(&world, NOW + 15 * SECOND, 900);
    assert_eq!(files.iter().map(|(_, file)| file.as_str()).collect::<Vec<_>>(), ["a0 a1"]);
    // Nor is anything looked at any more until they come.
    let due = run(due::due(&world.store, due::Lane::Tick, NOW + 914 * SECOND + 200_000)).unwrap();
    assert!(due.is_empty(), "{due:?}");
    run(world.bring_at("a", 2, 0, NOW + 915 * SECOND)).unwrap();
    let files = ticks(&world, NOW + 915 * SECOND, 300);
    assert_eq!(files.iter().map(|(_, file)| file.as_str()).collect::<Vec<_>>(), ["a2"]);
}

#[test]
fn a_push_on_another_gateway_continues_only_what_has_ended() {
    let delay_ms = 180_000;
    let recording_of = |gap_ms: u64, has_ended: bool| {
        let world = World::new();
        push(&world, "a", "g", BOOT, NOW);
        world.bring_all("a", 0..2);
        if has_ended {
            run(session::end(&world.store, &world.bucket, "a", 0, 10_000, 2, NOW + 10_000)).unwrap();
        }
        push(&world, "b", "other", BOOT, NOW + 10_000 + gap_ms);
        run(session::adopted(&world.store, "b")).unwrap().unwrap().recording
    };
    assert_eq!(recording_of(delay_ms, true), "a");
    assert_eq!(recording_of(delay_ms + 1, true), "b");
    assert_eq!(recording_of(0, false), "b");
}

#[test]
fn a_push_waits_for_chunks_of_its_own_spool_alone() {
    let recording_of = |boot: &str, chunks: u64| {
        let world = World::new();
        push(&world, "a", "g", BOOT, NOW);
        world.bring_all("a", 0..2);
        run(session::end(&world.store, &world.bucket, "a", 0, 15_000, chunks, NOW + 15 * SECOND)).unwrap();
        push(&world, "b", "g", boot, NOW + 30 * SECOND);
        run(session::adopted(&world.store, "b")).unwrap().unwrap().recording
    };
    assert_eq!(recording_of("spool.2", 3), "a");
    assert_eq!(recording_of("another.1", 2), "a");
    // The spool that held the third chunk may be lost.
    assert_eq!(recording_of("another.1", 3), "b");
}

#[test]
fn overlapping_pushes_of_two_gateways_are_both_live_and_have_files_of_their_own() {
    let world = World::new();
    push(&world, "a", "g", BOOT, NOW);
    push(&world, "b", "other", BOOT, NOW + 5 * SECOND);
    for seq in 0..3 {
        world.bring_all("a", seq..seq + 1);
        world.bring_all("b", seq..seq + 1);
    }
    assert_eq!(live_ids(&world, NOW + 20 * SECOND), ["a", "b"]);
    run(session::end(&world.store, &world.bucket, "b", 0, 15_000, 3, NOW + 20 * SECOND)).unwrap();
    assert_eq!(live_ids(&world, NOW + 21 * SECOND), ["a"]);
    let mut files = Vec::new();
    for second in 20..400 {
        hear(&world, &beat("g", BOOT, Some(0)), NOW + second * SECOND);
        hear(&world, &beat("other", BOOT, Some(0)), NOW + second * SECOND);
        files.extend(tick(&world, NOW + second * SECOND));
    }
    assert_eq!(files, ["b0 b1 b2"]);
    assert_eq!(live_ids(&world, NOW + 400 * SECOND), ["a"]);
}

#[test]
fn an_offer_expires_and_an_adopted_one_does_not() {
    let world = World::new();
    world.offer("a", None);
    world.offer("b", None);
    hear(&world, &Beat { adopted: vec!["b".into()], ..beat("g", BOOT, None) }, NOW);
    assert_eq!(live_ids(&world, NOW), ["b"]);
    for waits in [1, 2] {
        tick(&world, NOW + waits * OFFER_WAIT_MS);
        assert!(run(session::get(&world.store, &world.bucket, "a")).is_ok());
    }
    tick(&world, NOW + 3 * OFFER_WAIT_MS);
    assert!(is_gone(&world, "a"));
    assert!(run(session::get(&world.store, &world.bucket, "b")).is_ok());
}

/// The call that tells of the push after it dies once it has decided on the break, and the gateway loses its spool.
#[test]
fn an_offer_that_another_push_came_after_leaves_nothing() {
    let world = World::new();
    world.offer("a", None);
    run(world.bucket.create_or_read("decision/break/a", br#"{"continued":"b"}"#)).unwrap();
    for waits in 1..=3 {
        tick(&world, NOW + waits * OFFER_WAIT_MS);
    }
    assert!(is_gone(&world, "a"));
    assert_eq!(world.bucket.names(), ["decision/break/a", "session/a"]);
    tick(&world, NOW + 6 * OFFER_WAIT_MS + KEPT.sessions_ms);
    assert_eq!(world.bucket.names(), [] as [&str; 0]);
}

fn is_gone(world: &World, id: &str) -> bool {
    matches!(run(session::get(&world.store, &world.bucket, id)), Err(crate::Error::NoSuchSession(_)))
}

#[test]
fn an_offer_of_a_host_that_is_an_hour_behind_lasts_for_forty_minutes() {
    let world = World::new();
    world.offer("a", None);
    let there_ms = NOW + 3_600_000;
    for second in (0..2_400).step_by(10) {
        tick(&world, there_ms + second * SECOND);
        assert!(!is_gone(&world, "a"), "after {second} s");
    }
    tick(&world, there_ms + 2_410 * SECOND);
    assert!(is_gone(&world, "a"));
}

#[test]
fn an_offer_expires_though_ticks_are_rare() {
    let world = World::new();
    world.offer("a", None);
    for minute in (0..120).step_by(7) {
        tick(&world, NOW + minute * 60 * SECOND);
    }
    assert!(is_gone(&world, "a"));
}

#[test]
fn what_is_sent_again_is_a_recording_of_its_own_under_the_old_rule() {
    let world = ended();
    let mut again = Session { began_ms: NOW + 999, timezone: "+08:00".into(), ..session_of("b") };
    again.rule = None;
    let resends = Resends { session: "a".into(), seq: 1 };
    let offered =
        run(session::offer(&world.store, &world.bucket, again, None, Some(&resends), NOW + 50 * SECOND))
            .unwrap();
    let (session, old) = (offered.0, session_of("a"));
    assert_eq!((session.rule, session.timezone, session.began_ms), (old.rule, old.timezone, old.began_ms));
    assert_eq!(session.continues, None);
}

#[test]
fn a_boot_that_may_not_call_begins_nothing() {
    let world = World::new();
    hear(&world, &beat("g", "spool.2", None), NOW);
    let allowed = |boot: &str, now_ms| run(check_boot(&world.store, "g", boot, now_ms)).is_ok();
    assert!(allowed("spool.2", NOW) && allowed("spool.3", NOW) && !allowed("spool.1", NOW));
    assert!(!allowed("other.1", NOW + 9_999) && allowed("other.1", NOW + 10_000));
    assert!(!allowed("no boot", NOW + 10_000));
    let offered = run(session::offer(&world.store, &world.bucket, session_of("a"), None, None, NOW));
    assert!(matches!(offered, Err(crate::Error::Boot { .. })), "{offered:?}");
}

/// Each gateway closes by what its own push has cut, and the file is one.
#[test]
fn a_push_that_goes_on_by_another_gateways_stays_in_its_file_up_to_a_windows_end() {
    // So many chunks of the second push have come before the window ends. The last one comes after that.
    for early in [0, 1] {
        let world = World::new();
        let end_ms = NOW + 40 * SECOND;
        begin(&world, until(session_of("a"), end_ms), None, NOW);
        world.bring_all("a", 0..2);
        run(session::end(&world.store, &world.bucket, "a", 0, 10_000, 2, NOW + 10 * SECOND)).unwrap();
        let began_ms = NOW + 15 * SECOND;
        let other = Session { gateway: "other".into(), began_ms, ..session_of("b") };
        begin(&world, until(other, end_ms), None, began_ms);
        world.bring_all("b", 0..early);
        let generation = Generation { orders: 2, files: 1 };
        let confirmed = vec![("b".to_owned(), Confirmed { generation, chunks: early + 1 })];
        hear(&world, &Beat { confirmed, ..beat("other", BOOT, None) }, end_ms + SECOND);
        assert_eq!(ticks(&world, end_ms + SECOND, 5), []);
        run(world.bring_at("b", early, 0, end_ms + 6 * SECOND)).unwrap();
        let files = ticks(&world, end_ms + 6 * SECOND, 20);
        let files: Vec<_> = files.iter().map(|(_, file)| file.as_str()).collect();
        assert_eq!(files, [["a0 a1 b0", "a0 a1 b0 b1"][early as usize]]);
    }
}
