//! Slices that do not follow on what is known: what their objects say is not believed, unless a store was lost before.

use store::memory::run;

use super::super::super::media::{Piece, SECOND};
use super::super::super::world::{World, delivery, slice};
use super::super::lost_store::{lose, rebuild, tell_lost, turn};
use super::super::stage::Stage;
use super::super::{HOUR_MS, MIDNIGHT, MINUTE_MS};
use super::{LIVE, after, answers, begin, last_records, open_file, recorded, records};
use crate::chunk::{Chunk, Gap, GapReason, Slice};
use crate::commit::{self, Turn};
use crate::silence;
use crate::slice_note::SliceNote;
use crate::users::Unseen;

fn staged(world: World) -> Stage {
    let mut stage = Stage::new(world);
    stage.now_ms = MIDNIGHT + HOUR_MS;
    stage
}

/// The object of a slice.
fn name_of(stage: &Stage, seq: u64) -> String {
    let tag = Some(naming::tag::slice(LIVE, seq));
    let objects = stage.world.users.objects.borrow();
    objects.iter().find(|(_, seen)| seen.tag == tag).map(|(name, _)| name.clone()).unwrap()
}

/// What becomes of what an object says.
type Change = fn(&mut SliceNote);

#[test]
fn what_does_not_follow_on_what_is_before_is_lost() {
    let changes: [(&str, Change); 8] = [
        ("it is in a file that is not open", |note| note.files[0].0 += 1),
        ("its file has more slices", |note| note.files[0].1 += 1),
        ("its file has fewer slices", |note| note.files[0].1 -= 1),
        ("its file has a number of an earlier one", |note| note.files[0].0 -= 1),
        ("it is in a file more", |note| note.files.push((0, 1))),
        ("the one before it had fewer orders", |note| note.before.orders -= 1),
        ("the one before it was in an earlier file", |note| note.before.files -= 1),
        // By another clock than those before it.
        ("its clock is behind", |note| {
            note.slice.anchor_ms -= 10;
            note.slice.start_90khz += 900;
        }),
    ];
    for (what, change) in changes {
        let mut stage = recorded();
        let name = name_of(&stage, 950);
        {
            let mut objects = stage.world.users.objects.borrow_mut();
            let seen = objects.get_mut(&name).unwrap();
            let mut note = SliceNote::decode(seen.note.as_ref().unwrap()).unwrap();
            change(&mut note);
            seen.note = note.encode();
            assert!(seen.note.is_some());
        }
        let (_, lost) = after(&mut stage);
        assert_eq!(lost, 54, "{what}");
    }
}

/// A silence closed the files before the slice after it, so that its object is outdated.
#[test]
fn what_is_after_a_missing_slice_is_lost_though_a_silence_lies_between() {
    let world = World::new();
    let mut push = begin(&world, LIVE, MIDNIGHT + MINUTE_MS, None);
    push.slices(20);
    let now_ms = MIDNIGHT + HOUR_MS;
    let Ok(Turn::Next(prepared)) = run(commit::prepare(&world.store, &world.bucket, LIVE, 20, now_ms)) else {
        panic!()
    };
    let anchor_ms = prepared.session.began_ms;
    let slice = Slice { anchor_ms, ..slice(20) };
    world.put(&prepared, &delivery(0, 0, Chunk::Slice(slice)));
    run(silence::look(&world.store, LIVE, 0, 0)).unwrap();
    run(silence::close(&world.store, &world.bucket, LIVE, 1)).unwrap();
    push.slices(10);
    let mut stage = staged(world);
    let name = name_of(&stage, 19);
    stage.world.users.objects.borrow_mut().remove(&name);
    lose(&mut stage);
    assert_eq!(rebuild(&stage).tail, 19);
    assert_eq!(tell_lost(&stage, LIVE, 30), 11);
}

/// What a silence parted was no slice.
#[test]
fn chunks_between_slices_are_back_as_they_were_committed() {
    let world = World::new();
    let mut push = begin(&world, LIVE, MIDNIGHT + MINUTE_MS, None);
    push.slices(20);
    run(silence::look(&world.store, LIVE, 0, 0)).unwrap();
    run(silence::close(&world.store, &world.bucket, LIVE, 1)).unwrap();
    push.other(Chunk::Gap(Gap { reason: GapReason::Shed, from_ms: 100_000, to_ms: 105_000 }));
    push.other(Chunk::Empty);
    push.slices(5);
    let mut stage = staged(world);
    let (expected, known) = (answers(&stage), records(&stage));
    lose(&mut stage);
    assert_eq!(rebuild(&stage).tail, 25);
    assert_eq!(records(&stage), known);
    assert_eq!(answers(&stage), expected);
}

/// Its gateway's clock runs from the first slice after a break anew.
#[test]
fn slices_after_a_break_are_back_as_they_were() {
    let world = World::new();
    let mut push = begin(&world, LIVE, MIDNIGHT + MINUTE_MS, None);
    push.slices(20);
    for number in 20..30 {
        push.slice(Piece {
            offset_ms: number * 5_000 + 400_000,
            start_90khz: number * 5 * SECOND,
            duration_90khz: 5 * SECOND,
            is_enterable: true,
        });
    }
    let mut stage = staged(world);
    let (expected, known) = (answers(&stage), records(&stage));
    lose(&mut stage);
    assert_eq!(rebuild(&stage).tail, 30);
    assert_eq!(records(&stage), known);
    assert_eq!(answers(&stage), expected);
}

/// The bucket could not be listed when the store was lost first, so that numbers of files were left out.
#[test]
fn what_came_after_a_lost_store_is_back_when_the_next_one_is_lost() {
    let world = World::new();
    begin(&world, LIVE, MIDNIGHT - MINUTE_MS, None).slices(70);
    let mut stage = Stage::new(world);
    stage.leap_until(MIDNIGHT + 3 * HOUR_MS);
    lose(&mut stage);
    *stage.world.users.unseen.borrow_mut() = Some((Unseen::Refused("403".into()), u32::MAX));
    assert_eq!(rebuild(&stage).tail, 0);
    // Of its first page all is known.
    assert_eq!(tell_lost(&stage, LIVE, 70), 6);
    for seq in 70..76 {
        stage.come_late(LIVE, seq);
    }
    let known = last_records(&stage);
    assert_eq!(open_file(&known[&format!("c.{LIVE}")].1), Some(10_001));
    *stage.world.users.unseen.borrow_mut() = None;
    lose(&mut stage);
    assert_eq!(rebuild(&stage).tail, 6);
    assert_eq!(last_records(&stage), known);
    assert!(matches!(turn(&stage, LIVE, 76), Ok(Turn::Next(_))));
}

/// However often a store was lost, no more numbers are left out.
#[test]
fn a_number_that_no_lost_store_can_have_come_to_is_not_believed() {
    for (number, tail) in [(0, 1), (100_000_000, 1), (100_000_001, 0), (u32::MAX, 0)] {
        let world = World::new();
        begin(&world, LIVE, MIDNIGHT + MINUTE_MS, None).slices(1);
        let mut stage = staged(world);
        let name = name_of(&stage, 0);
        {
            let mut objects = stage.world.users.objects.borrow_mut();
            let seen = objects.get_mut(&name).unwrap();
            let mut note = SliceNote::decode(seen.note.as_ref().unwrap()).unwrap();
            note.files[0].0 = number;
            seen.note = note.encode();
        }
        lose(&mut stage);
        assert_eq!(rebuild(&stage).tail, tail, "{number}");
    }
}
