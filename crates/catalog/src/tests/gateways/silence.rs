//! Gateways that fall silent, and those that only seem to.

use super::*;
use crate::time::SUSPENDED_MAX_MS;

const BOOT: &str = "spool.1";

/// A push with two chunks, whose gateway has been heard.
fn begun() -> World {
    let world = World::new();
    push(&world, "a", "g", BOOT, NOW);
    world.bring_all("a", 0..2);
    hear(&world, &beat("g", BOOT, None), NOW);
    world
}

#[test]
fn a_silent_gateway_has_its_files_closed_and_its_session_offline() {
    let world = begun();
    assert_eq!(live_ids(&world, NOW), ["a"]);
    let files = ticks(&world, NOW, 400);
    // The last media ends at 10 s, and the delay is 180 s.
    assert!(matches!(&files[..], [(190..=201, file)] if file == "a0 a1"), "{files:?}");
    assert_eq!(live_ids(&world, NOW + 400 * SECOND), [] as [&str; 0]);
    // Nothing more is looked at for a week.
    tick(&world, NOW + 800 * SECOND);
    let before = world.store.operations();
    tick(&world, NOW + 801 * SECOND);
    let operations = world.store.operations() - before;
    assert!(operations < 20, "{operations}");
}

#[test]
fn a_chunk_that_comes_after_a_silence_is_in_a_file_of_its_own_which_closes_too() {
    let world = begun();
    assert_eq!(ticks(&world, NOW, 300).len(), 1);
    let late_ms = NOW + 300 * SECOND;
    run(world.bring_at("a", 2, 0, late_ms)).unwrap();
    assert_eq!(live_ids(&world, late_ms), ["a"]);
    // Its heartbeats stay away: the file that it began is closed as well.
    let files = ticks(&world, late_ms, 700);
    assert!(matches!(&files[..], [(120..=400, file)] if file == "a2"), "{files:?}");
    assert_eq!(live_ids(&world, late_ms + 700 * SECOND), [] as [&str; 0]);
}

#[test]
fn a_push_without_chunks_is_live_again_once_its_gateway_is_heard() {
    let world = World::new();
    push(&world, "a", "g", BOOT, NOW);
    hear(&world, &beat("g", BOOT, None), NOW);
    ticks(&world, NOW, 400);
    assert_eq!(live_ids(&world, NOW + 400 * SECOND), [] as [&str; 0]);
    hear(&world, &beat("g", BOOT, Some(0)), NOW + 500 * SECOND);
    assert_eq!(live_ids(&world, NOW + 500 * SECOND), ["a"]);
    // And offline once it is silent again.
    ticks(&world, NOW + 500 * SECOND, 60);
    assert_eq!(live_ids(&world, NOW + 560 * SECOND), [] as [&str; 0]);
}

#[test]
fn a_session_ends_a_week_after_it_was_suspended_and_not_while_it_is_heard() {
    for is_heard in [false, true] {
        let world = begun();
        ticks(&world, NOW, 300);
        if is_heard {
            hear(&world, &beat("g", BOOT, Some(0)), NOW + 300 * SECOND);
        }
        for hour in 0..SUSPENDED_MAX_MS / 3_600_000 {
            tick(&world, NOW + 300 * SECOND + hour * 3_600_000);
        }
        for minute in 0..10 {
            tick(&world, NOW + SUSPENDED_MAX_MS + minute * 60_000);
        }
        let end = run(session::ended(&world.store, "a")).unwrap();
        assert_eq!(end.map(|end| (end.ended_ms, end.chunks)), (!is_heard).then_some((NOW + 10_000, 2)));
    }
}

#[test]
fn a_gateway_that_is_heard_is_never_silent_whatever_the_clocks_of_the_hosts() {
    for seed in 1..30 {
        let world = begun();
        let mut random = store::memory::Random::new(seed);
        let offset_ms = if seed % 2 == 0 { 3_600_000 } else { 600_000 };
        for second in 0..900 {
            let mut clock = || NOW + second * SECOND + if random.below(2) == 0 { offset_ms } else { 0 };
            if second % 2 == 0 {
                hear(&world, &beat("g", BOOT, Some(0)), clock());
            }
            assert_eq!(tick(&world, clock()), [] as [&str; 0], "seed {seed}, second {second}");
        }
        assert_eq!(live_ids(&world, NOW + 900 * SECOND), ["a"]);
    }
}

#[test]
fn ticks_that_stop_for_an_hour_close_nothing_of_a_gateway_that_is_heard_after_it() {
    let world = begun();
    ticks(&world, NOW, 30);
    let again_ms = NOW + 3_600_000;
    assert_eq!(tick(&world, again_ms), [] as [&str; 0]);
    assert_eq!(tick(&world, again_ms + SECOND), [] as [&str; 0]);
    assert_eq!(ticks_and_beats(&world, "g", BOOT, again_ms + 2 * SECOND, 400), []);
}

#[test]
fn a_later_boot_ends_the_sessions_that_it_does_not_hold() {
    let world = begun();
    push(&world, "b", "g", BOOT, NOW);
    push(&world, "c", "other", BOOT, NOW);
    let held = Beat { holds: vec!["b".into()], ..beat("g", "spool.2", None) };
    hear(&world, &held, NOW + 20 * SECOND);
    let ended = |id: &str| run(session::ended(&world.store, id)).unwrap();
    assert_eq!(ended("a").map(|end| (end.ended_ms, end.chunks)), Some((NOW + 10_000, 2)));
    assert_eq!(ended("b"), None);
    assert_eq!(ended("c"), None);
    // The earlier boot is refused from now on, and so is another spool.
    for boot in ["spool.1", "another.1"] {
        let refused =
            run(gateway::beat(&world.store, &world.bucket, &beat("g", boot, None), NOW + 21 * SECOND));
        assert!(matches!(refused, Err(crate::Error::Boot { .. })), "{refused:?}");
    }
    hear(&world, &beat("g", "another.1", None), NOW + 31 * SECOND);
    // A chunk of the session that was ended for it comes all the same, in a file of its own.
    let files = ticks_and_beats(&world, "g", "another.1", NOW + 32 * SECOND, 400);
    assert_eq!(files.iter().map(|(_, file)| file.as_str()).collect::<Vec<_>>(), ["a0 a1"]);
}

#[test]
fn a_heartbeat_and_a_look_cost_the_same_however_many_sessions_there_were() {
    let cost = |sessions: u64| {
        let world = World::new();
        for number in 0..sessions {
            push(&world, &format!("s{number}"), "g", BOOT, NOW);
            run(world.try_end(&format!("s{number}"), 0)).unwrap();
        }
        push(&world, "a", "g", BOOT, NOW);
        hear(&world, &beat("g", BOOT, None), NOW);
        // Twice as long as a call lasts, and once more, nobody knows that the holes in the lists stay.
        ticks_and_beats(&world, "g", BOOT, NOW, 600);
        let before = world.store.operations();
        hear(&world, &beat("g", BOOT, Some(0)), NOW + 600 * SECOND);
        let heartbeat = world.store.operations() - before;
        ticks_and_beats(&world, "g", BOOT, NOW + 601 * SECOND, 60);
        (heartbeat, world.store.operations() - before)
    };
    let (few, many) = (cost(1), cost(100));
    assert!(few.0 <= 8, "{few:?}");
    assert_eq!(few.0, many.0);
    assert!(many.1 * 10 <= few.1 * 11, "{few:?} {many:?}");
}
