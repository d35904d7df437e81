//! What the record of a chunk knows of those before it, and how many there are.

use store::memory::run;

use super::*;
use crate::chunk::{Gap, GapReason, Slice};
use crate::tests::world::{World, session_of, slice};

const GAP: Chunk = Chunk::Gap(Gap { reason: GapReason::Shed, from_ms: 0, to_ms: 1 });

/// The records of chunks, one after the other.
fn records(chunks: impl IntoIterator<Item = Chunk>) -> Vec<Committed> {
    let (session, mut before) = (session_of("a"), Committed::begin(Vec::new()));
    let mut records = Vec::new();
    for (seq, chunk) in (0..).zip(chunks) {
        before = Committed::new(&before, (&session, seq), Generation::default(), chunk, b"state").unwrap();
        records.push(before.clone());
    }
    records
}

#[test]
fn what_came_since_a_slice_is_known_beyond_a_page_as_far_as_there_is_room() {
    let since = |records: &[Committed], seq: u64| {
        let chunks = records[seq as usize].since_slice("a", seq).unwrap();
        assert!(chunks.iter().all(|chunk| *chunk == GAP));
        chunks.len()
    };
    let gaps = records(std::iter::repeat_n(GAP, 260));
    assert_eq!([0, 63, 64, 127, 128, 130, 191].map(|seq| since(&gaps, seq)), [1, 64, 65, 128, 129, 131, 192]);
    assert_eq!([192, 193].map(|seq| since(&gaps, seq)), [1, 2], "there were too many before");
    let mut chunks = vec![GAP; 140];
    (chunks[60], chunks[70]) = (Chunk::Slice(slice(60)), Chunk::Slice(slice(70)));
    let records = records(chunks);
    assert_eq!([60, 63, 66, 70, 71, 130].map(|seq| since(&records, seq)), [0, 3, 6, 0, 1, 60]);
}

#[test]
fn a_record_has_the_tally_before_its_page_and_the_state_after_its_chunk() {
    // Without breaks, and with more than one tally holds.
    for break_ms in [0, 400_000] {
        let slice = |seq| Slice { anchor_ms: 1_000_000 + seq * break_ms, ..slice(seq) };
        let records = records((0..200).map(|seq| Chunk::Slice(slice(seq))));
        assert_eq!(records[150].remux_state("a", 150).unwrap(), b"state");
        let mut tally = Tally::default();
        for page in 0..3 {
            let end = PAGE * (page + 1);
            assert_eq!(records[(end - PAGE) as usize].tally().as_ref(), Some(&tally));
            assert_eq!(records[end as usize - 1].tally().as_ref(), Some(&tally));
            let chunks = records[end as usize - 1].chunks("a", end - 1).unwrap();
            tally = tally.after(page, &chunks, session_of("a").delay_ms());
        }
    }
}

#[test]
fn the_hint_at_how_many_chunks_there_are_is_three_too_few_at_most() {
    let world = World::new();
    world.offer("a", None);
    for seq in 0..70 {
        world.bring_all("a", seq..seq + 1);
        let hint = run(head(&world.store, "a")).unwrap();
        assert!((seq.saturating_sub(2)..=seq + 1).contains(&hint), "{hint} of {}", seq + 1);
        assert_eq!(run(length(&world.store, "a")).unwrap(), seq + 1);
    }
    for (chunks, expected) in [(30, 68), (68, 68), (69, 69), (10, 69)] {
        run(raise_head(&world.store, "a", chunks)).unwrap();
        assert_eq!(run(head(&world.store, "a")).unwrap(), expected);
    }
}

#[test]
fn a_late_call_that_sets_the_hint_back_takes_no_chunk_away() {
    let world = World::new();
    world.offer("a", None);
    world.bring_all("a", 0..4);
    let late = run(get(&world.store, "a", 3)).unwrap().unwrap();
    world.bring_all("a", 4..3 * PAGE + 20);
    run(put(&world.store, "a", 3, &late)).unwrap();
    assert_eq!(run(head(&world.store, "a")).unwrap(), 4);
    assert_eq!(run(length(&world.store, "a")).unwrap(), 3 * PAGE + 20);
}

#[test]
fn each_event_of_a_session_has_a_number_of_its_own() {
    let mut record = Committed::begin(Vec::new());
    record.number(Numbers { trouble: 3, slice: 5 });
    assert_eq!(record.numbers(), Numbers { trouble: 3, slice: 5 });
    let next = Committed::new(&record, (&session_of("a"), 0), Generation::default(), GAP, &[]).unwrap();
    assert_eq!(next.numbers(), record.numbers());
}
