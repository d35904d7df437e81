//! Sessions that are back: the numbers of their next files, the days of their slices, the breaks after them.

use store::memory::{Outcome, run};

use super::super::super::media::Push;
use super::super::super::world::World;
use super::super::lost_store::{live_on, lose, rebuild};
use super::super::stage::Stage;
use super::super::{HOUR_MS, MIDNIGHT, MINUTE_MS};
use super::{LIVE, begin, records};
use crate::committed;
use crate::time::DAY_MS;

/// An hour after the day's begin, when nothing of it is sealed.
fn staged(world: World) -> Stage {
    Stage { now_ms: MIDNIGHT + HOUR_MS, ..Stage::new(world) }
}

/// The number of the file that a slice is in which comes now.
fn file_of_next(stage: &mut Stage, id: &str, seq: u64) -> u32 {
    stage.come_late(id, seq);
    let (found, last) = run(committed::last(&stage.world.store, id)).unwrap().unwrap();
    assert_eq!(found, seq);
    last.files()[0].0
}

/// It was in the file that is open there, or in a later one, and may be so in the bucket.
#[test]
fn a_push_whose_first_slice_is_lost_begins_past_the_file_of_the_one_that_it_continues() {
    let world = World::new();
    let began_ms = MIDNIGHT + MINUTE_MS;
    let mut first = begin(&world, "20200102-a", began_ms, None);
    first.slices(20);
    first.end(100_000);
    begin(&world, "20200102-b", began_ms + 110_000, Some(("20200102-a", 10_000))).slices(3);
    let mut stage = staged(world);
    let tag = Some(naming::tag::slice("20200102-b", 0));
    for seen in stage.world.users.objects.borrow_mut().values_mut().filter(|seen| seen.tag == tag) {
        seen.note = None;
    }
    lose(&mut stage);
    assert_eq!(rebuild(&stage).tail, 20);
    assert_eq!(file_of_next(&mut stage, "20200102-b", 0), 10_001);
}

/// Its slices have no names that tell anything, so that none is found. What followed the first loss began a file, and is lost
/// as well: only that more comes after it was sealed before.
#[test]
fn each_loss_leaves_numbers_out() {
    let world = World::new();
    Push::begin(&world, LIVE, MIDNIGHT - MINUTE_MS, None).slices(70);
    let mut stage = Stage::new(world);
    stage.leap_until(MIDNIGHT + 3 * HOUR_MS);
    lose(&mut stage);
    rebuild(&stage);
    // Of its first page all is known. It is sealed once more before anything comes.
    stage.leap_until(MIDNIGHT + DAY_MS + 3 * HOUR_MS);
    assert_eq!(file_of_next(&mut stage, LIVE, 64), 10_001);
    lose(&mut stage);
    rebuild(&stage);
    assert_eq!(file_of_next(&mut stage, LIVE, 64), 30_001);
}

#[test]
fn numbers_are_left_out_once_wherever_a_rebuild_dies_that_finds_a_slice_gone() {
    let lost = || {
        let world = World::new();
        begin(&world, LIVE, MIDNIGHT + MINUTE_MS, None).slices(12);
        let mut stage = staged(world);
        let tag = Some(naming::tag::slice(LIVE, 8));
        stage.world.users.objects.borrow_mut().retain(|_, seen| seen.tag != tag);
        lose(&mut stage);
        stage
    };
    let mut whole = lost();
    assert_eq!(rebuild(&whole).tail, 8);
    let (known, operations) = (records(&whole), whole.world.store.operations());
    assert!(operations > 50, "{operations}");
    assert_eq!(file_of_next(&mut whole, LIVE, 8), 10_001);
    for at in 0..operations {
        let stage = lost();
        stage.fail_once(at, [Outcome::Refused, Outcome::ReplyLost][at as usize % 2]);
        rebuild(&stage);
        assert_eq!(records(&stage), known, "{at}");
    }
}

/// The store is lost before anything of the push is sealed, which began the day before.
#[test]
fn slices_of_a_later_day_are_found_in_that_day() {
    let world = World::new();
    begin(&world, LIVE, MIDNIGHT - 5 * MINUTE_MS, None).slices(260);
    let mut stage = staged(world);
    let range = (MIDNIGHT + 13 * MINUTE_MS, MIDNIGHT + 15 * MINUTE_MS);
    let expected = stage.answer(range);
    assert!(expected.contains(LIVE));
    lose(&mut stage);
    assert_eq!(rebuild(&stage).tail, 260);
    assert_eq!(stage.answer(range), expected);
}

/// How long a gateway is heard counts anew in a new store.
#[test]
fn the_break_after_a_push_closes_in_time_however_long_its_gateway_had_been_heard() {
    let mut stage = Stage::new(World::new());
    live_on(&mut stage, HOUR_MS);
    let mut push = begin(&stage.world, LIVE, stage.now_ms, None);
    push.slices(20);
    push.end(100_000);
    stage.now_ms += 100_000;
    lose(&mut stage);
    assert_eq!(rebuild(&stage).tail, 20);
    live_on(&mut stage, 10 * MINUTE_MS);
    assert_eq!(stage.files().len(), 1);
}
