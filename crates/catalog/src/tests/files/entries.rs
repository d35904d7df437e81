//! What is in files, and what is noted of them.

use store::Store;

use super::*;
use crate::chunk::Slice;
use crate::file::List;
use crate::next_file::Next;
use crate::page::PAGE;
use crate::session::Session;
use crate::tests::world::{session_of, slice};
use crate::{key, names};

#[test]
fn a_slice_lasts_until_one_that_continues_it_and_before_any_other_is_a_gap() {
    let of = |anchor_ms, start_s: u64| {
        let (start_90khz, duration_90khz) = (start_s * 90_000, 4 * 90_000);
        Chunk::Slice(Slice { anchor_ms, start_90khz, duration_90khz, ..slice(0) })
    };
    let lost = Chunk::Gap(Gap { reason: GapReason::Shed, from_ms: 30_000, to_ms: 35_000 });
    let moved = NOW + 10_000;
    let mut list = List::default();
    for (session, seq, chunk) in [
        ("a", 0, of(NOW, 0)),
        ("a", 1, of(NOW, 5)),
        // Nothing was recorded before it, and media time does not say so.
        ("a", 2, of(moved, 10)),
        ("a", 3, Chunk::Empty),
        ("a", 4, of(moved, 15)),
        ("a", 5, lost),
        ("a", 6, of(moved, 25)),
        ("b", 0, of(moved, 40)),
        ("b", 1, of(moved, 46)),
    ] {
        list.push(session, seq, chunk);
    }
    let found: Vec<_> = list
        .entries
        .iter()
        .map(|entry| {
            let lasts_s = entry.slice.duration_90khz / 90_000;
            (entry.at.session.as_str(), entry.at.seq, lasts_s, entry.is_discontinuous, entry.gap_ms)
        })
        .collect();
    let expected = [
        ("a", 0, 5, false, None),
        ("a", 1, 4, false, None),
        ("a", 2, 5, true, None),
        ("a", 4, 4, false, None),
        ("a", 6, 4, true, Some(6_000)),
        ("b", 0, 6, true, Some(11_000)),
        ("b", 1, 4, false, None),
    ];
    assert_eq!(found, expected);
}

/// A store that has lost a record says so: the chunks of another page are not taken for its own.
#[test]
fn a_page_whose_record_is_gone_is_an_error() {
    let world = World::new();
    world.offer("a", None);
    world.bring_all("a", 0..PAGE + 6);
    let record = |page, last| run(file::page_record(&world.store, "a", page, last));
    assert_eq!(record(0, PAGE + 5).unwrap().0, PAGE - 1);
    assert_eq!(record(1, PAGE + 5).unwrap().0, PAGE + 5);
    run(world.store.delete(&key::chunk("a", PAGE - 1))).unwrap();
    run(world.store.delete(&key::chunk("a", PAGE + 5))).unwrap();
    assert_eq!(record(1, PAGE + 4).unwrap().0, PAGE + 4);
    for (page, last) in [(0, 3), (0, PAGE - 1), (1, PAGE + 5), (2, 2 * PAGE)] {
        let gone = record(page, last);
        assert!(matches!(gone, Err(Error::Record { .. })), "{page} {last}: {gone:?}");
    }
}

#[test]
fn nothing_is_left_of_what_is_noted_of_record_files_once_a_recording_is_forgotten() {
    for container in [Container::M3u8, Container::Mp4, Container::Flv] {
        let World { store, .. } = &World::new();
        let mut last: Session = session_of("b");
        last.rule.as_mut().unwrap().formats[0].container = container;
        let mut noted = vec![key::next_file("a", container), key::upload("a", container)];
        match container {
            Container::M3u8 => {}
            Container::Mp4 => noted.push(key::gathered("a")),
            // An earlier build has begun one.
            Container::Flv => noted.push(key::former_upload("a", container)),
        }
        for key in noted {
            run(store.set(&key, b"{}")).unwrap();
        }
        run(names::take_file(store, "a", container, 3, 1)).unwrap();
        let from = crate::account::Place { session: "b".into(), seq: 9 };
        let next = Next { number: 4, from, empty_to: None, done: None };
        run(file::forget(store, &last, "a", &[(container, next)])).unwrap();
        assert_eq!(store.keys(), [] as [&str; 0], "{container:?}");
    }
}
