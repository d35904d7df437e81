//! What comes for a day that is over, and what is noted beside slices.

use store::memory::run;

use super::super::media::{Piece, Push, SECOND};
use super::super::world::{World, slice};
use super::stage::{Stage, stream};
use super::{HOUR_MS, MIDNIGHT, MINUTE_MS};
use crate::chunk::{Chunk, Slice};
use crate::log::StreamDay;
use crate::time::DAY_MS;
use crate::{days, list, names};

const ID: &str = "20200101-x";

/// Its day is sealed meanwhile, again and again.
#[test]
fn what_comes_late_is_found_at_once_however_long_after_what_came_late_before() {
    let world = World::new();
    Push::begin(&world, ID, MIDNIGHT - HOUR_MS, None).slices(60);
    let mut stage = Stage::new(world);
    stage.leap_until(MIDNIGHT + 4 * HOUR_MS);
    let mut expected = stage.slices();
    assert_eq!(expected.len(), 60);
    for (seq, after_min) in (60..).zip([0, 75, 10, 65, 30, 300]) {
        stage.tick_until(stage.now_ms + after_min * MINUTE_MS, 20_000);
        assert_eq!(stage.slices(), expected, "{seq}");
        expected.push(stage.come_late(ID, seq));
        assert_eq!(stage.slices(), expected, "{seq}");
    }
    stage.leap_until(MIDNIGHT + 3 * DAY_MS);
    assert_eq!(stage.slices(), expected);
}

/// The sessions that are noted in the day of a moment, and how often any was.
fn noted(world: &World, at_ms: u64) -> (Vec<String>, u64) {
    let stream = stream().key();
    let list = days::sessions_of(StreamDay { stream: &stream, day: days::day(at_ms) });
    let noted = run(list::all(&world.store, &list)).unwrap();
    (noted.into_iter().collect(), run(list::count(&world.store, &list)).unwrap())
}

/// Each time more would make the day's list longer.
#[test]
fn a_push_is_noted_once_in_the_day_that_it_is_in() {
    let world = World::new();
    Push::begin(&world, ID, MIDNIGHT - HOUR_MS, None).slices(10);
    assert_eq!(noted(&world, MIDNIGHT - HOUR_MS), (vec![ID.to_owned()], 1));
}

#[test]
fn a_slice_that_begins_with_a_day_is_noted_in_it_however_short_it_is() {
    for duration_90khz in [0, 89, 90] {
        let world = World::new();
        let mut push = Push::begin(&world, ID, MIDNIGHT - 10_000, None);
        push.slices(1);
        let start_90khz = 10 * SECOND;
        push.slice(Piece { offset_ms: 10_000, start_90khz, duration_90khz, is_enterable: true });
        assert_eq!(noted(&world, MIDNIGHT), (vec![ID.to_owned()], 1), "{duration_90khz}");
    }
}

/// Two slices, the names of one of which were another writer's.
#[test]
fn what_is_noted_of_names_goes_with_the_slice_that_is_sealed() {
    let world = World::new();
    let mut push = Push::begin(&world, ID, MIDNIGHT - HOUR_MS, None);
    push.slices(1);
    run(names::take_slice(&world.store, ID, 1, 2)).unwrap();
    let anchor_ms = push.session.began_ms;
    push.other(Chunk::Slice(Slice { anchor_ms, names_taken: 2, ..slice(1) }));
    // It goes on, so that it stays in the store itself.
    let mut stage = Stage::new(world);
    assert_eq!(stage.keys_of(&["j"]).len(), 1);
    stage.leap_until(MIDNIGHT + 4 * HOUR_MS);
    assert_eq!(stage.slices().len(), 2);
    assert_eq!(stage.keys_of(&["j"]), [] as [&str; 0]);
}
