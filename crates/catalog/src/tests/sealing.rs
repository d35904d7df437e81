//! Sealing: what is asked is answered alike before, while and after it moves, and in the end nothing is left.

mod chains;
mod days;
mod late;
mod left;
mod lost_sessions;
pub(crate) mod lost_store;
pub(crate) mod stage;
mod steps;
mod tail;
mod told;
mod trouble;

use store::memory::{Outcome, Random, run};

use super::media::Push;
use super::world::{World, session_of};
use crate::commit::{self, Turn};
use crate::error::Error;
use crate::rule::Container;
use crate::time::DAY_MS;
use crate::{chunk, denial, index_file, session, upload};
use stage::{Stage, TODAY, stream};

const MINUTE_MS: u64 = 60_000;
pub(crate) const HOUR_MS: u64 = 60 * MINUTE_MS;
const MIDNIGHT: u64 = TODAY + DAY_MS;
const NOON: u64 = MIDNIGHT - 12 * HOUR_MS;

/// A recording of noon; one that is live, and one beside it over midnight, of two pushes.
fn recorded() -> Stage {
    let world = World::new();
    let mut noon = Push::begin(&world, "20200101-z", NOON, None);
    noon.slices(5);
    noon.end(25_000);
    decide_upload(&world, "20200101-z");
    let mut live = Push::begin(&world, "20200101-live", MIDNIGHT - 90 * MINUTE_MS, None);
    live.slices(1_000);
    let mut first = Push::begin(&world, "20200101-x", MIDNIGHT - 50 * MINUTE_MS, None);
    first.slices(300);
    first.other(chunk::Chunk::Gap(chunk::Gap {
        reason: chunk::GapReason::Shed,
        from_ms: 1_500_000,
        to_ms: 1_505_000,
    }));
    first.slices(399);
    // It ends since its stream is forbidden.
    let denial = denial::Denial { reason: "forbidden".into(), until_ms: None };
    run(denial::end_pushes(&world.store, &stream(), None, &denial, MIDNIGHT)).unwrap();
    first.end(3_500_000);
    let begin_ms = MIDNIGHT + 10 * MINUTE_MS;
    let mut second = Push::begin(&world, "20200101-y", begin_ms, Some(("20200101-x", 100_000)));
    second.slices(130);
    second.end(650_000);
    Stage::new(world)
}

/// A file that ends in a session was uploaded in parts.
fn decide_upload(world: &World, session: &str) {
    let container = Container::Mp4;
    let target = upload::Target { recording: session, container, number: 0, names_taken: 0, session };
    let begun = upload::Upload {
        number: 0,
        names_taken: 0,
        id: "id".into(),
        after: String::new(),
        sizes: vec![9_000_000],
        parts: Vec::new(),
        is_copied: false,
    };
    run(upload::decide(&world.store, &world.bucket, target, &begun)).unwrap();
    run(upload::forget(&world.store, session, container)).unwrap();
}

#[test]
fn every_answer_stays_the_same_while_days_are_sealed() {
    let mut stage = recorded();
    stage.tick_until(MIDNIGHT + 40 * MINUTE_MS, 10_000);
    stage.write_open_files();
    let expected = stage.answers();
    assert!(expected.contains("20200101-x") && expected.contains("20200101-live"));
    let (mut steps, mut parts) = (0, 0);
    while stage.now_ms < MIDNIGHT + 28 * HOUR_MS {
        if stage.tick() > 0 {
            assert!(stage.answers() == expected, "at {}", stage.now_ms - MIDNIGHT);
            steps += 1;
            parts = parts.max(stage.objects("log/"));
        }
        stage.now_ms += 20_000;
    }
    assert!(steps > 8 && parts >= 2, "{steps} steps, {parts} parts");
    // What is left is the live session's.
    let left: Vec<String> = stage.keys_of(&["s", "a", "n", "c", "h", "e", "u", "w", "q", "x", "k", "o"]);
    assert!(left.iter().all(|key| key.contains("20200101-live")), "{left:?}");
    assert!(stage.world.store.len() < 110, "{:?}", stage.world.store.keys());
}

/// So many operations lie between two that are tried.
const EVERY: usize = 7;

/// One operation fails, or its reply is lost, wherever it is; what it was for is done later.
#[test]
fn a_step_that_dies_anywhere_is_done_again() {
    let small = || {
        let world = World::new();
        let mut push = Push::begin(&world, "20200101-x", MIDNIGHT - 5 * MINUTE_MS, None);
        push.slices(70);
        push.end(350_000);
        let mut stage = Stage::new(world);
        stage.tick_until(MIDNIGHT + HOUR_MS, 10_000);
        stage
    };
    let end_ms = MIDNIGHT + 27 * HOUR_MS;
    let mut whole = small();
    let (expected, before) = (whole.answers(), whole.world.store.operations());
    whole.leap_until(end_ms);
    let (operations, keys) = (whole.world.store.operations() - before, whole.lasting_keys());
    assert!(operations > 300, "{operations}");
    assert_eq!(whole.objects("log/"), 2);
    // Every one of them was tried once, and took two minutes.
    for at in (0..operations).step_by(EVERY) {
        let outcome = [Outcome::Refused, Outcome::ReplyLost][at as usize / EVERY % 2];
        let mut stage = small();
        stage.fail_once(at, outcome);
        stage.leap_until(end_ms);
        stage.world.store.mend();
        assert!(stage.answers() == expected, "{outcome:?} at {at}");
        stage.leap_until(end_ms + 6 * HOUR_MS);
        assert!(stage.answers() == expected, "{outcome:?} at {at}");
        assert_eq!(stage.lasting_keys(), keys, "{outcome:?} at {at}");
    }
}

#[test]
fn a_chunk_that_comes_when_all_is_sealed_is_answered_as_before_or_recorded() {
    let mut stage = recorded();
    stage.leap_until(MIDNIGHT + 28 * HOUR_MS);
    let turn = |stage: &Stage, id: &str, seq| {
        run(commit::prepare(&stage.world.store, &stage.world.bucket, id, seq, stage.now_ms))
    };
    assert!(run(session::find(&stage.world.store, "20200101-x")).unwrap().is_none());
    for seq in [0, 1, 63, 64, 299, 301, 699] {
        assert!(matches!(turn(&stage, "20200101-x", seq), Ok(Turn::Done)), "{seq}");
    }
    assert!(matches!(turn(&stage, "20200101-x", 300), Ok(Turn::Lost)));
    // Its end is told once more.
    let end = run(session::end(&stage.world.store, &stage.world.bucket, "20200101-z", 0, 1, 1, stage.now_ms));
    assert_eq!(end.unwrap().chunks, 5);
    let before = stage.slices();
    for (late, hours) in [(0, 50), (1, 80)] {
        let place = stage.come_late("20200101-z", 5 + late);
        assert_eq!(stage.slices().len(), before.len() + 1 + late as usize);
        assert!(stage.slices().contains(&place));
        stage.leap_until(MIDNIGHT + hours * HOUR_MS);
        assert!(stage.slices().contains(&place));
        assert!(run(session::find(&stage.world.store, "20200101-z")).unwrap().is_none(), "{late}");
        assert!(matches!(turn(&stage, "20200101-z", 5 + late), Ok(Turn::Done)));
        assert!(matches!(turn(&stage, "20200101-z", 2), Ok(Turn::Done)));
    }
    // Each of the late chunks is in a file of its own.
    let files = stage.files();
    let late = files.iter().filter(|file| file.start_ms > NOON + 20_000);
    assert_eq!(late.filter(|file| file.end_ms < NOON + HOUR_MS).count(), 2, "{files:?}");
    assert!(matches!(turn(&stage, "20200101-other", 0), Err(Error::NoSuchSession(_))));
}

/// A chunk comes at every moment of the sealing of its session.
#[test]
fn a_chunk_that_comes_while_its_session_is_sealed_is_recorded_or_refused_for_now() {
    let (mut refused, mut taken) = (0, 0);
    for moment in 0..60 {
        let world = World::new();
        let mut push = Push::begin(&world, "20200101-z", MIDNIGHT - HOUR_MS, None);
        push.slices(5);
        push.end(25_000);
        let mut stage = Stage::new(world);
        stage.tick_until(MIDNIGHT + 70 * MINUTE_MS, 60_000);
        stage.tick_until(MIDNIGHT + 70 * MINUTE_MS + moment * MINUTE_MS, 10_000);
        match stage.try_late("20200101-z", 5) {
            Ok(_) => taken += 1,
            Err(Error::Sealing(_)) => refused += 1,
            Err(error) => panic!("{error}"),
        }
        let expected = stage.slices();
        stage.leap_until(MIDNIGHT + 30 * HOUR_MS);
        assert_eq!(stage.slices(), expected, "{moment}");
        if expected.len() == 5 {
            stage.come_late("20200101-z", 5);
        }
        assert_eq!(stage.slices().len(), 6, "{moment}");
        assert_eq!(stage.keys_of(&["s"]).len(), usize::from(expected.len() == 5), "{moment}");
    }
    assert!(refused > 5 && taken > 20, "{refused} refused, {taken} taken");
}

#[test]
fn what_is_older_than_it_is_kept_leaves_nothing() {
    let mut stage = recorded();
    let begin_ms = MIDNIGHT;
    run(session::end(
        &stage.world.store,
        &stage.world.bucket,
        "20200101-live",
        0,
        5_000_000,
        1_000,
        begin_ms,
    ))
    .unwrap();
    let slices = stage.slices();
    assert!(slices.len() > 1_000);
    stage.leap_until(MIDNIGHT + 90 * DAY_MS);
    assert_eq!(stage.slices(), slices);
    assert_eq!(stage.objects("decision/upload/"), 1);
    let left: Vec<(String, Vec<u8>)> = stage.world.store.values();
    let bytes: usize = left.iter().map(|(key, value)| key.len() + value.len()).sum();
    // Three days, and what there is once for a stream, a domain and a gateway.
    assert!(bytes < 3 * 1_000 + 2_000, "{bytes}: {:?}", stage.world.store.keys());
    stage.leap_until(MIDNIGHT + 96 * DAY_MS);
    assert!(stage.slices().is_empty());
    assert_eq!(stage.objects("log/") + stage.objects("session/") + stage.objects("decision/"), 0);
    assert!(stage.objects("files/") > 0 && stage.files().len() > 5);
    stage.leap_until(MIDNIGHT + 190 * DAY_MS);
    assert!(stage.world.bucket.names().is_empty(), "{:?}", stage.world.bucket.names());
    let of_stream = stage.keys_of(&["s", "a", "c", "f", "y", "z", "r", "i", "v", "p", "w"]);
    assert!(of_stream.is_empty(), "{of_stream:?}");
}

#[test]
fn a_sealed_index_is_deleted_and_may_come_again() {
    let mut stage = recorded();
    stage.leap_until(MIDNIGHT + 28 * HOUR_MS);
    let file = stage.files()[0].clone();
    let World { store, bucket, .. } = &stage.world;
    let find = |stage: &Stage| {
        run(index_file::get(&stage.world.store, &stage.world.bucket, &stream(), &file.id)).unwrap()
    };
    assert_eq!(find(&stage), Some(file.clone()));
    assert!(
        store.keys().iter().all(|key| !key.starts_with("i.") || key.ends_with(".n") || key.ends_with(".low"))
    );
    // Made known again by a tick that lags behind, it stays as it was.
    let again = index_file::IndexFile { created_ms: 1, ..file.clone() };
    run(index_file::add(store, bucket, &again, stage.now_ms)).unwrap();
    assert_eq!(find(&stage), Some(file.clone()));
    assert!(run(index_file::delete(store, bucket, &stream(), &file.id, stage.now_ms)).unwrap());
    for hours in [29, 60] {
        stage.leap_until(MIDNIGHT + hours * HOUR_MS);
        assert_eq!(find(&stage), None, "{hours}");
        assert!(!stage.files().contains(&file), "{hours}");
    }
    let World { store, bucket, .. } = &stage.world;
    assert!(!run(index_file::delete(store, bucket, &stream(), &file.id, stage.now_ms)).unwrap());
    run(index_file::add(store, bucket, &file, stage.now_ms)).unwrap();
    for hours in [61, 90] {
        stage.leap_until(MIDNIGHT + hours * HOUR_MS);
        assert_eq!(find(&stage), Some(file.clone()), "{hours}");
        assert!(stage.files().contains(&file), "{hours}");
    }
}

/// Any range, at any moment of sealing, by parts of any size.
#[test]
fn random_ranges_are_answered_as_if_nothing_was_sealed() {
    let mut random = Random::new(7);
    let mut stage = recorded();
    stage.tick_until(MIDNIGHT + 40 * MINUTE_MS, 10_000);
    let ranges: Vec<(u64, u64)> = (0..150)
        .map(|_| {
            let edges =
                [NOON, MIDNIGHT - 90 * MINUTE_MS, MIDNIGHT - 50 * MINUTE_MS, MIDNIGHT, MIDNIGHT + 630_000];
            let edge_ms = edges[random.below(edges.len())];
            let from_ms = edge_ms + random.below(40) as u64 * 500 - 10_000;
            let longest_ms = [10_000, 3_000_000][random.below(2)];
            (from_ms, from_ms + 1 + random.below(longest_ms) as u64)
        })
        .collect();
    let expected: Vec<String> = ranges.iter().map(|range| stage.answer(*range)).collect();
    let mut checked = 0;
    while stage.now_ms < MIDNIGHT + 27 * HOUR_MS {
        if stage.tick() > 0 {
            for (range, expected) in ranges.iter().zip(&expected) {
                assert!(stage.answer(*range) == *expected, "{range:?} at {}", stage.now_ms - MIDNIGHT);
                checked += 1;
            }
        }
        stage.now_ms += 30_000;
    }
    assert!(checked > 1_000, "{checked}");
    assert!(session_of("x").rule.is_some());
}
