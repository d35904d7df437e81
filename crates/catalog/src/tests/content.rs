//! What is recorded in a range, and the index files of it.

use store::Store;
use store::memory::{Random, run};

use super::media::{Piece, Push, SECOND};
use super::world::{World, session_of};
use crate::chunk::{Chunk, Gap, GapReason, Slice};
use crate::committed::{self, Committed};
use crate::content;
use crate::page::PAGE;
use crate::rule::Container;
use crate::session::Session;
use crate::stream::StreamName;

const DAY_MS: u64 = 86_400_000;

fn stream() -> StreamName {
    session_of("any").stream
}

/// Begins and ends of the spans of a range. Unit: ms.
fn spans(world: &World, from_ms: u64, to_ms: u64) -> Vec<(u64, u64)> {
    let found = run(content::spans(&world.store, &world.bucket, &stream(), from_ms, to_ms)).unwrap();
    found.iter().map(|span| (span.start_ms, span.end_ms)).collect()
}

/// Begins of the slices of a range, and whether each does not continue the one before.
fn slices(world: &World, from_ms: u64, to_ms: u64, one_more: bool) -> Vec<(u64, bool)> {
    let found =
        run(content::slices(&world.store, &world.bucket, &stream(), from_ms, to_ms, one_more)).unwrap();
    found.iter().map(|found| (found.entry.slice.start_ms(), found.entry.is_discontinuous)).collect()
}

fn continuous(begins_ms: impl IntoIterator<Item = u64>) -> Vec<(u64, bool)> {
    begins_ms.into_iter().map(|begin_ms| (begin_ms, false)).collect()
}

/// Two recordings: 300 slices of 5 s from 1,000,000, and after an hour 3 more.
fn recorded() -> World {
    let world = World::new();
    let mut first = Push::begin(&world, "x", 1_000_000, None);
    first.slices(5 * PAGE - 20);
    first.end(1_500_000);
    let mut second = Push::begin(&world, "y", 6_000_000, Some(("x", 3_500_000)));
    second.slices(3);
    second.end(15_000);
    world
}

#[test]
fn spans_are_cut_to_the_range_at_whole_slices() {
    let world = recorded();
    assert_eq!(spans(&world, 0, 10_000_000), [(1_000_000, 2_500_000), (6_000_000, 6_015_000)]);
    assert_eq!(spans(&world, 2_001_000, 2_004_000), [(2_000_000, 2_005_000)]);
    assert_eq!(spans(&world, 2_000_000, 6_005_000), [(2_000_000, 2_500_000), (6_000_000, 6_005_000)]);
    assert!(spans(&world, 2_500_000, 6_000_000).is_empty());
    assert!(spans(&world, 0, 1_000_000).is_empty());
    let whole = run(content::spans(&world.store, &world.bucket, &stream(), 0, 5_000_000)).unwrap();
    assert_eq!(whole[0].duration_90khz, 1_500 * SECOND);
}

#[test]
fn slices_are_those_that_begin_in_the_range_and_one_more_if_asked() {
    let world = recorded();
    assert_eq!(slices(&world, 2_001_000, 2_011_000, false), continuous([2_005_000, 2_010_000]));
    assert_eq!(slices(&world, 2_001_000, 2_011_000, true), continuous([2_005_000, 2_010_000, 2_015_000]));
    let across = [(2_490_000, false), (2_495_000, false), (6_000_000, true)];
    assert_eq!(slices(&world, 2_490_000, 6_001_000, false), across);
    assert!(slices(&world, 3_000_000, 4_000_000, true).is_empty());
    // An hour later is another recording.
    assert_eq!(slices(&world, 2_490_000, 2_500_000, true), continuous([2_490_000, 2_495_000]));
}

/// Every range around every page's end answers what a look at all slices does.
#[test]
fn ranges_at_the_ends_of_pages_are_answered_whole() {
    let world = World::new();
    let mut push = Push::begin(&world, "x", 1_000_000, None);
    push.slices(2 * PAGE);
    for seq in PAGE - 2..=PAGE + 2 {
        let begin_ms = 1_000_000 + seq * 5_000;
        let expected = (begin_ms - 5_000, begin_ms + 5_000);
        assert_eq!(spans(&world, begin_ms - 1, begin_ms + 1), [expected], "{seq}");
        assert_eq!(slices(&world, begin_ms, begin_ms + 5_000, false), continuous([begin_ms]), "{seq}");
    }
    let end_ms = 1_000_000 + 2 * PAGE * 5_000;
    assert_eq!(spans(&world, end_ms - 1, u64::MAX), [(end_ms - 5_000, end_ms)]);
    assert!(spans(&world, end_ms, u64::MAX).is_empty());
}

/// One picture every 20 s: a slice alone says that it lasts 40 ms.
#[test]
fn a_slice_lasts_until_the_next_one_begins() {
    let world = World::new();
    let mut push = Push::begin(&world, "x", 1_000_000, None);
    for number in 0..PAGE + 3 {
        let (offset_ms, start_90khz) = (number * 20_000, number * 20 * SECOND);
        push.slice(Piece { offset_ms, start_90khz, duration_90khz: 3_600, is_enterable: true });
    }
    for seq in [0, 5, PAGE - 1, PAGE, PAGE + 1] {
        let begin_ms = 1_000_000 + seq * 20_000;
        assert_eq!(
            spans(&world, begin_ms + 10_000, begin_ms + 10_001),
            [(begin_ms, begin_ms + 20_000)],
            "{seq}"
        );
    }
    let last_ms = 1_000_000 + (PAGE + 2) * 20_000;
    assert_eq!(spans(&world, last_ms, u64::MAX), [(last_ms, last_ms + 40)]);
}

#[test]
fn a_slice_over_midnight_hides_nothing_of_either_day() {
    let world = World::new();
    let began_ms = 10 * DAY_MS - 12_000;
    let mut push = Push::begin(&world, "x", began_ms, None);
    push.slices(40_000);
    let begins: Vec<u64> = (0..40_000).map(|seq| began_ms + seq * 5_000).collect();
    for day in 10..=12 {
        let from_ms = day * DAY_MS;
        let in_day = begins.iter().copied().filter(|begin_ms| *begin_ms / DAY_MS == day);
        assert_eq!(slices(&world, from_ms, from_ms + DAY_MS, false), continuous(in_day), "day {day}");
        let crossing = begins.iter().rfind(|begin_ms| **begin_ms <= from_ms).unwrap();
        assert_eq!(spans(&world, from_ms, from_ms + 1), [(*crossing, crossing + 5_000)], "day {day}");
    }
}

/// The push stays, and is not recorded for 40 days.
#[test]
fn media_after_a_long_pause_is_found_and_nothing_in_the_pause() {
    let world = World::new();
    let mut push = Push::begin(&world, "x", 5_000_000, None);
    push.slices(2);
    let later_ms = 40 * DAY_MS;
    for number in 0..2 {
        let offset_ms = later_ms + number * 5_000;
        let start_90khz = (2 + number) * 5 * SECOND;
        push.slice(Piece { offset_ms, start_90khz, duration_90khz: 5 * SECOND, is_enterable: true });
    }
    let again_ms = 5_000_000 + later_ms;
    assert_eq!(spans(&world, again_ms - DAY_MS, again_ms + DAY_MS), [(again_ms, again_ms + 10_000)]);
    assert_eq!(spans(&world, 0, DAY_MS), [(5_000_000, 5_010_000)]);
    assert!(spans(&world, 10 * DAY_MS, 12 * DAY_MS).is_empty());
    assert_eq!(slices(&world, 5_005_000, DAY_MS, true), continuous([5_005_000]), "time passed after it");
}

#[test]
fn a_break_within_the_delay_is_no_end_of_a_span_and_is_marked_in_an_index() {
    let world = World::new();
    let mut first = Push::begin(&world, "x", 1_000_000, None);
    first.slices(2);
    first.end(10_000);
    let mut second = Push::begin(&world, "y", 1_130_000, Some(("x", 120_000)));
    second.slices(1);
    second.other(Chunk::Gap(Gap { reason: GapReason::Shed, from_ms: 5_000, to_ms: 10_000 }));
    second.slices(1);
    assert_eq!(spans(&world, 0, 2_000_000), [(1_000_000, 1_145_000)]);
    let found = run(content::spans(&world.store, &world.bucket, &stream(), 0, 2_000_000)).unwrap();
    assert_eq!(found[0].duration_90khz, 20 * SECOND);
    let expected = [(1_000_000, false), (1_005_000, false), (1_130_000, true), (1_140_000, true)];
    assert_eq!(slices(&world, 0, 2_000_000, false), expected);
}

#[test]
fn an_index_begins_with_a_slice_that_can_be_entered() {
    let world = World::new();
    let mut push = Push::begin(&world, "x", 1_000_000, None);
    for number in 0..200 {
        let (offset_ms, start_90khz) = (number * 5_000, number * 5 * SECOND);
        let is_enterable = number % 30 == 0;
        push.slice(Piece { offset_ms, start_90khz, duration_90khz: 5 * SECOND, is_enterable });
    }
    let begins = |first: u64, last: u64| continuous((first..=last).map(|number| 1_000_000 + number * 5_000));
    assert_eq!(slices(&world, 1_000_000 + 65 * 5_000, 1_000_000 + 68 * 5_000, false), begins(60, 67));
    assert_eq!(slices(&world, 1_000_000 + 60 * 5_000, 1_000_000 + 61 * 5_000, false), begins(60, 60));
    // What is missing in between cannot be played over.
    push.other(Chunk::Gap(Gap { reason: GapReason::Damaged, from_ms: 1_000_000, to_ms: 1_005_000 }));
    for number in 201..203 {
        let (offset_ms, start_90khz) = (number * 5_000, number * 5 * SECOND);
        push.slice(Piece { offset_ms, start_90khz, duration_90khz: 5 * SECOND, is_enterable: false });
    }
    assert_eq!(slices(&world, 1_000_000 + 202 * 5_000, u64::MAX, false), begins(201, 202)[1..]);
}

/// Of three pushes by three gateways the second begins and ends while the first one lasts, the third goes on after it.
#[test]
fn of_recordings_that_overlap_an_index_takes_the_earlier_and_spans_all() {
    let world = World::new();
    let by = |gateway: &str, id: &str, began_ms: u64| {
        let gateway = gateway.to_owned();
        Push::begin_as(&world, Session { gateway, began_ms, ..session_of(id) }, None)
    };
    by("g1", "x", 1_000_000).slices(12);
    by("g2", "y", 1_012_000).slices(2);
    by("g3", "z", 1_032_000).slices(9);
    let each = [(1_000_000, 1_060_000), (1_012_000, 1_022_000), (1_032_000, 1_077_000)];
    assert_eq!(spans(&world, 0, 2_000_000), each);
    let mut expected = continuous((0..12).map(|number| 1_000_000 + number * 5_000));
    expected.extend([(1_062_000, true), (1_067_000, false), (1_072_000, false)]);
    assert_eq!(slices(&world, 0, 2_000_000, false), expected);
    // Where the first one has nothing in the range, the others do.
    assert_eq!(slices(&world, 1_060_000, 1_066_000, false), continuous([1_062_000]));
}

#[test]
fn a_range_of_a_long_recording_costs_its_own_length() {
    let world = World::new();
    let mut push = Push::begin(&world, "x", 1_000_000, None);
    push.slices(17_000);
    let before = world.store.operations();
    assert_eq!(slices(&world, 80_000_000, 80_010_000, false).len(), 2);
    let cost = world.store.operations() - before;
    assert!(cost < 40, "{cost} operations");
    let before = world.store.operations();
    assert_eq!(spans(&world, 1_000_000, 86_400_000).len(), 1);
    let cost = world.store.operations() - before;
    assert!(cost < 60, "{cost} operations");
}

/// A push that is not recorded time and again, and of which chunks are lost.
#[test]
fn spans_of_many_pages_are_those_of_their_slices() {
    const CHUNKS: u64 = 40 * PAGE;
    let mut random = Random::new(7);
    let mut breaks = 0;
    // How seldom it breaks: so that a tally holds all breaks, and that it holds few.
    for seldom in [500, 60, 4] {
        let world = World::new();
        let mut push = Push::begin(&world, "x", 1_000_000, None);
        let (mut offset_ms, mut start_90khz) = (0, 0);
        let mut lasting: Vec<(u64, u64, u64)> = Vec::new();
        let mut last: Option<Slice> = None;
        for _ in 0..CHUNKS {
            match random.below(30) {
                0 => push.other(Chunk::Empty),
                1 => {
                    push.other(Chunk::Gap(Gap { reason: GapReason::Shed, from_ms: 0, to_ms: 1 }));
                    last = None;
                }
                _ => {
                    offset_ms += if random.below(seldom) == 0 { 400_000 } else { 0 };
                    let duration_90khz = SECOND * (1 + random.below(5) as u64);
                    let slice =
                        push.slice(Piece { offset_ms, start_90khz, duration_90khz, is_enterable: true });
                    if let (Some(before), Some(entry)) = (last, lasting.last_mut())
                        && before.anchor_ms == slice.anchor_ms
                    {
                        entry.2 = start_90khz - before.start_90khz;
                        entry.1 = entry.0 + entry.2 / 90;
                    }
                    lasting.push((slice.start_ms(), slice.end_ms(), duration_90khz));
                    last = Some(slice);
                }
            }
            offset_ms += 5_000;
            start_90khz += 5 * SECOND;
        }
        for _ in 0..500 {
            let from_ms = 1_000_000 + random.below(offset_ms as usize) as u64;
            let to_ms = from_ms + 1 + random.below(offset_ms as usize) as u64;
            let mut expected: Vec<(u64, u64, u64)> = Vec::new();
            for (begin_ms, end_ms, duration_90khz) in &lasting {
                match expected.last_mut() {
                    _ if *begin_ms >= to_ms || *end_ms <= from_ms => {}
                    Some(span) if *begin_ms <= span.1 + 180_000 => {
                        (span.1, span.2) = (*end_ms, span.2 + duration_90khz);
                    }
                    _ => expected.push((*begin_ms, *end_ms, *duration_90khz)),
                }
            }
            let before = world.store.operations();
            let found = run(content::spans(&world.store, &world.bucket, &stream(), from_ms, to_ms)).unwrap();
            let cost = world.store.operations() - before;
            let found: Vec<_> =
                found.iter().map(|span| (span.start_ms, span.end_ms, span.duration_90khz)).collect();
            assert_eq!(found, expected, "{seldom}: {from_ms}..{to_ms}");
            assert!(cost < 70 + found.len() as u64 / 4, "{seldom}: {cost} operations, {} spans", found.len());
            breaks = breaks.max(found.len());
        }
    }
    assert!(breaks > 300, "{breaks}");
}

#[test]
fn what_has_record_files_alone_is_a_span_and_no_index() {
    let world = World::new();
    let mut session = Session { began_ms: 1_000_000, ..session_of("x") };
    let format = &mut session.rule.as_mut().unwrap().formats[0];
    (format.container, format.slices) = (Container::Mp4, None);
    Push::begin_as(&world, session, None).slices(3);
    assert_eq!(spans(&world, 0, u64::MAX), [(1_000_000, 1_015_000)]);
    assert!(slices(&world, 0, u64::MAX, true).is_empty());
}

/// Records of version 1 have accounts as JSON, and no tally.
#[test]
fn a_session_that_an_earlier_build_began_goes_on_and_is_found() {
    let world = World::new();
    let mut push = Push::begin(&world, "x", 1_000_000, None);
    push.slices(10 * PAGE + 7);
    for key in world.store.keys().into_iter().filter(|key| key.starts_with("c.")) {
        let record = run(world.store.get(&key)).unwrap().unwrap();
        let committed: Committed = store::record::decode(&key, &record).unwrap();
        let mut fields = serde_json::to_value(&committed).unwrap();
        let fields_1 = fields.as_object_mut().unwrap();
        fields_1.remove("tally").unwrap();
        fields_1.insert("accounts".into(), serde_json::to_value(&committed.accounts).unwrap());
        fields_1.insert("ended".into(), serde_json::to_value(&committed.ended).unwrap());
        run(world.store.set(&key, format!("1 {fields}").as_bytes())).unwrap();
    }
    let end_ms = |chunks: u64| 1_000_000 + chunks * 5_000;
    assert_eq!(spans(&world, 0, 10_000_000), [(1_000_000, end_ms(10 * PAGE + 7))]);
    push.slices(3 * PAGE);
    assert_eq!(spans(&world, 0, 10_000_000), [(1_000_000, end_ms(13 * PAGE + 7))]);
    let (_, last) = run(committed::last(&world.store, "x")).unwrap().unwrap();
    let files: Vec<_> = last.accounts[0].file.iter().map(|run| (run.number, run.first.seq)).collect();
    assert_eq!(files, [(4, 720)]);
}
