//! What meets a seal: buckets that refuse for minutes, calls that die between its writes, sessions that come back.

use store::Operation;
use store::memory::{Outcome, run};

use super::super::media::{Piece, Push};
use super::super::world::{World, slice};
use super::stage::{Stage, stream};
use super::{HOUR_MS, MIDNIGHT, MINUTE_MS, NOON};
use crate::chunk::{Chunk, Gap, GapReason};
use crate::commit::{self, Delivery, Prepared, Turn};
use crate::log::StreamDay;
use crate::order::Generation;
use crate::time::DAY_MS;
use crate::{days, due, list, seal, session};

const ID: &str = "20200101-z";

/// A push of five slices that is over.
fn small() -> Stage {
    let world = World::new();
    let mut push = Push::begin(&world, ID, MIDNIGHT - HOUR_MS, None);
    push.slices(5);
    push.end(25_000);
    Stage::new(world)
}

fn is_gone(stage: &Stage, id: &str) -> bool {
    run(session::find(&stage.world.store, id)).unwrap().is_none()
}

fn prepared(stage: &Stage, id: &str, seq: u64) -> Box<Prepared> {
    match run(commit::prepare(&stage.world.store, &stage.world.bucket, id, seq, stage.now_ms)) {
        Ok(Turn::Next(prepared)) => prepared,
        other => panic!("chunk {seq} of {id}: {other:?}"),
    }
}

fn commit(stage: &Stage, prepared: &Prepared, chunk: Chunk) {
    let delivery = Delivery {
        left_out: Vec::new(),
        generation: Generation { orders: 1, files: 0 },
        chunk,
        is_followed_by_entry: true,
        remux_state: Vec::new(),
    };
    run(due::commit(&stage.world.store, prepared, delivery, stage.now_ms)).unwrap();
}

#[test]
fn a_session_that_comes_back_for_a_gap_is_forgotten_as_well() {
    let mut stage = small();
    stage.leap_until(MIDNIGHT + 28 * HOUR_MS);
    assert!(is_gone(&stage, ID));
    let gap = Gap { reason: GapReason::Shed, from_ms: 25_000, to_ms: 30_000 };
    commit(&stage, &prepared(&stage, ID, 5), Chunk::Gap(gap));
    stage.leap_until(MIDNIGHT + 60 * HOUR_MS);
    assert!(is_gone(&stage, ID));
    let told = run(commit::prepare(&stage.world.store, &stage.world.bucket, ID, 5, stage.now_ms));
    assert!(matches!(told, Ok(Turn::Lost)), "{told:?}");
    stage.leap_until(MIDNIGHT + 200 * DAY_MS);
    assert!(stage.lasting_keys().is_empty(), "{:?}", stage.lasting_keys());
    assert!(stage.world.bucket.names().is_empty());
}

/// The gateway of a push that continues another one lost its line before the first chunk, and comes back in a week.
#[test]
fn a_push_without_chunks_is_recorded_when_the_one_before_is_sealed() {
    let world = World::new();
    let mut first = Push::begin(&world, "20200101-x", MIDNIGHT - HOUR_MS, None);
    first.slices(5);
    first.end(25_000);
    Push::begin(&world, ID, MIDNIGHT - HOUR_MS + 60_000, Some(("20200101-x", 35_000)));
    let mut stage = Stage::new(world);
    stage.tick_until(MIDNIGHT + 10 * MINUTE_MS, 10_000);
    let session = run(session::find(&stage.world.store, ID)).unwrap().unwrap();
    run(session::end_at_last(&stage.world.store, &stage.world.bucket, &session, stage.now_ms)).unwrap();
    stage.leap_until(MIDNIGHT + 9 * DAY_MS);
    assert!(is_gone(&stage, "20200101-x") && is_gone(&stage, ID));
    stage.come_late(ID, 0);
    stage.leap_until(MIDNIGHT + 11 * DAY_MS);
    assert!(is_gone(&stage, ID));
    assert_eq!(stage.slices().len(), 6);
    assert_eq!(stage.files().len(), 2);
}

#[test]
fn a_session_that_came_back_is_known_by_its_last_part() {
    let mut stage = small();
    stage.leap_until(MIDNIGHT + 28 * HOUR_MS);
    let key = stream().key();
    let day = StreamDay { stream: &key, day: days::day(NOON) };
    let place = stage.come_late(ID, 5);
    // The day is sealed before the late chunk's file is written.
    run(seal::seal(&stage.world.store, &stage.world.bucket, day, super::stage::KEPT, stage.now_ms)).unwrap();
    stage.leap_until(MIDNIGHT + 60 * HOUR_MS);
    assert!(is_gone(&stage, ID));
    assert!(stage.slices().contains(&place));
    let again = run(commit::prepare(&stage.world.store, &stage.world.bucket, ID, 5, stage.now_ms));
    assert!(matches!(again, Ok(Turn::Done)), "{again:?}");
    stage.come_late(ID, 6);
}

/// The timer of a try that failed comes just after the one that succeeds; a chunk is on its way.
#[test]
fn what_is_sealed_at_a_later_try_is_cleared_no_earlier() {
    for outage_ms in [10_000, 100_000, 310_000, 700_000] {
        let mut stage = small();
        stage.tick_until(MIDNIGHT + 70 * MINUTE_MS, 60_000);
        stage.world.bucket.refused.set(Some("log/"));
        while stage.world.bucket.refusals.get() == 0 {
            stage.tick();
            stage.now_ms += 1_000;
        }
        stage.tick_until(stage.now_ms + outage_ms, 1_000);
        stage.world.bucket.refused.set(None);
        let late = loop {
            let late = prepared(&stage, ID, 5);
            stage.tick();
            if stage.objects("log/") > 0 {
                break late;
            }
            stage.now_ms += 1_000;
        };
        stage.tick_until(stage.now_ms + 119_000, 1_000);
        let anchor_ms = late.place(25_000, 5 * 450_000, 0).anchor_ms;
        commit(&stage, &late, Chunk::Slice(crate::chunk::Slice { anchor_ms, ..slice(5) }));
        stage.leap_until(MIDNIGHT + 60 * HOUR_MS);
        assert_eq!(stage.slices().len(), 6, "{outage_ms}");
        assert!(is_gone(&stage, ID), "{outage_ms}");
    }
}

/// A part says that the session is over, and is cleared after the chunk has come.
#[test]
fn a_chunk_on_its_way_while_its_session_is_found_to_be_over_is_sealed_after_it() {
    let mut stage = Stage::of_push(ID, MIDNIGHT - HOUR_MS, 100);
    stage.tick_until(MIDNIGHT + 70 * MINUTE_MS, 60_000);
    let late = loop {
        let late = prepared(&stage, ID, 100);
        stage.tick();
        if stage.objects("log/") > 0 {
            break late;
        }
        stage.now_ms += 1_000;
    };
    let anchor_ms = late.place(500_000, 100 * 450_000, 0).anchor_ms;
    commit(&stage, &late, Chunk::Slice(crate::chunk::Slice { anchor_ms, ..slice(100) }));
    stage.leap_until(MIDNIGHT + 60 * HOUR_MS);
    assert_eq!(stage.slices().len(), 101);
    assert!(is_gone(&stage, ID));
}

/// What tells how far sessions are sealed cannot be written for some minutes.
#[test]
fn a_part_is_cleared_once_it_is_noted_how_far_its_sessions_are_sealed() {
    let world = World::new();
    let mut live = Push::begin(&world, "20200101-live", MIDNIGHT - 90 * MINUTE_MS, None);
    live.slices(1_300);
    let mut stage = Stage::new(world);
    stage.tick_until(MIDNIGHT + 40 * MINUTE_MS, 10_000);
    let expected = stage.slices();
    stage.world.store.fail(|call| match call.key.starts_with("f.") {
        true => Outcome::Refused,
        false => Outcome::Applied,
    });
    let chunks = stage.keys_of(&["c"]).len();
    stage.tick_until(MIDNIGHT + 70 * MINUTE_MS, 60_000);
    stage.tick_until(MIDNIGHT + 130 * MINUTE_MS, 5_000);
    assert_eq!(stage.keys_of(&["c"]).len(), chunks);
    stage.world.store.mend();
    stage.leap_until(MIDNIGHT + DAY_MS + 4 * HOUR_MS);
    assert!(stage.slices() == expected);
    assert!(stage.keys_of(&["c"]).len() < 3 && stage.objects("log/") < 4);
}

#[test]
fn a_part_that_is_cleared_after_a_later_one_leaves_nothing() {
    let world = World::new();
    let mut push = Push::begin(&world, ID, MIDNIGHT - 3 * MINUTE_MS, None);
    push.slices(60);
    push.end(60 * 5_000);
    let mut stage = Stage::new(world);
    let first = format!("c.{ID}.0");
    stage.world.store.fail(move |call| match call.key == first && call.operation == Operation::Delete {
        true => Outcome::Refused,
        false => Outcome::Applied,
    });
    stage.leap_until(MIDNIGHT + 3 * DAY_MS);
    assert!(stage.keys_of(&["s"]).is_empty() && !stage.keys_of(&["c"]).is_empty());
    stage.world.store.mend();
    stage.leap_until(MIDNIGHT + 200 * DAY_MS);
    let left = stage.keys_of(&["c", "s", "h", "a", "e"]);
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_bucket_that_refuses_for_hours_is_asked_ever_less_often() {
    let world = World::new();
    let mut live = Push::begin(&world, "20200101-live", MIDNIGHT - 30 * MINUTE_MS, None);
    live.slices(500);
    let mut stage = Stage::new(world);
    stage.tick_until(MIDNIGHT + 70 * MINUTE_MS, 60_000);
    stage.world.bucket.refused.set(Some("log/"));
    stage.tick_until(MIDNIGHT + 8 * HOUR_MS, 5_000);
    let tries = stage.world.bucket.refusals.get();
    assert!((10..120).contains(&tries), "{tries}");
    assert!(stage.world.store.len() < 300, "{}", stage.world.store.len());
}

#[test]
fn a_day_in_which_a_session_only_begins_leaves_nothing() {
    let world = World::new();
    let mut push = Push::begin(&world, ID, MIDNIGHT - 10 * MINUTE_MS, None);
    for number in 0..5 {
        let offset_ms = 30 * MINUTE_MS + number * 5_000;
        let start_90khz = offset_ms * 90;
        push.slice(Piece { offset_ms, start_90khz, duration_90khz: 450_000, is_enterable: true });
    }
    push.end(40 * MINUTE_MS);
    let mut stage = Stage::new(world);
    stage.leap_until(MIDNIGHT + 200 * DAY_MS);
    let left = stage.keys_of(&["y", "i", "z", "r", "s", "a", "f", "v"]);
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_backlog_costs_as_much_as_chunks_in_time() {
    let world = World::new();
    let mut push = Push::begin(&world, ID, MIDNIGHT - 2 * HOUR_MS, None);
    push.slices(1);
    let mut stage = Stage::new(world);
    stage.now_ms = MIDNIGHT + 10 * MINUTE_MS;
    let before = stage.world.store.operations();
    for seq in 1..501 {
        stage.come_late(ID, seq);
        stage.now_ms += 1_000;
    }
    let each = (stage.world.store.operations() - before) as f64 / 500.0;
    assert!(each <= 8.0, "{each}");
    let key = stream().key();
    let day = StreamDay { stream: &key, day: days::day(NOON) };
    let noted = run(list::count(&stage.world.store, &days::sessions_of(day))).unwrap();
    assert!(noted < 5, "{noted}");
    stage.leap_until(MIDNIGHT + 30 * HOUR_MS);
    assert_eq!(stage.slices().len(), 501);
}

/// More pushes than a part holds.
#[test]
fn a_day_of_many_pushes_is_sealed_in_several_parts() {
    let world = World::new();
    for number in 0..620_u64 {
        let id = format!("20200101-{number:032x}");
        let mut push = Push::begin(&world, &id, MIDNIGHT - 20 * HOUR_MS + number * 100_000, None);
        push.slices(2);
        push.end(10_000);
    }
    let mut stage = Stage::new(world);
    stage.leap_until(MIDNIGHT + HOUR_MS);
    let expected = stage.slices();
    // What the first part has no room for follows it within minutes.
    stage.leap_until(MIDNIGHT + 2 * HOUR_MS);
    assert!(stage.objects("log/") >= 2, "{}", stage.objects("log/"));
    stage.leap_until(MIDNIGHT + 8 * HOUR_MS);
    assert!(stage.objects("log/") >= 2, "{}", stage.objects("log/"));
    assert!(stage.slices() == expected && expected.len() == 1_240);
    assert!(stage.keys_of(&["s", "c", "a"]).is_empty());
}
