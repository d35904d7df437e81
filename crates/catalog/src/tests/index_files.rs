//! Record files and made indexes, as they are looked up.

use store::memory::{Outcome, run};

use super::media::{Piece, Push, SECOND};
use super::world::{World, session_of};
use crate::file;
use crate::index_file::{self, IndexFile, add, delete, get, list};
use crate::rule::Container;

const DAY_MS: u64 = 86_400_000;

fn index(id: &str, start_ms: u64, end_ms: u64) -> IndexFile {
    IndexFile {
        id: id.into(),
        stream: session_of("any").stream,
        endpoint: String::new(),
        bucket: String::new(),
        object: String::new(),
        container: Container::M3u8,
        start_ms,
        end_ms,
        duration_90khz: 0,
        size: None,
        created_ms: start_ms,
    }
}

fn ids(world: &World, from_ms: u64, to_ms: u64) -> Vec<String> {
    let found = run(list(&world.store, &world.bucket, &session_of("any").stream, from_ms, to_ms)).unwrap();
    found.into_iter().map(|file| file.id).collect()
}

#[test]
fn index_files_are_known_once_and_until_they_are_deleted() {
    let world = World::new();
    let (store, stream) = (&world.store, session_of("any").stream);
    let first = index("a / with ? odd # characters", 10_000, 11_000);
    // A call that dies anywhere and is repeated.
    for operation in 0..12 {
        for outcome in [Outcome::Refused, Outcome::ReplyLost] {
            let mut count = 0;
            store.fail(move |_| {
                count += 1;
                if count == operation { outcome } else { Outcome::Applied }
            });
            let _ = run(add(store, &world.bucket, &first, 0));
            store.mend();
        }
    }
    run(add(store, &world.bucket, &first, 0)).unwrap();
    run(add(store, &world.bucket, &IndexFile { created_ms: 99_000, ..first.clone() }, 0)).unwrap();
    let second = index("b", 20_000, 21_000);
    run(add(store, &world.bucket, &second, 0)).unwrap();
    assert_eq!(ids(&world, 0, 99_000), [first.id.as_str(), "b"]);
    assert_eq!(ids(&world, 10_500, 20_000), [first.id.as_str()]);
    assert!(ids(&world, 11_000, 20_000).is_empty());
    assert_eq!(run(get(store, &world.bucket, &stream, &first.id)).unwrap(), Some(first.clone()));
    let other = crate::stream::StreamName { app: "other".into(), ..stream.clone() };
    assert_eq!(run(get(store, &world.bucket, &other, "b")).unwrap(), None);
    assert!(run(delete(store, &world.bucket, &stream, "b", 0)).unwrap());
    assert!(!run(delete(store, &world.bucket, &stream, "b", 0)).unwrap());
    assert_eq!(run(get(store, &world.bucket, &stream, "b")).unwrap(), None);
    assert_eq!(ids(&world, 0, 99_000), [first.id.as_str()]);
    // What was deleted may come again.
    run(add(store, &world.bucket, &second, 0)).unwrap();
    assert_eq!(ids(&world, 0, 99_000), [first.id.as_str(), "b"]);
}

#[test]
fn a_file_is_listed_in_every_day_that_it_overlaps_and_in_order_of_begins() {
    let world = World::new();
    for file in [
        index("c", 2 * DAY_MS, 2 * DAY_MS + 1),
        index("b", DAY_MS + 5, 3 * DAY_MS - 1),
        index("a", DAY_MS - 1, DAY_MS),
    ] {
        run(add(&world.store, &world.bucket, &file, 0)).unwrap();
    }
    assert_eq!(ids(&world, 0, DAY_MS), ["a"]);
    assert_eq!(ids(&world, DAY_MS, 2 * DAY_MS), ["b"]);
    assert_eq!(ids(&world, 2 * DAY_MS, 3 * DAY_MS), ["b", "c"]);
    assert_eq!(ids(&world, 0, 4 * DAY_MS), ["a", "b", "c"]);
    assert!(ids(&world, 3 * DAY_MS - 1, 4 * DAY_MS).is_empty());
}

/// The figures of a record file and those of its slices are one and the same.
#[test]
fn a_record_file_lasts_as_long_as_its_slices() {
    let world = World::new();
    let mut push = Push::begin(&world, "x", 1_000_000, None);
    // 19 pictures, one each 50 s; each slice alone says 40 ms. A cycle is 900 s.
    for number in 0..40 {
        let (offset_ms, start_90khz) = (number * 50_000, number * 50 * SECOND);
        push.slice(Piece { offset_ms, start_90khz, duration_90khz: 3_600, is_enterable: true });
    }
    push.end(1_950_040);
    run(file::close_break(&world.bucket, "x")).unwrap();
    let mut found = Vec::new();
    let container = Container::M3u8;
    while let Some(complete) = run(file::complete(&world.store, &world.bucket, "x", container)).unwrap() {
        let entries = run(file::entries(&world.store, &world.bucket, &complete)).unwrap();
        let sum: u64 = entries.iter().map(|entry| entry.slice.duration_90khz).sum();
        assert_eq!(sum, complete.duration_90khz);
        let each: Vec<u64> = entries.iter().map(|entry| entry.slice.duration_90khz).collect();
        assert!(each[..each.len() - 1].iter().all(|ticks| *ticks == 50 * SECOND), "{each:?}");
        let known = index_file::of_record_file(&push.session, container, &complete, "o", 5);
        assert_eq!((known.start_ms, known.end_ms), (complete.start_ms, complete.end_ms));
        run(add(&world.store, &world.bucket, &known, 0)).unwrap();
        run(file::written(&world.store, "x", container, &complete)).unwrap();
        found.push((complete.start_ms, complete.end_ms, complete.duration_90khz));
    }
    let expected = [
        (1_000_000, 1_900_000, 900 * SECOND),
        (1_900_000, 2_800_000, 900 * SECOND),
        (2_800_000, 2_950_040, 150 * SECOND + 3_600),
    ];
    assert_eq!(found, expected);
    assert_eq!(ids(&world, 0, 10_000_000).len(), 3);
}

#[test]
fn a_record_file_has_a_size_where_it_has_pictures() {
    let world = World::new();
    let mut push = Push::begin(&world, "x", 1_000_000, None);
    push.slices(1);
    push.end(5_000);
    run(file::close_break(&world.bucket, "x")).unwrap();
    let mut complete =
        run(file::complete(&world.store, &world.bucket, "x", Container::M3u8)).unwrap().unwrap();
    for (width, height, expected) in [(0, 0, None), (640, 0, None), (0, 360, None), (1, 1, Some((1, 1)))] {
        (complete.tracks.width, complete.tracks.height) = (width, height);
        let known = index_file::of_record_file(&push.session, Container::M3u8, &complete, "o", 5);
        assert_eq!(known.size, expected);
    }
}
