//! What is known of single sessions once a lost store is filled anew.

use store::memory::run;

use super::super::media::Push;
use super::super::world::{World, session_of};
use super::lost_store::{live_on, lose, rebuild, turn};
use super::stage::Stage;
use super::{HOUR_MS, MIDNIGHT, MINUTE_MS};
use crate::commit::Turn;
use crate::rule::Container;
use crate::session::{self, Session};
use crate::time::DAY_MS;
use crate::{committed, next_file, seal};

const ID: &str = "20200101-x";

#[test]
fn a_session_of_several_days_is_known_by_its_last_part() {
    let world = World::new();
    Push::begin(&world, ID, MIDNIGHT - 5 * MINUTE_MS, None).slices(120);
    let mut stage = Stage::new(world);
    stage.leap_until(MIDNIGHT + 27 * HOUR_MS);
    let sealed = |stage: &Stage| run(seal::sealed(&stage.world.store, ID)).unwrap();
    let (before, slices) = (sealed(&stage), stage.slices());
    assert_eq!(before.map(|sealed| sealed.next), Some(120));
    lose(&mut stage);
    rebuild(&stage);
    assert_eq!(sealed(&stage), before);
    assert_eq!(stage.slices(), slices);
    assert!(matches!(turn(&stage, ID, 119), Ok(Turn::Done)));
}

/// All files that are known are written, and the push goes on.
#[test]
fn the_next_file_has_the_next_number() {
    let world = World::new();
    Push::begin(&world, ID, MIDNIGHT - HOUR_MS, None).slices(5);
    let mut stage = Stage::new(world);
    stage.tick_until(MIDNIGHT + HOUR_MS, 10_000);
    stage.leap_until(MIDNIGHT + 3 * HOUR_MS);
    let noted = |stage: &Stage| run(next_file::noted(&stage.world.store, ID, Container::M3u8)).unwrap();
    assert_eq!(noted(&stage).unwrap().number, 1);
    lose(&mut stage);
    rebuild(&stage);
    assert_eq!(noted(&stage).unwrap().number, 1);
    assert_eq!(stage.files().len(), 1);
}

#[test]
fn an_offer_that_has_expired_stays_expired_for_as_long_as_its_chunks_may_come() {
    let world = World::new();
    let session = Session { began_ms: MIDNIGHT - 5 * HOUR_MS, ..session_of(ID) };
    let now_ms = session.began_ms;
    run(session::offer(&world.store, &world.bucket, session.clone(), None, None, now_ms)).unwrap();
    let mut stage = Stage::new(world);
    stage.leap_until(MIDNIGHT + HOUR_MS);
    lose(&mut stage);
    rebuild(&stage);
    stage.leap_until(MIDNIGHT + 30 * DAY_MS);
    let World { store, bucket, .. } = &stage.world;
    run(session::adopt(store, bucket, &session, stage.now_ms)).unwrap_err();
    stage.leap_until(MIDNIGHT + 100 * DAY_MS);
    assert_eq!(stage.world.bucket.names(), [] as [&str; 0]);
}

/// Sessions come back by their names.
#[test]
fn a_push_continues_the_one_that_ended_last_though_the_store_was_lost() {
    let world = World::new();
    let began_ms = MIDNIGHT + MINUTE_MS;
    for (id, duration_ms) in [("20200102-a", 60_000), ("20200102-b", 90_000), ("20200102-c", 30_000)] {
        let mut push = Push::begin(&world, id, began_ms, None);
        push.slices(1);
        push.end(duration_ms);
    }
    let mut stage = Stage::new(world);
    stage.now_ms = began_ms + 95_000;
    lose(&mut stage);
    rebuild(&stage);
    let session = Session { began_ms: stage.now_ms, ..session_of("20200102-d") };
    let World { store, bucket, .. } = &stage.world;
    let (session, _) = run(session::offer(store, bucket, session, None, None, stage.now_ms)).unwrap();
    assert_eq!(session.continues.as_deref(), Some("20200102-b"));
}

/// The number of the file that the last chunk of a session is in.
fn file_of_last(stage: &Stage, id: &str) -> u32 {
    let (_, last) = run(committed::last(&stage.world.store, id)).unwrap().unwrap();
    last.files()[0].0
}

/// What was lost may have used the numbers before.
#[test]
fn a_session_of_which_nothing_is_sealed_begins_well_past_the_numbers_that_it_may_have_used() {
    let world = World::new();
    let began_ms = MIDNIGHT + MINUTE_MS;
    let mut push = Push::begin(&world, "20200102-a", began_ms, None);
    push.slices(3);
    push.end(15_000);
    Push::begin(&world, "20200102-b", began_ms + 20_000, Some(("20200102-a", 5_000))).slices(3);
    let mut stage = Stage::new(world);
    stage.now_ms = began_ms + 95_000;
    lose(&mut stage);
    rebuild(&stage);
    live_on(&mut stage, MINUTE_MS);
    for seq in 0..3 {
        stage.come_late("20200102-a", seq);
    }
    assert_eq!(file_of_last(&stage, "20200102-a"), 10_000);
    // Those of the push that continues it are past them, too.
    stage.come_late("20200102-b", 0);
    let second = file_of_last(&stage, "20200102-b");
    assert!(second >= 10_000, "{second}");
}

/// Its file goes on in the next day, of which nothing is sealed.
#[test]
fn a_session_that_continues_one_that_is_over_belongs_to_its_recording() {
    let world = World::new();
    let mut first = Push::begin(&world, ID, MIDNIGHT - 6 * MINUTE_MS, None);
    first.slices(60);
    first.end(300_000);
    let mut second = Push::begin(&world, "20200102-y", MIDNIGHT + MINUTE_MS, Some((ID, 120_000)));
    second.slices(5);
    second.end(25_000);
    let mut stage = Stage::new(world);
    stage.tick_until(MIDNIGHT + 20 * MINUTE_MS, 10_000);
    stage.leap_until(MIDNIGHT + 3 * HOUR_MS);
    assert!(run(session::find(&stage.world.store, ID)).unwrap().is_none());
    assert_eq!(stage.files().len(), 1);
    lose(&mut stage);
    rebuild(&stage);
    let adopted = run(session::adopted(&stage.world.store, "20200102-y")).unwrap().unwrap();
    assert_eq!((adopted.recording.as_str(), adopted.continues.as_deref()), (ID, Some(ID)));
    let noted = run(next_file::noted(&stage.world.store, ID, Container::M3u8)).unwrap().unwrap();
    assert_eq!((noted.number, noted.from.session.as_str()), (1, "20200102-y"));
    // What was lost of it may have begun files as well.
    stage.come_late("20200102-y", 0);
    assert_eq!(file_of_last(&stage, "20200102-y"), 10_001);
}

/// One that had come back is found by how far it is sealed, and by nothing else.
#[test]
fn a_late_chunk_of_a_session_that_was_over_is_taken_though_the_store_was_lost() {
    for has_come_back in [false, true] {
        let mut stage = Stage::of_push(ID, MIDNIGHT - HOUR_MS, 5);
        stage.leap_until(MIDNIGHT + 28 * HOUR_MS);
        if has_come_back {
            stage.come_late(ID, 5);
            stage.leap_until(MIDNIGHT + 60 * HOUR_MS);
        }
        let sealed = |stage: &Stage| run(seal::sealed(&stage.world.store, ID)).unwrap();
        let before = sealed(&stage);
        assert_eq!(before.is_some(), has_come_back);
        lose(&mut stage);
        rebuild(&stage);
        assert_eq!(sealed(&stage), before);
        let next = 5 + u64::from(has_come_back);
        assert!(matches!(turn(&stage, ID, next - 1), Ok(Turn::Done)), "{has_come_back}");
        assert!(matches!(turn(&stage, ID, next), Ok(Turn::Next(_))), "{has_come_back}");
    }
}
