//! What is kept of a day, and for how long.

use store::memory::{Actor, Outcome, run};

use super::super::gateways::tick;
use super::super::media::Push;
use super::super::world::World;
use super::stage::{KEPT, Stage, TODAY, stream};
use super::{HOUR_MS, MIDNIGHT, MINUTE_MS};
use crate::index_file::{self, IndexFile};
use crate::log::StreamDay;
use crate::seal::clear::{self, Clearing};
use crate::time::{CALL_MAX_MS, DAY_MS};
use crate::{days, list, live, seal, stored_file};

const ID: &str = "20200101-z";
const DAY: u64 = TODAY / DAY_MS;

/// A push of five slices that is over and sealed, and its file, too.
fn sealed() -> Stage {
    let mut stage = Stage::of_push(ID, MIDNIGHT - HOUR_MS, 5);
    stage.leap_until(MIDNIGHT + DAY_MS);
    assert_eq!((stage.objects("log/"), stage.objects("files/"), stage.files().len()), (1, 1, 1));
    stage
}

/// The sessions that are noted in the day.
fn noted(stage: &Stage) -> Vec<String> {
    let stream = stream().key();
    let at = StreamDay { stream: &stream, day: DAY };
    run(list::all(&stage.world.store, &days::sessions_of(at))).unwrap().into_iter().collect()
}

/// A call that brings a slice of that day may have begun before.
#[test]
fn a_day_in_which_nothing_was_recorded_keeps_its_sessions_for_two_waits() {
    let world = World::new();
    Push::begin(&world, ID, MIDNIGHT - 10 * MINUTE_MS, None);
    let mut stage = Stage::new(world);
    // Before the day is due.
    let sealed_ms = MIDNIGHT + HOUR_MS;
    stage.now_ms = sealed_ms;
    let name = stream().key();
    let at = StreamDay { stream: &name, day: DAY };
    run(seal::seal(&stage.world.store, &stage.world.bucket, at, KEPT, sealed_ms)).unwrap();
    assert_eq!(stage.objects("log/"), 0);
    stage.tick_until(sealed_ms + 4 * CALL_MAX_MS, 5_000);
    assert_eq!(noted(&stage), [ID]);
    stage.tick_until(sealed_ms + 6 * CALL_MAX_MS, 5_000);
    assert_eq!(noted(&stage), [] as [&str; 0]);
}

#[test]
fn a_day_keeps_a_session_of_which_something_is_not_sealed() {
    let world = World::new();
    Push::begin(&world, ID, MIDNIGHT - 10 * MINUTE_MS, None).slices(5);
    let stage = Stage::new(world);
    let name = stream().key();
    let at = StreamDay { stream: &name, day: DAY };
    let clearing = Clearing { part: None, noted: 9, waits: 2 };
    let World { store, bucket, .. } = &stage.world;
    run(clear::clear(store, bucket, at, clearing, KEPT, MIDNIGHT + HOUR_MS)).unwrap();
    assert_eq!(noted(&stage), [ID]);
}

/// The call that makes it known has noted it in its day, and stalls before it writes the record: while the day is sealed, or
/// while the part is cleared.
#[test]
fn a_file_that_is_written_while_its_day_is_sealed_is_in_the_next_part() {
    for is_noted_before in [true, false] {
        let mut stage = Stage::of_push(ID, MIDNIGHT - HOUR_MS, 5);
        stage.tick_until(MIDNIGHT + 10 * MINUTE_MS, 10_000);
        let late = IndexFile { id: "late".into(), ..stage.files()[0].clone() };
        let name = stream().key();
        let at = StreamDay { stream: &name, day: DAY };
        let due_ms = at.seal_due_ms(MIDNIGHT);
        let World { store, bucket, .. } = &stage.world;
        let ticks = |from_s: u64, to_s: u64| {
            (from_s..to_s).step_by(5).for_each(|second| drop(tick(&stage.world, due_ms + second * 1_000)));
            assert_eq!(stage.objects("files/"), 1);
        };
        let added_ms = if is_noted_before { due_ms - 1_000 } else { due_ms + 420_000 };
        let mut adding: Actor<'_, ()> = Box::pin(async {
            index_file::add(store, bucket, &late, added_ms).await.unwrap();
        });
        let mut note = || {
            let noted = || run(list::all(store, &stored_file::list_of(at))).unwrap();
            while !noted().contains("late") {
                assert!(store.scheduler().step(&mut adding, Outcome::Applied).0.is_pending());
            }
        };
        if is_noted_before {
            note();
            ticks(0, 20);
        } else {
            ticks(0, 420);
            note();
            ticks(420, 520);
        }
        run(adding);
        stage.now_ms = due_ms + 520_000;
        stage.leap_until(due_ms + 3 * HOUR_MS);
        assert_eq!((stage.objects("files/"), stage.files().len()), (2, 2), "{is_noted_before}");
        // Of neither is there a record in the store any more.
        let records = stage.keys_of(&["i"]).into_iter().filter(|key| key.split('.').count() == 3);
        assert_eq!(records.count(), 0, "{is_noted_before}");
    }
}

/// It is made known minutes before the day's files are to be forgotten.
#[test]
fn the_files_of_a_day_are_forgotten_once_one_that_came_late_is_sealed() {
    let mut stage = sealed();
    let forgotten_ms = MIDNIGHT + KEPT.files_ms;
    stage.leap_until(forgotten_ms - 10 * MINUTE_MS);
    let late = IndexFile { id: "late".into(), ..stage.files()[0].clone() };
    let World { store, bucket, .. } = &stage.world;
    run(index_file::add(store, bucket, &late, stage.now_ms)).unwrap();
    assert_eq!(stage.files().len(), 2);
    stage.leap_until(forgotten_ms + DAY_MS);
    assert_eq!(stage.files(), []);
    assert_eq!(stage.world.bucket.names(), [] as [&str; 0]);
    assert_eq!(stage.keys_of(&["i", "r"]), [] as [&str; 0]);
}

#[test]
fn a_stream_is_known_for_as_long_as_its_files_are_kept() {
    let mut stage = sealed();
    let is_known = |stage: &Stage| run(live::is_known(&stage.world.store, &stream())).unwrap();
    stage.leap_until(MIDNIGHT + KEPT.sessions_ms + 2 * DAY_MS);
    assert_eq!(stage.objects("log/"), 0);
    assert!(is_known(&stage) && !stage.files().is_empty());
    stage.leap_until(MIDNIGHT + KEPT.files_ms + 2 * DAY_MS);
    assert!(!is_known(&stage) && stage.files().is_empty());
}
