//! What chunks bring that is told.

use super::*;
use crate::chunk::{Chunk, Gap, GapReason};
use crate::tests::media::{Piece, SECOND};

#[test]
fn what_a_chunk_brings_is_told_to_those_who_want_it() {
    let world = World::new();
    let mut push = Push::begin_as(&world, told(), None);
    let gap = |from_ms: u64| Chunk::Gap(Gap { reason: GapReason::Shed, from_ms, to_ms: from_ms + 5_000 });
    push.slices(1);
    push.other(gap(5_000));
    push.other(gap(10_000));
    push.slices(1);
    push.other(gap(20_000));
    let lost = |seq| Some(Fact::Trouble(Trouble::Lost(GapReason::Shed, seq)));
    assert_eq!([0, 1, 2].map(|number| fact(&world, Kind::Trouble, number)), [lost(1), lost(4), None]);
    let slice = |number, seq: u64| match fact(&world, Kind::Slice, number) {
        Some(Fact::Slice(told)) => {
            let begin_ms = NOW + seq * 5_000;
            assert_eq!(
                (told.start_ms, told.end_ms, told.duration_90khz),
                (begin_ms, begin_ms + 5_000, 5 * SECOND)
            );
            assert_eq!(told.arguments.len(), 2);
            assert_eq!(told.object, format!("s/{}_{seq}.ts", begin_ms / 1_000));
        }
        other => panic!("{other:?}"),
    };
    slice(0, 0);
    slice(1, 3);
    assert_eq!(fact(&world, Kind::Slice, 2), None);
    // Numbers go on, though those that were told are forgotten.
    for kind in [Kind::Slice, Kind::Trouble] {
        for number in 0..2 {
            run(event::forget(&world.store, at(kind, number), NOW)).unwrap();
        }
    }
    let piece =
        Piece { offset_ms: 25_000, start_90khz: 25 * SECOND, duration_90khz: 5 * SECOND, is_enterable: true };
    push.slice(piece);
    push.other(gap(30_000));
    slice(2, 5);
    assert_eq!(fact(&world, Kind::Trouble, 2), lost(6));
}

#[test]
fn nothing_is_told_to_those_who_do_not_want_it() {
    let mut without_slices = told();
    without_slices.rule.as_mut().unwrap().formats[0].slices = None;
    let untold = Session { tells_status: false, tells_slices: false, ..told() };
    for (session, troubles) in [(without_slices, 1), (untold, 0)] {
        let world = World::new();
        let mut push = Push::begin_as(&world, session, None);
        push.slices(1);
        push.other(Chunk::Gap(Gap { reason: GapReason::Shed, from_ms: 5_000, to_ms: 10_000 }));
        push.slices(1);
        assert_eq!(world.store.values_under("ev.a.slice"), 0);
        assert_eq!(world.store.values_under("ev.a.trouble"), troubles);
    }
}
