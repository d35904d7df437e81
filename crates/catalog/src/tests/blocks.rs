//! Which media is gathered, and when that is deleted.

use store::memory::run;

use super::clocks::compose;
use super::media::Push;
use super::world::{CYCLE_SECONDS, NOW, World, session_of};
use crate::blocks::{self, Group};
use crate::chunk::{Chunk, Gap, GapReason};
use crate::decision::WorkBucket;
use crate::due::{self, Lane};
use crate::file;
use crate::rule::Container;
use crate::session::Session;
use crate::time::{CALL_MAX_MS, DAY_MS, Retention};

/// Slices are of 188,000 bytes, and six of them are a block.
const BLOCK: u64 = 1_000_000;

/// A session that is recorded as MP4.
fn recorded(id: &str, began_ms: u64) -> Session {
    let mut session = Session { began_ms, ..session_of(id) };
    for format in session.rule.iter_mut().flat_map(|rule| &mut rule.formats) {
        format.container = Container::Mp4;
    }
    session
}

fn next(world: &World) -> Option<(u32, Group)> {
    run(blocks::next(&world.store, &world.bucket, "a", BLOCK)).unwrap()
}

/// The chunks of a group, as session and number.
fn chunks(group: &Group) -> Vec<(&str, u64, bool)> {
    group.chunks.iter().map(|chunk| (&*chunk.at.session, chunk.at.seq, chunk.gap_ms.is_some())).collect()
}

/// Gathers all that can be; answers the names of the blocks.
fn gather(world: &World) -> Vec<String> {
    let mut names = Vec::new();
    while let Some((number, group)) = next(world) {
        names.push(group.block.clone().unwrap());
        run(blocks::note(&world.store, "a", number, &group)).unwrap();
    }
    names
}

#[test]
fn what_comes_is_gathered_once_and_over_breaks() {
    let world = World::new();
    let mut push = Push::begin_as(&world, recorded("a", NOW), None);
    push.slices(5);
    push.other(Chunk::Gap(Gap { reason: GapReason::Shed, from_ms: 25_000, to_ms: 26_000 }));
    push.slices(5);
    // A file of less than two blocks is created at once, and needs none.
    assert_eq!(next(&world), None);
    push.slices(1);
    let (number, group) = next(&world).unwrap();
    let expected = [0, 1, 2, 3, 4, 6].map(|seq| ("a", seq, seq == 6));
    assert_eq!((number, &chunks(&group)[..]), (0, &expected[..]));
    assert_eq!(group.block.as_deref(), Some("blocks/a/0000000000/a.0.6"));
    // What nobody has noted is gathered again.
    assert_eq!(next(&world), Some((0, group)));
    assert_eq!(gather(&world).len(), 1);
    assert_eq!(next(&world), None);

    push.end(60_000);
    let mut after = Push::begin_as(&world, recorded("b", NOW + 70_000), Some(("a", 10_000)));
    after.slices(1);
    // Of the last chunk it may still be told that it is lost.
    assert_eq!(next(&world), None);
    after.slices(1);
    let (_, group) = next(&world).unwrap();
    let expected = [7, 8, 9, 10, 11].map(|seq| ("a", seq, false));
    assert_eq!(chunks(&group), [&expected[..], &[("b", 0, true)]].concat());
    assert_eq!(gather(&world), ["blocks/a/0000000000/a.7.6"]);

    // The file goes by the same groups.
    let cycle = u64::from(CYCLE_SECONDS) / 5;
    after.slices(cycle - 13);
    let file = run(file::complete(&world.store, &world.bucket, "a", Container::Mp4)).unwrap().unwrap();
    let groups = run(blocks::groups(&world.store, &world.bucket, "a", &file, BLOCK)).unwrap();
    assert_eq!(groups[0].block.as_deref(), Some("blocks/a/0000000000/a.0.6"));
    assert_eq!(groups[1].block.as_deref(), Some("blocks/a/0000000000/a.7.6"));
    assert_eq!(groups.iter().map(|group| group.chunks.len() as u64).sum::<u64>(), cycle);
    // Of a file that is whole no more is gathered.
    assert_eq!(next(&world), None);
}

#[test]
fn a_look_costs_what_has_come_since_the_one_before() {
    let world = World::new();
    let mut push = Push::begin_as(&world, recorded("a", NOW), None);
    let mut costs = Vec::new();
    push.slices(1);
    for _ in 0..9 {
        push.slices(18);
        let before = world.store.operations();
        assert_eq!(gather(&world).len(), 3);
        costs.push(world.store.operations() - before);
    }
    let (first, last) = (costs[0], costs[8]);
    assert!(last <= first + 4, "{costs:?}");
}

#[test]
fn blocks_are_deleted_once_their_file_is_written() {
    let world = World::new();
    let mut push = Push::begin_as(&world, recorded("a", NOW), None);
    push.slices(u64::from(CYCLE_SECONDS) / 5);
    for name in [
        "blocks/a/0000000000/a.0.6",
        "blocks/a/0000000000/a.6.6",
        "blocks/a/0000000001/a.180.6",
        "blocks/b/0000000000/b.0.6",
    ] {
        run(world.bucket.create_or_read(name, b"media")).unwrap();
    }
    let blocks = || world.bucket.names().into_iter().filter(|name| name.starts_with("blocks/")).count();
    let compose = |now_ms| {
        for timer in run(due::due(&world.store, Lane::Compose, now_ms)).unwrap() {
            let attended = due::attend(&world.store, &world.bucket, &timer, Retention::default(), now_ms);
            run(attended).unwrap();
            run(due::settle(&world.store, &[timer], &[], &[], now_ms)).unwrap();
        }
    };
    let file = run(file::complete(&world.store, &world.bucket, "a", Container::Mp4)).unwrap().unwrap();
    run(blocks::release(&world.store, "a", file.number, 1_000, NOW)).unwrap();
    // The call that wrote it has died before it noted that.
    compose(NOW + CALL_MAX_MS + 1_000);
    assert_eq!(blocks(), 4);
    run(file::written(&world.store, "a", Container::Mp4, &file)).unwrap();
    compose(NOW + 10 * CALL_MAX_MS);
    assert_eq!(blocks(), 2);
}

/// When blocks are looked at next to be deleted, from a moment on.
fn next_deletion(world: &World, from_ms: u64) -> Option<u64> {
    (from_ms..from_ms + 3_600_000).step_by(5_000).find_map(|now_ms| {
        let due = run(due::due(&world.store, Lane::Compose, now_ms)).unwrap();
        due.iter().find(|timer| timer.what.starts_with("t ")).map(|timer| timer.due_ms)
    })
}

fn put_blocks(world: &World, file: u32, count: u64) {
    for seq in 0..count {
        let name = naming::block_object("a", file, ("a", seq), 6);
        run(world.bucket.create_or_read(&name, b"media")).unwrap();
    }
}

/// How many blocks of a file there are.
fn left(world: &World, file: u32) -> usize {
    let prefix = naming::blocks_of("a", Some(file));
    world.bucket.names().iter().filter(|name| name.starts_with(&prefix)).count()
}

fn write_file(world: &World) {
    let file = run(file::complete(&world.store, &world.bucket, "a", Container::Mp4)).unwrap().unwrap();
    run(file::written(&world.store, "a", Container::Mp4, &file)).unwrap();
}

#[test]
fn blocks_stay_until_their_own_file_is_written_and_are_looked_at_ever_more_seldom() {
    let world = World::new();
    let mut push = Push::begin_as(&world, recorded("a", NOW), None);
    push.slices(2 * u64::from(CYCLE_SECONDS) / 5);
    (0..3).for_each(|file| put_blocks(&world, file, 2));
    write_file(&world);
    run(blocks::release(&world.store, "a", 1, DAY_MS, NOW)).unwrap();
    let (mut now_ms, mut waits) = (NOW + DAY_MS, Vec::new());
    for _ in 0..3 {
        let due_ms = next_deletion(&world, now_ms).unwrap();
        waits.push((due_ms - now_ms) / CALL_MAX_MS);
        compose(&world, due_ms);
        // It waits once more, by another clock.
        now_ms = next_deletion(&world, due_ms).unwrap();
        compose(&world, now_ms);
        assert_eq!([0, 1, 2].map(|file| left(&world, file)), [2, 2, 2]);
    }
    assert_eq!(waits, [1, 2, 4]);
    write_file(&world);
    let due_ms = next_deletion(&world, now_ms).unwrap();
    compose(&world, due_ms);
    compose(&world, due_ms + 2 * CALL_MAX_MS);
    assert_eq!([0, 1, 2].map(|file| left(&world, file)), [0, 0, 2]);
    assert_eq!(next_deletion(&world, due_ms + 2 * CALL_MAX_MS), None);
}

#[test]
fn blocks_are_all_deleted_however_many_there_are_beside_those_of_later_files() {
    let world = World::new();
    let mut push = Push::begin_as(&world, recorded("a", NOW), None);
    push.slices(u64::from(CYCLE_SECONDS) / 5);
    put_blocks(&world, 0, 250);
    put_blocks(&world, 1, 200);
    write_file(&world);
    run(blocks::release(&world.store, "a", 0, 0, NOW)).unwrap();
    compose(&world, NOW + CALL_MAX_MS);
    let now_ms = NOW + 3 * CALL_MAX_MS;
    (0..4).for_each(|_| compose(&world, now_ms));
    assert_eq!((left(&world, 0), left(&world, 1)), (0, 200));
    assert_eq!(next_deletion(&world, now_ms), None);
}

#[test]
fn blocks_are_looked_for_each_minute() {
    let world = World::new();
    let mut push = Push::begin_as(&world, recorded("a", NOW), None);
    for slices in 1..=24 {
        push.slices(1);
        let due = run(due::due(&world.store, Lane::Compose, NOW)).unwrap();
        assert_eq!(due.iter().any(|timer| timer.what == "m a"), slices % 12 == 0, "{slices}");
        compose(&world, NOW);
    }
}
