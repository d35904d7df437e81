//! What is recorded in a range of many pages that are not sealed.

use store::Store;
use store::memory::{Random, run};

use super::super::media::{Piece, Push, SECOND};
use super::super::world::World;
use super::{slices, spans, stream};
use crate::chunk::{Chunk, Gap, GapReason, Slice};
use crate::committed::{self, Committed};
use crate::content;
use crate::page::PAGE;

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
        let mut empties = 0;
        for _ in 0..CHUNKS {
            match random.below(30) {
                _ if empties > 0 => {
                    push.other(Chunk::Empty);
                    empties -= 1;
                }
                0 => empties = [0, 0, 2 * PAGE][random.below(3)],
                1 => {
                    push.other(Chunk::Gap(Gap { reason: GapReason::Shed, from_ms: 0, to_ms: 1 }));
                    last = None;
                }
                _ => {
                    offset_ms += if random.below(seldom) == 0 { 400_000 } else { 0 };
                    // Tracks that end seconds after the slice of the other one.
                    let duration_90khz = SECOND * (1 + random.below(20) as u64);
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
                        (span.1, span.2) = (span.1.max(*end_ms), span.2 + duration_90khz);
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
    assert!(breaks > 100, "{breaks}");
}

/// Its sound goes on for 20 s after its pictures.
#[test]
fn a_slice_that_nothing_continues_is_found_though_later_ones_end_before_it() {
    let world = World::new();
    let mut push = Push::begin(&world, "x", 1_000_000, None);
    let slice = |push: &mut Push<'_>, number: u64, seconds: u64| {
        let (offset_ms, start_90khz) = (number * 5_000, number * 5 * SECOND);
        push.slice(Piece { offset_ms, start_90khz, duration_90khz: seconds * SECOND, is_enterable: true });
    };
    (0..62).for_each(|number| slice(&mut push, number, 25));
    push.other(Chunk::Gap(Gap { reason: GapReason::Shed, from_ms: 310_000, to_ms: 315_000 }));
    slice(&mut push, 63, 5);
    let last = [(1_305_000, 1_330_000)];
    assert_eq!(spans(&world, 1_322_000, 1_329_000), last);
    (64..5 * PAGE).for_each(|number| slice(&mut push, number, 5));
    assert_eq!(spans(&world, 1_322_000, 1_900_000), [(1_305_000, 1_900_000)]);
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
