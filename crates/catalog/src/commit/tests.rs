//! What a chunk is built on, and what follows from it.

use store::memory::run;

use super::*;
use crate::chunk::{Gap, GapReason};
use crate::rule::Container;
use crate::silence;
use crate::slice_note::SliceNote;
use crate::tests::world::{NOW, World, commit_alone, delivery, session_of, slice};

const GAP: Chunk = Chunk::Gap(Gap { reason: GapReason::Shed, from_ms: 0, to_ms: 1 });

fn next(world: &World, id: &str, seq: u64) -> Box<Prepared> {
    match run(prepare(&world.store, &world.bucket, id, seq, NOW)) {
        Ok(Turn::Next(prepared)) => prepared,
        other => panic!("{other:?}"),
    }
}

/// A push of one chunk after the other.
fn pushed(chunks: &[Chunk]) -> World {
    let world = World::new();
    world.offer("a", None);
    for (seq, chunk) in (0..).zip(chunks) {
        run(commit_alone(&world.store, &next(&world, "a", seq), delivery(seq, 0, *chunk))).unwrap();
    }
    world
}

#[test]
fn a_chunk_lies_where_its_media_time_says_unless_it_was_not_recorded_before() {
    let mut begin = Committed::begin(Vec::new());
    let first = |offset_ms, start_90khz| {
        let prepared = Prepared::again(&session_of("a"), 0, Committed::begin(Vec::new()), false);
        let Placed { anchor_ms, is_moved } = prepared.place(offset_ms, start_90khz, 0);
        (anchor_ms - NOW, is_moved)
    };
    assert_eq!(first(500, 9_000), (400, false));
    assert_eq!(first(500, 0), (500, false));
    begin.anchor_ms = Some(NOW + 100);
    let next = Prepared::again(&session_of("a"), 7, begin, false);
    // When it came, by its media time; for how long it was paused before; by how much the anchor moves.
    for (late_ms, paused_ms, anchor_ms, is_moved) in [
        (0, 0, 0, false),
        (-5_000, 0, 0, false),
        (-60_000, 0, 0, false),
        (10_000, 0, 0, false),
        (10_001, 0, 10_001, true),
        (400_000, 0, 400_000, true),
        // As much later as it was paused.
        (30_000, 30_000, 30_000, true),
        (40_000, 30_000, 30_000, true),
        (40_001, 30_000, 40_001, true),
        (20_000, 30_000, 30_000, true),
        (19_999, 30_000, 19_999, true),
        // The clock jumped, and time never goes back.
        (-70_000, 30_000, 0, true),
    ] {
        let offset_ms = (100_i64 + 100_000 + late_ms).cast_unsigned();
        let placed = next.place(offset_ms, 100_000 * 90, paused_ms * 90);
        assert_eq!(placed, Placed { anchor_ms: NOW + 100 + anchor_ms, is_moved }, "{late_ms} {paused_ms}");
    }
}

#[test]
fn a_status_may_change_with_a_slice_that_does_not_follow_the_last_one_under_the_same_orders() {
    let orders = |orders| Generation { orders, files: 0 };
    let changes = |anchor_ms, is_parted, tells_status, is_slice, generation| {
        let mut before = Committed::begin(Vec::new());
        (before.anchor_ms, before.slice_orders) = (anchor_ms, 3);
        let session = Session { tells_status, ..session_of("a") };
        Prepared::again(&session, 1, before, is_parted).changes_status(is_slice, generation)
    };
    assert!(changes(None, false, true, true, orders(3)), "the first one");
    assert!(!changes(Some(NOW), false, true, true, orders(3)));
    assert!(changes(Some(NOW), false, true, true, orders(4)));
    assert!(changes(Some(NOW), true, true, true, orders(3)));
    assert!(!changes(None, true, true, false, orders(4)));
    assert!(!changes(None, true, false, true, orders(4)));
}

#[test]
fn a_loss_begins_where_the_chunk_before_is_not_lost() {
    let begins = |chunks: &[Chunk]| next(&pushed(chunks), "a", chunks.len() as u64).begins_loss().unwrap();
    let slice = Chunk::Slice(slice(0));
    assert!(begins(&[]) && begins(&[slice]) && begins(&[GAP, Chunk::Empty]));
    assert!(!begins(&[GAP]) && !begins(&[slice, GAP]));
}

#[test]
fn tracks_that_are_left_out_are_told_once_and_eight_of_them() {
    let tracks = |range: std::ops::Range<u32>| range.map(|track| track.to_string()).collect::<Vec<_>>();
    let left_out = |known, brought| {
        let mut before = Committed::begin(Vec::new());
        before.left_out = tracks(known);
        let delivery = Delivery { left_out: tracks(brought), ..delivery(1, 0, GAP) };
        Prepared::again(&session_of("a"), 1, before, false).new_left_out(&delivery)
    };
    assert_eq!(left_out(0..0, 0..2), tracks(0..2));
    assert_eq!(left_out(0..2, 1..4), tracks(2..4));
    assert_eq!(left_out(0..6, 0..20), tracks(6..8));
    assert_eq!(left_out(0..8, 5..20), tracks(0..0));
}

#[test]
fn what_a_chunk_is_built_on_is_read_as_it_was_written() {
    let world = pushed(&[]);
    run(commit_alone(&world.store, &next(&world, "a", 0), delivery(9, 4, Chunk::Slice(slice(0))))).unwrap();
    let prepared = next(&world, "a", 1);
    assert_eq!(prepared.generation(), Generation { orders: 5, files: 4 });
    assert_eq!(prepared.remux_state, [9; 300]);
    let bytes = prepared.to_bytes().unwrap();
    let read = Prepared::from_bytes(&bytes).unwrap();
    assert_eq!((&read.session, read.seq, &read.remux_state), (&prepared.session, 1, &prepared.remux_state));
    assert_eq!((read.before.clone(), read.is_parted), (prepared.before.clone(), false));
    assert_eq!(read.to_bytes().unwrap(), bytes);
}

#[test]
fn a_chunk_that_is_committed_is_no_next_one_though_its_record_is_deleted() {
    let world = pushed(&[]);
    world.bring_all("a", 0..2 * PAGE + 30);
    for seq in (0..2 * PAGE + 30).filter(|seq| seq % 13 == 0 || seq % PAGE < 2 || seq % PAGE > 62) {
        let turn = run(prepare(&world.store, &world.bucket, "a", seq, NOW)).unwrap();
        assert!(matches!(turn, Turn::Done), "{seq}: {turn:?}");
    }
    let next = run(prepare(&world.store, &world.bucket, "a", 2 * PAGE + 30, NOW)).unwrap();
    assert!(matches!(next, Turn::Next(_)));
}

#[test]
fn a_bucket_whose_store_replaces_objects_is_told_with_each_chunk() {
    let world = pushed(&[]);
    world.offer("b", None);
    // Something else has to be read of it.
    run(session::flag(&world.store, "b")).unwrap();
    assert!(!next(&world, "a", 0).is_replacing && !next(&world, "b", 0).is_replacing);
    world.bring_all("b", 0..1);
    assert!(!next(&world, "b", 1).is_replacing);
    run(replacing::note(&world.store, ("e", "b"), &session_of("a").stream, NOW)).unwrap();
    assert!(next(&world, "a", 0).is_replacing && next(&world, "b", 1).is_replacing);
    world.bring_all("a", 0..1);
    assert!(next(&world, "a", 1).is_replacing);
}

#[test]
fn a_chunk_past_the_end_before_which_files_were_closed_is_in_a_file_of_its_own() {
    let world = pushed(&[]);
    world.bring_all("a", 0..4);
    run(silence::look(&world.store, "a", 7, 0)).unwrap();
    run(silence::close(&world.store, &world.bucket, "a", 1)).unwrap();
    run(world.try_end("a", 4)).unwrap();
    assert!(next(&world, "a", 4).is_parted);
}

#[test]
fn files_are_looked_at_once_one_has_ended_or_has_nothing_to_come() {
    let world = pushed(&[Chunk::Slice(slice(0))]);
    let prepared = next(&world, "a", 1);
    let is_complete = |files, chunk| plan(&prepared, delivery(1, files, chunk)).unwrap().1;
    assert!(!is_complete(0, Chunk::Slice(slice(1))) && !is_complete(0, GAP));
    assert!(is_complete(1, Chunk::Slice(slice(1))), "one has ended before it");
    assert!(is_complete(1, GAP), "nothing more comes into the one that is open");
    let long = crate::chunk::Slice { duration_90khz: 900 * 90_000, ..slice(1) };
    assert!(is_complete(0, Chunk::Slice(long)), "it is full");
}

#[test]
fn an_object_says_where_a_chunk_that_is_no_slice_parted_files_before_its_slice() {
    for (files, is_parted_before) in [(0, false), (1, true)] {
        let world = pushed(&[Chunk::Slice(slice(0))]);
        run(commit_alone(&world.store, &next(&world, "a", 1), delivery(1, files, GAP))).unwrap();
        let text = note(&next(&world, "a", 2), &delivery(2, files, Chunk::Slice(slice(2)))).unwrap().unwrap();
        let note = SliceNote::decode(&text).unwrap();
        assert_eq!((note.is_parted_before, &note.between[..]), (is_parted_before, &[GAP][..]));
    }
    assert_eq!(next(&pushed(&[]), "a", 0).before.accounts, [Account::new(Container::M3u8)]);
}
