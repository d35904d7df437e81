//! Reads as the timeline's specification: pushes on the left, times in milliseconds on the right.

use super::*;
use TrackKind::{Audio, Video};

/// Places every timestamp and compares times, in whole milliseconds, and the repairs counted.
#[track_caller]
fn check(pushed: &[(TrackKind, u32)], placed_ms: &[i64], expected: &[(RepairKind, u32)]) {
    let (mut timeline, mut repairs) = (Timeline::default(), Repairs::default());
    let placed: Vec<i64> = pushed
        .iter()
        .map(|&(track, ms)| timeline.place(track, ms, None, &mut repairs) / TICKS_PER_MS)
        .collect();
    assert_eq!(placed, placed_ms);
    assert_eq!(repairs.iter().collect::<Vec<_>>(), expected);
}

#[test]
fn an_even_push_keeps_its_distances() {
    check(&[(Video, 1000), (Audio, 990), (Audio, 1013), (Video, 1033)], &[0, -10, 13, 33], &[]);
}

#[test]
fn the_clock_goes_on_through_the_32_bit_wrap() {
    let end = u32::MAX - 15;
    check(
        &[(Video, end), (Audio, end), (Video, 24), (Audio, 7), (Video, 64)],
        &[0, 0, 40, 23, 80],
        &[(RepairKind::TimestampWrap, 2)],
    );
}

#[test]
fn a_jump_forward_continues_at_the_frame_rate_and_the_tracks_stay_in_step() {
    check(
        &[
            (Video, 0),
            (Audio, 0),
            (Video, 40),
            (Audio, 23),
            (Video, 3_600_080),
            (Audio, 3_600_063),
            (Video, 3_600_120),
        ],
        &[0, 0, 40, 23, 80, 63, 120],
        &[(RepairKind::TimestampJumpForward, 2)],
    );
}

#[test]
fn a_jump_backward_continues_at_the_frame_rate() {
    check(
        &[(Video, 500_000), (Video, 500_040), (Video, 0), (Video, 40)],
        &[0, 40, 80, 120],
        &[(RepairKind::TimestampJumpBackward, 1)],
    );
}

#[test]
fn a_pause_within_the_policy_is_kept() {
    check(&[(Video, 0), (Video, 9_999), (Video, 10_039)], &[0, 9_999, 10_039], &[]);
}

#[test]
fn a_track_that_was_silent_returns_to_its_place() {
    let mut pushed: Vec<(TrackKind, u32)> = vec![(Audio, 0)];
    pushed.extend((0..60).map(|second| (Video, second * 1000)));
    pushed.push((Audio, 59_020));
    let mut placed: Vec<i64> = vec![0];
    placed.extend((0..60).map(|second| second * 1000));
    placed.push(59_020);
    check(&pushed, &placed, &[]);
}

#[test]
fn tracks_on_clocks_far_apart_are_aligned_and_each_keeps_its_pace() {
    check(
        &[(Video, 1_000_000), (Audio, 5), (Video, 1_000_040), (Audio, 28), (Video, 1_000_080), (Audio, 51)],
        &[0, 0, 40, 23, 80, 46],
        &[(RepairKind::TrackClockAligned, 1)],
    );
}

#[test]
fn equal_timestamps_become_strictly_rising_and_do_not_move_what_follows() {
    let (mut timeline, mut repairs) = (Timeline::default(), Repairs::default());
    let placed: Vec<i64> =
        [0, 40, 40, 40, 80].iter().map(|&ms| timeline.place(Video, ms, None, &mut repairs)).collect();
    assert_eq!(placed, [0, 3600, 3601, 3602, 7200]);
    assert_eq!(repairs.of(RepairKind::TimestampEqual), 2);
}

#[test]
fn a_small_step_back_keeps_the_order() {
    let (mut timeline, mut repairs) = (Timeline::default(), Repairs::default());
    let placed: Vec<i64> =
        [0, 40, 20, 80].iter().map(|&ms| timeline.place(Video, ms, None, &mut repairs)).collect();
    assert_eq!(placed, [0, 3600, 3601, 7200]);
    assert_eq!(repairs.of(RepairKind::TimestampStepBackward), 1);
}

#[test]
fn every_sequence_of_extreme_timestamps_rises_strictly() {
    let extremes = [0, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX];
    for a in extremes {
        for b in extremes {
            for c in extremes {
                let (mut timeline, mut repairs) = (Timeline::default(), Repairs::default());
                let placed: Vec<i64> =
                    [a, b, c, a].iter().map(|&ms| timeline.place(Video, ms, None, &mut repairs)).collect();
                assert!(placed.is_sorted_by(|a, b| a < b), "{a} {b} {c}: {placed:?}");
            }
        }
    }
}

#[test]
fn sound_that_comes_in_pairs_of_one_timestamp_plays_frame_after_frame() {
    let mut timeline = Timeline::default();
    let mut repairs = Repairs::default();
    let times: Vec<i64> = [0, 0, 43, 43, 85, 85]
        .iter()
        .map(|&ms| timeline.place(Audio, ms, Some(1_920), &mut repairs))
        .collect();
    assert_eq!(times, [0, 1_920, 3_870, 5_790, 7_650, 9_570]);
    assert_eq!(repairs.of(RepairKind::TimestampEqual), 3);
}

#[test]
fn tracks_that_drift_apart_keep_the_times_that_were_pushed() {
    let mut timeline = Timeline::default();
    let mut repairs = Repairs::default();
    let hour = 3_600_000 / 40;
    for frame in 0..hour {
        // The encoder's sound card is slower than its clock by 1 in 1 000: 3.6 s in an hour.
        let (video, audio) = (frame * 40, frame * 40 + frame * 40 / 1_000);
        assert_eq!(timeline.place(Video, video, None, &mut repairs), i64::from(video) * TICKS_PER_MS);
        assert_eq!(timeline.place(Audio, audio, Some(1_920), &mut repairs), i64::from(audio) * TICKS_PER_MS);
    }
    assert_eq!(repairs, Repairs::default());
}
