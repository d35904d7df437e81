//! What each step of sealing and forgetting may do, and from when on.

use store::Store;
use store::memory::run;

use super::super::media::Push;
use super::super::world::World;
use super::stage::{KEPT, Stage, TODAY, stream};
use super::{HOUR_MS, MIDNIGHT, MINUTE_MS, NOON};
use crate::commit::{self, Turn};
use crate::log::part::{self, Where};
use crate::log::{Kind, StreamDay};
use crate::seal::clear::{self, Clearing};
use crate::seal::{self, files, retention};
use crate::session;
use crate::time::{CALL_MAX_MS, DAY_MS, Retention};
use crate::{content, file, index_file, key};

const ID: &str = "20200101-z";
const NEXT: &str = "20200101-zz";
const DAY: u64 = TODAY / DAY_MS;

/// A push of so many slices that began at a moment.
fn pushed(began_ms: u64, slices: u64) -> Stage {
    let world = World::new();
    Push::begin(&world, ID, began_ms, None).slices(slices);
    Stage::new(world)
}

/// A push of five slices that is over, and its file is written.
fn written() -> Stage {
    let mut stage = Stage::of_push(ID, MIDNIGHT - HOUR_MS, 5);
    stage.tick_until(MIDNIGHT + 10 * MINUTE_MS, 10_000);
    assert_eq!(stage.files().len(), 1);
    stage
}

#[test]
fn a_day_is_sealed_and_forgotten_no_earlier_than_it_may_be_whoever_comes() {
    let stage = written();
    let World { store, bucket, .. } = &stage.world;
    let stream = stream().key();
    let at = StreamDay { stream: &stream, day: DAY };
    let objects = || (stage.objects("log/"), stage.objects("files/"));
    for (before_ms, expected) in [(1_000, 0), (1, 0), (0, 1)] {
        let now_ms = MIDNIGHT - before_ms;
        run(seal::seal(store, bucket, at, KEPT, now_ms)).unwrap();
        run(files::seal(store, bucket, at, KEPT, now_ms)).unwrap();
        assert_eq!(objects(), (expected, expected), "{before_ms}");
    }
    let mut stage = stage;
    stage.leap_until(MIDNIGHT + DAY_MS);
    let World { store, bucket, .. } = &stage.world;
    let objects = || (stage.objects("log/"), stage.objects("files/"));
    assert_eq!(objects(), (1, 1));
    for (before_ms, expected) in [(1, 1), (0, 0)] {
        run(retention::forget(store, bucket, at, KEPT, MIDNIGHT + KEPT.sessions_ms - before_ms)).unwrap();
        assert_eq!(objects(), (expected, 1), "{before_ms}");
    }
    for (before_ms, expected) in [(1, 1), (0, 0)] {
        run(files::forget(store, bucket, at, KEPT, MIDNIGHT + KEPT.files_ms - before_ms)).unwrap();
        assert_eq!(objects(), (0, expected), "{before_ms}");
    }
}

/// Whoever read the store before the part was there is over by then: the first step comes after two calls, and each of
/// the two waits lasts as long as two calls.
#[test]
fn what_a_part_holds_is_deleted_two_waits_after_it_was_written() {
    let mut stage = written();
    let chunks = stage.keys_of(&["c", "s"]);
    stage.tick_until_sealed(1_000);
    let sealed_ms = stage.now_ms - 1_000;
    stage.tick_until(sealed_ms + 6 * CALL_MAX_MS, 1_000);
    assert_eq!(stage.keys_of(&["c", "s"]), chunks);
    stage.tick_until(sealed_ms + 20 * CALL_MAX_MS, 1_000);
    assert_eq!(stage.keys_of(&["c", "s"]), [] as [&str; 0]);
}

/// The call that wrote the part died before it had noted that.
#[test]
fn how_far_sessions_are_sealed_is_noted_before_the_waits_and_never_goes_back() {
    let world = World::new();
    Push::begin(&world, ID, MIDNIGHT - 5 * MINUTE_MS, None).slices(120);
    let mut stage = Stage::new(world);
    stage.leap_until(MIDNIGHT + 27 * HOUR_MS);
    let World { store, bucket, .. } = &stage.world;
    let stream = stream().key();
    let [first, second] = [DAY, DAY + 1].map(|day| StreamDay { stream: &stream, day });
    let sealed = || run(seal::sealed(store, ID)).unwrap().map(|sealed| (sealed.next, sealed.at.day));
    assert_eq!(sealed(), Some((120, DAY + 1)));
    for run_of_day in run(part::read(bucket, first, 0)).unwrap() {
        run(seal::note_sealed(store, &run_of_day, Where { day: DAY, part: 0 })).unwrap();
    }
    assert_eq!(sealed(), Some((120, DAY + 1)));
    run(store.delete(&key::sealed(ID))).unwrap();
    let clearing = Clearing { part: Some(0), noted: 0, waits: 0 };
    run(clear::clear(store, bucket, second, clearing, KEPT, stage.now_ms)).unwrap();
    assert_eq!(sealed(), Some((120, DAY + 1)));
}

/// Of two days that are due, the later one is looked at first.
#[test]
fn media_of_an_earlier_day_is_sealed_in_that_day() {
    let mut stage = pushed(MIDNIGHT - 5 * MINUTE_MS, 120);
    stage.now_ms = MIDNIGHT + DAY_MS + HOUR_MS;
    let of_first_day = |stage: &Stage| {
        let World { store, bucket, .. } = &stage.world;
        run(content::slices(store, bucket, &stream(), TODAY, MIDNIGHT, false)).unwrap().len()
    };
    assert_eq!(of_first_day(&stage), 60);
    let name = stream().key();
    let World { store, bucket, .. } = &stage.world;
    let at = StreamDay { stream: &name, day: DAY + 1 };
    run(seal::seal(store, bucket, at, KEPT, stage.now_ms)).unwrap();
    stage.leap_until(stage.now_ms + 6 * HOUR_MS);
    assert_eq!(of_first_day(&stage), 60);
    let World { store, bucket, .. } = &stage.world;
    let at = StreamDay { stream: &name, day: DAY };
    assert_eq!(run(at.parts(store, Kind::Sessions)).unwrap(), 1);
    let runs = run(part::read(bucket, at, 0)).unwrap();
    assert_eq!(runs.iter().map(|run| run.next()).collect::<Vec<_>>(), [60]);
}

/// Another call that clears the part comes again.
#[test]
fn a_session_that_has_come_back_is_not_cleared_once_more() {
    let mut stage = written();
    stage.leap_until(MIDNIGHT + 28 * HOUR_MS);
    let World { store, bucket, .. } = &stage.world;
    assert!(run(session::find(store, ID)).unwrap().is_none());
    let turn = || run(commit::prepare(store, bucket, ID, 5, stage.now_ms));
    assert!(matches!(turn(), Ok(Turn::Next(_))));
    let name = stream().key();
    let at = StreamDay { stream: &name, day: DAY };
    let clearing = Clearing { part: Some(0), noted: 0, waits: 2 };
    run(clear::clear(store, bucket, at, clearing, KEPT, stage.now_ms)).unwrap();
    assert!(run(session::find(store, ID)).unwrap().is_some());
    assert!(matches!(turn(), Ok(Turn::Next(_))));
}

/// It was over in the day of its end, and is over again in the next one, where its late slice is.
#[test]
fn what_is_forgotten_of_a_day_is_kept_of_a_session_that_was_over_in_a_later_one() {
    let world = World::new();
    let mut push = Push::begin(&world, ID, MIDNIGHT - 24_000, None);
    push.slices(4);
    push.end(20_000);
    let mut stage = Stage::new(world);
    stage.leap_until(MIDNIGHT + 28 * HOUR_MS);
    let late = stage.come_late(ID, 4);
    let later = stage.come_late(ID, 5);
    assert!(late.2 < MIDNIGHT && later.2 >= MIDNIGHT);
    stage.leap_until(MIDNIGHT + 60 * HOUR_MS);
    let is_gone = |stage: &Stage| run(session::find(&stage.world.store, ID)).unwrap().is_none();
    assert!(is_gone(&stage));
    stage.leap_until(MIDNIGHT + KEPT.sessions_ms + 12 * HOUR_MS);
    let again = run(commit::prepare(&stage.world.store, &stage.world.bucket, ID, 5, stage.now_ms));
    assert!(matches!(again, Ok(Turn::Done)), "{again:?}");
    assert_eq!(stage.slices(), [later]);
    stage.leap_until(MIDNIGHT + 200 * DAY_MS);
    assert!(stage.lasting_keys().is_empty(), "{:?}", stage.lasting_keys());
    assert!(stage.world.bucket.names().is_empty(), "{:?}", stage.world.bucket.names());
}

#[test]
fn a_file_that_is_deleted_while_it_is_sealed_stays_deleted() {
    let mut stage = written();
    while stage.objects("files/") == 0 {
        stage.tick();
        stage.now_ms += 1_000;
    }
    let id = stage.files()[0].id.clone();
    let World { store, bucket, .. } = &stage.world;
    assert!(run(index_file::delete(store, bucket, &stream(), &id, stage.now_ms)).unwrap());
    let name = stream().key();
    let at = StreamDay { stream: &name, day: DAY };
    // It was noted once when the part was written.
    run(files::clear(store, bucket, at, (0, 1), stage.now_ms)).unwrap();
    assert_eq!(stage.files(), []);
    for hours in [1, 2, 5, 30, 60] {
        stage.leap_until(MIDNIGHT + hours * HOUR_MS);
        assert_eq!(stage.files(), [], "{hours}");
    }
    assert_eq!(stage.keys_of(&["i"]).iter().filter(|key| key.split('.').count() == 3).count(), 0);
}

/// The end of a push is told in another day than it began, or after that is sealed.
#[test]
fn a_push_leaves_the_store_whenever_its_end_is_told() {
    // When it ended, and when that was told, after midnight.
    for (began_ms, ended_ms, told_ms) in [
        (MIDNIGHT - 10_000, MIDNIGHT + MINUTE_MS, MIDNIGHT + MINUTE_MS),
        // By a host whose clock is a second behind.
        (MIDNIGHT - 10_000, MIDNIGHT + 500, MIDNIGHT - 500),
        (NOON, NOON + 25_000, MIDNIGHT + 5 * HOUR_MS),
    ] {
        let world = World::new();
        Push::begin(&world, ID, began_ms, None).slices(1);
        // Its file cannot be written before the day of its begin is sealed.
        let mut stage = Stage { is_full: true, ..Stage::new(world) };
        stage.leap_until(told_ms);
        stage.now_ms = told_ms;
        let World { store, bucket, .. } = &stage.world;
        run(session::end(store, bucket, ID, 0, ended_ms - began_ms, 1, told_ms)).unwrap();
        stage.leap_until(MIDNIGHT + 8 * HOUR_MS);
        stage.is_full = false;
        stage.leap_until(MIDNIGHT + 32 * HOUR_MS);
        assert_eq!(stage.keys_of(&["s", "a", "c", "e"]), [] as [&str; 0], "{began_ms} {ended_ms} {told_ms}");
        assert_eq!(stage.slices().len(), 1);
    }
}

/// Whether a session is over, as far as its record files are no matter.
fn is_over(world: &World, id: &str) -> bool {
    super::super::over::is_over(world, id, &[], Retention { written: &[], ..KEPT }, NOON)
}

#[test]
fn a_push_is_over_once_nothing_can_continue_it_any_more() {
    let world = World::new();
    let mut push = Push::begin(&world, ID, NOON - HOUR_MS, None);
    push.slices(1);
    push.end(5_000);
    assert!(!is_over(&world, ID));
    run(file::close_break(&world.bucket, ID)).unwrap();
    assert!(is_over(&world, ID));
}

#[test]
fn a_push_is_over_once_the_one_that_continues_it_has_begun_without_it() {
    let world = World::new();
    let mut push = Push::begin(&world, ID, NOON - HOUR_MS, None);
    push.slices(1);
    push.end(5_000);
    let mut next = Push::begin(&world, NEXT, NOON - HOUR_MS + 6_000, Some((ID, 1_000)));
    assert!(!is_over(&world, ID));
    next.slices(1);
    assert!(is_over(&world, ID));
}

#[test]
fn a_push_is_over_though_the_one_that_continues_it_brought_nothing() {
    let world = World::new();
    let mut push = Push::begin(&world, ID, NOON - HOUR_MS, None);
    push.slices(1);
    push.end(5_000);
    Push::begin(&world, NEXT, NOON - HOUR_MS + 6_000, Some((ID, 1_000))).end(1_000);
    assert!(!is_over(&world, ID));
    run(file::close_break(&world.bucket, NEXT)).unwrap();
    assert!(is_over(&world, ID));
}

/// Chunks of one before a range are in the log, and those of one in it are not sealed.
#[test]
fn what_is_sealed_and_what_is_not_are_handed_on_as_one() {
    let mut stage = pushed(MIDNIGHT - 10 * MINUTE_MS, 200);
    let numbers = |stage: &Stage, first, last| {
        let (World { store, bucket, .. }, mut found) = (&stage.world, Vec::new());
        run(file::chunks(store, bucket, ID, first..=last, |seq, _| found.push(seq))).unwrap();
        found
    };
    stage.leap_until(MIDNIGHT + 4 * HOUR_MS);
    let sealed = run(seal::sealed(&stage.world.store, ID)).unwrap().unwrap();
    assert_eq!(sealed.next, 120);
    for (first, last) in [(0, 199), (0, 119), (30, 130), (119, 120), (120, 120), (121, 199)] {
        assert_eq!(numbers(&stage, first, last), Vec::from_iter(first..=last), "{first} {last}");
    }
}
