//! What a dry run counts in the users' buckets.

use store::memory::run;

use super::super::super::world::World;
use super::super::stage::{KEPT, Stage};
use super::super::{HOUR_MS, MIDNIGHT};
use super::{LIVE, begin};
use crate::rebuild::{self, Found, Mode};

/// What is found of a push of 20 slices that began so many hours ago, of which nothing is sealed.
fn found(began_hours_ago: u64, has_ended: bool, without: &[String]) -> Found {
    let world = World::new();
    let mut push = begin(&world, LIVE, MIDNIGHT - began_hours_ago * HOUR_MS, None);
    push.slices(20);
    if has_ended {
        push.end(100_000);
    }
    let stage = Stage::new(world);
    let World { store, bucket, users } = &stage.world;
    let mode = Mode::DryRun(Some("session".into()));
    run(rebuild::step((store, bucket, users), mode, without, KEPT, MIDNIGHT)).unwrap().found
}

#[test]
fn slices_of_two_days_ago_and_later_are_counted() {
    for (began_hours_ago, expected) in [(1, 20), (36, 20), (60, 0), (1_000, 0)] {
        for has_ended in [false, true] {
            let found = found(began_hours_ago, has_ended, &[]);
            assert_eq!(found.sessions, 1);
            assert_eq!((found.tail, found.unlisted), (expected, vec![]), "{began_hours_ago} {has_ended}");
        }
    }
}

#[test]
fn nothing_is_counted_in_a_bucket_that_is_left_out() {
    let without = ["e/b".to_owned()];
    for has_ended in [false, true] {
        let found = found(1, has_ended, &without);
        assert_eq!((found.tail, found.unlisted), (0, without.to_vec()));
    }
}
