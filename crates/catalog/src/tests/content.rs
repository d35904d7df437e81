//! What is recorded in a range, and the index files of it.

mod hot;

use store::memory::run;

use super::media::{Piece, Push, SECOND};
use super::world::{World, session_of};
use crate::chunk::{Chunk, Gap, GapReason};
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
    // What follows a gap continues nothing.
    assert_eq!(slices(&world, 1_130_000, 1_135_000, true), continuous([1_130_000]));
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
fn what_has_record_files_alone_is_a_span_and_no_index() {
    let world = World::new();
    let mut session = Session { began_ms: 1_000_000, ..session_of("x") };
    let format = &mut session.rule.as_mut().unwrap().formats[0];
    (format.container, format.slices) = (Container::Mp4, None);
    Push::begin_as(&world, session, None).slices(3);
    assert_eq!(spans(&world, 0, u64::MAX), [(1_000_000, 1_015_000)]);
    assert!(slices(&world, 0, u64::MAX, true).is_empty());
}

/// Where an entry can only be found far back, the index begins where it was asked to.
#[test]
fn an_index_goes_back_for_minutes_and_not_for_longer() {
    let world = World::new();
    let mut push = Push::begin(&world, "x", 1_000_000, None);
    for number in 0..200 {
        let (offset_ms, start_90khz) = (number * 5_000, number * 5 * SECOND);
        let is_enterable = number == 0;
        push.slice(Piece { offset_ms, start_90khz, duration_90khz: 5 * SECOND, is_enterable });
    }
    let first = |from_ms| slices(&world, from_ms, from_ms + 5_000, false)[0];
    assert_eq!(first(1_500_000), (1_000_000, false));
    assert_eq!(first(1_700_000), (1_700_000, false));
}

/// The range has the second push of the older recording alone, whose first one brought something or nothing.
#[test]
fn the_recording_that_began_earlier_counts_by_its_first_push() {
    for slices in [2, 0] {
        let world = World::new();
        let mut first = Push::begin(&world, "x", 1_000_000, None);
        first.slices(slices);
        let other = Session { gateway: "g2".into(), began_ms: 1_020_000, ..session_of("z") };
        Push::begin_as(&world, other, None).slices(12);
        first.end(5_000 * slices);
        Push::begin(&world, "y", 1_030_000, Some(("x", 30_000 - 5_000 * slices))).slices(6);
        let found = run(content::slices(&world.store, &world.bucket, &stream(), 1_030_000, 1_060_000, false));
        let found = found.unwrap();
        assert!(found.iter().all(|located| located.session.id == "y") && found.len() == 6, "{found:?}");
    }
}
