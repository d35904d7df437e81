//! What arrival times and pauses of the recording tell.

use super::*;

#[test]
fn arrival_times_tell_a_pause_from_a_jump() {
    // A picture each twelve seconds, in a chunk of its own, sent six times as fast as it plays.
    let times = |arrival: fn(u64) -> ChunkArrival| {
        let (mut timeline, mut repairs) = (Timeline::default(), Repairs::default());
        let mut place = |n: u32| {
            timeline.begin_chunk(arrival(n.into()));
            timeline.place(Video, n * 12_000, None, std::iter::empty(), &mut repairs).dts_90khz / 90_000
        };
        (0..20).map(&mut place).collect::<Vec<_>>()
    };
    assert_eq!(times(|n| ChunkArrival::At(n * 2_000)), (0..20).map(|n| n * 12).collect::<Vec<_>>());
    // Two steps alike are a pace, whatever else is known.
    assert_eq!(times(|_| ChunkArrival::Unknown)[2..], (2..20).map(|n| n * 12 - 12).collect::<Vec<_>>());
}

/// Places a picture; when it comes, in milliseconds.
fn place_picture(timeline: &mut Timeline, ms: u32) -> i64 {
    let placed = timeline.place(Video, ms, None, std::iter::empty(), &mut Repairs::default());
    placed.dts_90khz / TICKS_PER_MS
}

/// A push of which a chunk of four seconds has come.
fn four_seconds() -> Timeline {
    let mut timeline = Timeline::default();
    timeline.begin_chunk(ChunkArrival::At(0));
    for n in 0..100 {
        place_picture(&mut timeline, n * 40);
    }
    timeline
}

#[test]
fn arrival_times_confirm_steps_ahead_of_up_to_three_minutes_alone() {
    // A chunk of four seconds, and one that arrives as much later as its first stamp says, or at once.
    for (stamp_ms, arrives_ms, placed_ms) in [
        (16_000, 16_000, 16_000),
        (184_000, 184_000, 184_000),
        (184_001, 184_001, 4_000),
        (3_600_000, 3_600_000, 4_000),
        (0, 4_000, 4_000),
        (0, 3_600_000, 4_000),
    ] {
        let mut timeline = four_seconds();
        timeline.begin_chunk(ChunkArrival::At(arrives_ms));
        assert_eq!(place_picture(&mut timeline, stamp_ms), placed_ms, "{stamp_ms} at {arrives_ms} ms");
        assert_eq!(
            place_picture(&mut timeline, stamp_ms + 40),
            placed_ms + 40,
            "{stamp_ms} at {arrives_ms} ms"
        );
    }
}

#[test]
fn a_long_pause_inside_a_chunk_is_given_back_when_the_next_one_arrives_as_much_later() {
    let (at, unknown) = (ChunkArrival::At, ChunkArrival::Unknown);
    for (pause_ms, arrivals, second_begins_ms) in [
        (30_000, [at(0), at(35_000)], 35_000),
        (100_000, [at(0), at(105_000)], 105_000),
        (30_000, [at(0), at(5_000)], 5_000),
        (30_000, [unknown; 2], 5_000),
    ] {
        let (mut timeline, mut repairs) = (Timeline::default(), Repairs::default());
        let mut chunk = |range: std::ops::Range<u32>, arrival: ChunkArrival| {
            timeline.begin_chunk(arrival);
            let stamps =
                range.flat_map(|n| [n * 40, n * 40 + 10].map(|ms| if n < 50 { ms } else { ms + pause_ms }));
            let placed: Vec<i64> = stamps
                .zip([Video, Audio].into_iter().cycle())
                .map(|(ms, track)| {
                    timeline.place(track, ms, None, std::iter::empty(), &mut repairs).dts_90khz
                })
                .collect();
            assert!(placed.chunks(2).all(|pair| (pair[1] - pair[0] - 900).abs() < 90), "{placed:?}");
            placed[0] / TICKS_PER_MS
        };
        assert_eq!(chunk(0..125, arrivals[0]), 0);
        assert_eq!(chunk(125..250, arrivals[1]), second_begins_ms);
    }
}

#[test]
fn no_pause_is_confirmed_of_more_than_twice_what_arrived() {
    // Four seconds of pictures, a chunk of two pictures, and one that arrives ten seconds later.
    for (pause_ms, is_kept) in [(9_000, true), (19_800, true), (20_000, false), (100_000, false)] {
        let mut timeline = four_seconds();
        timeline.begin_chunk(ChunkArrival::At(4_000));
        place_picture(&mut timeline, 4_000);
        place_picture(&mut timeline, 4_040);
        timeline.begin_chunk(ChunkArrival::At(14_000));
        let placed_ms = place_picture(&mut timeline, 4_080 + pause_ms);
        assert_eq!(placed_ms == i64::from(4_080 + pause_ms), is_kept, "{pause_ms}");
    }
}

#[test]
fn a_clock_that_leaps_in_more_than_one_way_has_not_paused() {
    for (other_leap_ms, is_given_back) in [(0, true), (-3_600_000, false), (3_600_000, false)] {
        let (mut timeline, mut repairs) = (Timeline::default(), Repairs::default());
        let mut chunk = |range: std::ops::Range<i64>, arrives_ms| {
            timeline.begin_chunk(ChunkArrival::At(arrives_ms));
            let leap_ms = |n| if n < 50 { 0 } else { 30_000 + if n < 75 { 0 } else { other_leap_ms } };
            let stamps = range.map(|n| (7_200_000 + n * 40 + leap_ms(n)) as u32);
            let place = |ms| timeline.place(Video, ms, None, std::iter::empty(), &mut repairs).dts_90khz;
            stamps.map(place).last().map(|time| time / TICKS_PER_MS)
        };
        chunk(0..125, 0);
        let end_ms = chunk(125..250, 35_000);
        assert_eq!(end_ms, Some(9_960 + if is_given_back { 30_000 } else { 0 }), "{other_leap_ms}");
    }
}

#[test]
fn a_long_pause_of_a_track_alone_is_given_back_too() {
    let (mut timeline, mut repairs) = (Timeline::default(), Repairs::default());
    let mut chunk = |range: std::ops::Range<u32>, arrives_ms| {
        timeline.begin_chunk(ChunkArrival::At(arrives_ms));
        // The chunk after it begins with a picture that is half a frame late.
        let late_ms = |n| if n < 50 { 0 } else { 100_000 + if n < 125 { 0 } else { 20 } };
        let stamps = range.map(|n| n * 40 + late_ms(n));
        let place = |ms| timeline.place(Video, ms, None, std::iter::empty(), &mut repairs).dts_90khz;
        stamps.map(place).map(|time| time / TICKS_PER_MS).collect::<Vec<_>>()
    };
    assert_eq!(chunk(0..125, 0), (0..125).map(|n| n * 40).collect::<Vec<_>>());
    assert_eq!(chunk(125..250, 105_000), (125..250).map(|n| 100_020 + n * 40).collect::<Vec<_>>());
}

#[test]
fn a_pause_of_the_recording_takes_no_media_time_and_is_told() {
    for (paused_ms, told_ms) in
        [(200, 0), (1_000, 1_000), (4_000, 4_000), (9_999, 9_999), (7_200_000, 7_200_000)]
    {
        let (mut timeline, mut repairs) = (Timeline::default(), Repairs::default());
        let mut chunk = |range: std::ops::Range<u32>, arrival| {
            timeline.begin_chunk(arrival);
            let paused_ms = if range.start == 0 { 0 } else { paused_ms };
            // Audio comes first in both chunks, which each begin with a keyframe all the same.
            let placed: Vec<i64> = range
                .flat_map(|n| [(Audio, n * 40 + 5), (Video, n * 40)])
                .map(|(track, ms)| {
                    timeline.place(track, ms + paused_ms, None, std::iter::empty(), &mut repairs).time_90khz
                })
                .collect();
            (placed, timeline.paused_90khz() / 90)
        };
        let (before, none) = chunk(0..125, ChunkArrival::At(0));
        let (after, found_ms) = chunk(125..250, ChunkArrival::AfterPause);
        let goes_on_ms = (after[1] - before[249]) / TICKS_PER_MS;
        assert_eq!((none, found_ms), (0, told_ms));
        assert_eq!(goes_on_ms, 40 + i64::from(paused_ms) - told_ms.cast_signed());
        assert!(
            after.chunks(2).all(|pair| pair[0] - pair[1] == 5 * TICKS_PER_MS),
            "the tracks keep their distance"
        );
        assert_eq!(repairs, Repairs::default());
        // The next chunk follows no pause.
        timeline.begin_chunk(ChunkArrival::Unknown);
        assert_eq!(timeline.paused_90khz(), 0);
    }
}

#[test]
fn a_pause_counts_from_the_track_that_ended_last() {
    // Pictures end so long before the sound does, and come first after the pause.
    for (early_ms, paused_ms) in [(40, 20_000), (1_500, 0), (3_000, 20_000), (60_000, 20_000)] {
        let (mut timeline, mut repairs) = (Timeline::default(), Repairs::default());
        timeline.begin_chunk(ChunkArrival::At(0));
        let mut place = |timeline: &mut Timeline, track, ms| {
            timeline.place(track, ms, None, std::iter::empty(), &mut repairs).time_90khz / TICKS_PER_MS
        };
        for n in 0..2_500_u32 {
            if n * 40 + early_ms <= 100_000 {
                place(&mut timeline, Video, n * 40);
            }
            place(&mut timeline, Audio, n * 40);
        }
        timeline.begin_chunk(ChunkArrival::AfterPause);
        let mut times = Vec::new();
        for n in 2_500..2_600 {
            times.push(place(&mut timeline, Video, n * 40 + paused_ms));
            times.push(place(&mut timeline, Audio, n * 40 + paused_ms));
        }
        let told_ms = timeline.paused_90khz() / 90;
        assert!(
            told_ms.abs_diff(paused_ms.into()) <= 40,
            "{told_ms} ms for {paused_ms}, {early_ms} ms early"
        );
        let expected: Vec<i64> =
            (2_500..2_600).map(|n| n * 40 + i64::from(paused_ms) - told_ms.cast_signed()).collect();
        assert!(
            times.chunks(2).zip(expected).all(|(pair, ms)| pair == [ms, ms]),
            "{early_ms} ms early: {times:?}"
        );
    }
}

#[test]
fn a_track_that_begins_after_a_pause_begins_where_the_other_one_goes_on() {
    for paused_ms in [4_000, 30_000] {
        let (mut timeline, mut repairs) = (Timeline::default(), Repairs::default());
        let mut place = |timeline: &mut Timeline, track, ms| {
            timeline.place(track, ms, None, std::iter::empty(), &mut repairs).time_90khz / TICKS_PER_MS
        };
        timeline.begin_chunk(ChunkArrival::At(0));
        for n in 0..500 {
            place(&mut timeline, Audio, n * 40);
        }
        timeline.begin_chunk(ChunkArrival::AfterPause);
        for n in 500..600_u32 {
            let times = [Video, Audio].map(|track| place(&mut timeline, track, n * 40 + paused_ms));
            assert_eq!(times, [i64::from(n) * 40; 2], "{paused_ms} ms");
        }
        assert_eq!(timeline.paused_90khz() / 90, u64::from(paused_ms));
    }
}

/// A push that sends media so many times as fast as it plays, in chunks of four seconds. Returns how far its times go
/// on, in milliseconds, where a chunk begins `late_ms` after the stamps expected, and arrives `arrives_ms` after the
/// chunk before.
fn late_chunk_ms(timeline: &mut Timeline, speed: f64, late_ms: u32, arrives_ms: f64) -> i64 {
    let mut repairs = Repairs::default();
    let mut chunk = |timeline: &mut Timeline, range: std::ops::Range<u32>, arrives_ms: f64, late_ms: u32| {
        timeline.begin_chunk(ChunkArrival::At(arrives_ms as u64));
        let place =
            |n| timeline.place(Video, n * 40 + late_ms, None, std::iter::empty(), &mut repairs).time_90khz;
        let times: Vec<i64> = range.map(place).collect();
        (times[0] / TICKS_PER_MS, times[times.len() - 1] / TICKS_PER_MS)
    };
    for n in 5..8 {
        chunk(timeline, n * 100..(n + 1) * 100, f64::from(n) * 4_000.0 / speed, 0);
    }
    let (_, before) = chunk(timeline, 800..900, 32_000.0 / speed, 0);
    chunk(timeline, 900..1_000, 32_000.0 / speed + arrives_ms, late_ms).0 - before
}

/// A session that has placed twenty seconds, of which it is not known when they arrived.
fn begun() -> Timeline {
    let (mut timeline, mut repairs) = (Timeline::default(), Repairs::default());
    timeline.begin_chunk(ChunkArrival::Unknown);
    for n in 0..500 {
        timeline.place(Video, n * 40, None, std::iter::empty(), &mut repairs);
    }
    timeline
}

#[test]
fn a_pause_is_told_by_the_speed_of_the_push_so_far() {
    // Four seconds of media, and with the pause 14.5: the chunk comes nearer to the one or to the other. With one of 20 s
    // they are more than twice what 11.9 s let expect.
    for speed in [0.25, 1.0, 3.0] {
        for (pause_ms, without_ms, with_ms) in [(10_500, 7_500.0, 7_700.0), (20_000, 11_900.0, 12_100.0)] {
            let late_ms = |arrives_ms: f64| late_chunk_ms(&mut begun(), speed, pause_ms, arrives_ms / speed);
            assert_eq!([4_000.0, without_ms].map(late_ms), [40; 2], "{speed}");
            assert_eq!([with_ms, 24_000.0].map(late_ms), [i64::from(pause_ms) + 40; 2], "{speed}");
        }
    }
    // What came in less than a second tells no speed: that of playback is expected.
    let late_ms = |arrives_ms: f64| late_chunk_ms(&mut begun(), 16.0, 20_000, arrives_ms);
    assert_eq!([400.0, 9_700.0, 9_900.0].map(late_ms), [40, 40, 20_040]);
}

#[test]
fn a_pause_is_told_the_same_after_the_first_chunk_has_moved() {
    for by_ms in [-9_000, 9_000] {
        for (arrives_ms, goes_on_ms) in [(9_700, 40), (9_900, 20_040)] {
            let (mut timeline, mut repairs) = (Timeline::default(), Repairs::default());
            let mut place = |timeline: &mut Timeline, ms| {
                timeline.place(Video, ms, None, std::iter::empty(), &mut repairs).time_90khz / TICKS_PER_MS
            };
            timeline.begin_chunk(ChunkArrival::At(0));
            let before = (0..100).map(|n| place(&mut timeline, n * 40)).last().unwrap();
            let moved_ms = timeline.settle(-by_ms * TICKS_PER_MS) / TICKS_PER_MS;
            timeline.begin_chunk(ChunkArrival::At(arrives_ms));
            let after = place(&mut timeline, 24_000);
            assert_eq!((moved_ms, after - before - moved_ms), (by_ms, goes_on_ms));
        }
    }
}

#[test]
fn only_long_pauses_inside_a_chunk_are_given_back() {
    // Both tracks step by so much, and the chunk after it arrives that much later, or five seconds for none.
    for (step_ms, arrives_ms, goes_on_ms) in [
        (-20_000, 5_000, 40),
        (-20_000, 60_000, 40),
        (20_000, 25_000, 20_040),
        (180_000, 185_000, 180_040),
        (180_001, 185_001, 40),
        (400_000, 405_000, 40),
    ] {
        let (mut timeline, mut repairs) = (Timeline::default(), Repairs::default());
        let mut chunk = |range: std::ops::Range<i64>, arrives_ms| {
            timeline.begin_chunk(ChunkArrival::At(arrives_ms));
            let units =
                range.flat_map(|n| [(Video, n * 40), (Audio, n * 40 + 10)].map(|unit| (n >= 50, unit)));
            units
                .map(|(is_late, (track, ms))| {
                    let ms = ms + 1_000_000 + if is_late { step_ms } else { 0 };
                    timeline.place(track, ms as u32, None, std::iter::empty(), &mut repairs).time_90khz
                })
                .collect::<Vec<i64>>()
        };
        let (first, second) = (chunk(0..125, 0), chunk(125..250, arrives_ms));
        let goes_on = (second[0] - first[248]) / TICKS_PER_MS;
        assert_eq!((goes_on, second[1] - second[0]), (goes_on_ms, 900), "{step_ms} at {arrives_ms}");
        let rest = second.chunks(2).zip(0..);
        assert!(rest.clone().all(|(pair, n)| pair[0] == second[0] + n * 3_600 && pair[1] == pair[0] + 900));
    }
}

#[test]
fn a_pause_of_the_recording_is_told_of_the_chunk_after_it_alone() {
    let (mut timeline, mut repairs) = (begun(), Repairs::default());
    timeline.begin_chunk(ChunkArrival::AfterPause);
    timeline.place(Video, 30_000, None, std::iter::empty(), &mut repairs);
    assert_eq!(timeline.paused_90khz(), 10_000 * 90);
    timeline.begin_chunk(ChunkArrival::At(30_040));
    assert_eq!(timeline.paused_90khz(), 0);
}

#[test]
fn a_fault_of_a_track_is_told_right_behind_a_pause_that_was_given_back() {
    // The first picture errs, or the second, before any sound has come.
    for (wrong_ms, wrong_from) in [(5_000, 126), (5_000, 127), (200_000, 126)] {
        let (mut timeline, mut repairs) = (Timeline::default(), Repairs::default());
        let mut chunk = |range: std::ops::Range<u32>, arrives_ms| {
            timeline.begin_chunk(ChunkArrival::At(arrives_ms));
            let pairs =
                range.step_by(2).flat_map(|n| [(Video, n), (Video, n + 1), (Audio, n), (Audio, n + 1)]);
            pairs.for_each(|(track, n)| {
                let is_wrong = track == Video && (wrong_from..136).contains(&n);
                let paused_ms = if n < 50 { 0 } else { 30_000 };
                let ms = n * 40 + paused_ms + if is_wrong { wrong_ms } else { 0 };
                let placed = timeline.place(track, ms, None, std::iter::empty(), &mut repairs).time_90khz;
                let collapsed_ms = if n < 126 { paused_ms } else { 0 };
                let expected_ms = n * 40 + paused_ms - collapsed_ms;
                assert_eq!(placed, i64::from(expected_ms) * TICKS_PER_MS, "{track:?} {n} by {wrong_ms}");
            });
        };
        chunk(0..126, 0);
        chunk(126..250, 35_040);
    }
}
