//! Reads as the timeline's specification: pushes on the left, times in milliseconds on the right.

use super::*;
use crate::RepairKind;
use TrackKind::{Audio, Video};

mod arrival;
mod begin;
mod faults;
mod random;
mod readings;

/// The decoding times of a push in ticks, and what was repaired; every coming message may be looked at.
fn place(pushed: &[(TrackKind, u32)]) -> (Vec<i64>, Vec<(RepairKind, u32)>) {
    let (mut timeline, mut repairs) = (Timeline::default(), Repairs::default());
    let upcoming =
        |&(track, timestamp_ms): &(TrackKind, u32)| Upcoming { track, timestamp_ms, composition_ms: 0 };
    let placed = pushed
        .iter()
        .enumerate()
        .map(|(index, &(track, ms))| {
            let frame_90khz = (track == Audio).then_some(2_090);
            let ahead = pushed[index + 1..].iter().map(upcoming);
            timeline.place(track, ms, frame_90khz, ahead, &mut repairs).dts_90khz
        })
        .collect();
    (placed, repairs.iter().collect())
}

/// Compares times, in whole milliseconds, and the repairs counted.
#[track_caller]
fn check(pushed: &[(TrackKind, u32)], placed_ms: &[i64], expected: &[(RepairKind, u32)]) {
    let (placed, repairs) = place(pushed);
    let placed: Vec<i64> = placed.iter().map(|time| time.div_euclid(TICKS_PER_MS)).collect();
    assert_eq!(placed, placed_ms);
    assert_eq!(repairs, expected);
}

fn video(stamps: &[u32]) -> Vec<(TrackKind, u32)> {
    stamps.iter().map(|&stamp| (Video, stamp)).collect()
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
    check(&video(&[500_000, 500_040, 0, 40]), &[0, 40, 80, 120], &[(RepairKind::TimestampJumpBackward, 1)]);
}

/// Of pictures that come at 0, 300 and 600 ms of each second it is not known to less than 100 ms when the next one is due.
#[test]
fn tracks_stay_in_step_where_the_clock_of_uneven_pictures_steps_back() {
    let pictures = (0..12).flat_map(|second| [0, 300, 600].map(|ms| (Video, 1_000 * second + ms)));
    let sound = (0..500).map(|n| (Audio, 10 + n * 2_090 / 90));
    let mut pushed: Vec<(TrackKind, u32)> = pictures.chain(sound).collect();
    pushed.sort_by_key(|&(_, ms)| ms);
    for unit in pushed.iter_mut().filter(|(_, ms)| *ms >= 7_000) {
        unit.1 -= 1_300;
    }
    let (placed, _) = place(&pushed);
    let later = |(time, (_, ms)): (&i64, &(TrackKind, u32))| time - i64::from(*ms) * TICKS_PER_MS;
    let later: Vec<i64> = placed.iter().zip(&pushed).map(later).collect();
    let behind = &later[pushed.len() - 100..];
    assert!(behind.iter().all(|ticks| ticks.abs_diff(behind[0]) < 90), "{behind:?}");
}

#[test]
fn a_stamp_that_comes_twice_is_no_step_that_the_other_track_has_made() {
    let pictures = (0..250).map(|n| (Video, if n == 200 { 199 * 40 } else { n * 40 }));
    let sound = (0..430).map(|n| (Audio, 5 + n * 2_090 / 90));
    let mut sent: Vec<(TrackKind, u32)> = pictures.chain(sound).collect();
    sent.sort_by_key(|&(_, ms)| ms);
    let mut pushed = sent.clone();
    // The clock of sound alone goes back by 60 ms.
    for unit in pushed.iter_mut().filter(|(track, ms)| *track == Audio && *ms >= 4_000) {
        unit.1 -= 60;
    }
    let (placed, _) = place(&pushed);
    for ((time, (track, ms)), (_, stamp_ms)) in placed.iter().zip(&sent).zip(&pushed) {
        let is_repeated = *track == Video && *ms == 199 * 40;
        assert!(is_repeated || *track == Audio || *time == i64::from(*stamp_ms) * TICKS_PER_MS, "{ms}");
    }
}

#[test]
fn a_late_picture_before_a_step_back_is_not_a_wrong_stamp() {
    check(
        &video(&[0, 300, 600, 1_000, 1_300, 1_600, 2_000, 1_000, 1_300, 1_600]),
        &[0, 300, 600, 1_000, 1_300, 1_600, 2_000, 2_300, 2_600, 2_900],
        &[(RepairKind::TimestampJumpBackward, 1)],
    );
}

#[test]
fn a_clock_that_comes_back_from_a_step_back_has_not_paused() {
    let stamps: Vec<u32> =
        (250..500).map(|n| n * 40 - if (300..400).contains(&n) { 3_000 } else { 0 }).collect();
    let placed: Vec<i64> = (0..250).map(|n| n * 40).collect();
    let steps = [RepairKind::TimestampJumpForward, RepairKind::TimestampJumpBackward];
    check(&video(&stamps), &placed, &steps.map(|step| (step, 1)));
}

#[test]
fn a_pause_within_the_policy_is_kept() {
    check(&video(&[0, 40, 9_999, 10_039]), &[0, 40, 9_999, 10_039], &[]);
    let both =
        [(Video, 0), (Audio, 0), (Video, 40), (Audio, 23), (Video, 8_080), (Audio, 8_046), (Video, 8_120)];
    check(&both, &[0, 0, 40, 23, 8_080, 8_046, 8_120], &[]);
}

#[test]
fn a_wrong_stamp_behind_a_pause_does_not_hide_it() {
    check(
        &video(&[0, 40, 80, 3_000, 2_990, 3_080, 3_120]),
        &[0, 40, 80, 3_000, 3_040, 3_080, 3_120],
        &[(RepairKind::TimestampOutlier, 1)],
    );
}

#[test]
fn tracks_may_come_back_from_a_pause_one_after_the_other() {
    let even =
        |from_ms: u32| (0..12).flat_map(move |n| [(Video, from_ms + 40 * n), (Audio, from_ms + 40 * n + 2)]);
    for (audio_ms, video_ms) in [(1_400, 2_700), (2_700, 1_400)] {
        let mut pushed: Vec<(TrackKind, u32)> = even(0).collect();
        pushed.extend([(Audio, audio_ms), (Video, video_ms)]);
        pushed.sort_by_key(|&(_, ms)| ms);
        pushed.extend(even(2_740));
        let placed: Vec<i64> = pushed.iter().map(|&(_, ms)| ms.into()).collect();
        check(&pushed, &placed, &[]);
    }
}

#[test]
fn one_wrong_stamp_goes_between_its_neighbours() {
    for wrong in [5_080, 130, 60_000, 0, 81_u32.wrapping_sub(7_000)] {
        check(
            &video(&[0, 40, wrong, 120, 160]),
            &[0, 40, 80, 120, 160],
            &[(RepairKind::TimestampOutlier, 1)],
        );
    }
}

#[test]
fn the_first_stamp_may_be_the_wrong_one() {
    check(&video(&[5_000, 40, 80, 120]), &[0, 40, 80, 120], &[(RepairKind::TimestampOutlier, 1)]);
    check(&video(&[5_000, 40]), &[0, 40], &[(RepairKind::TimestampOutlier, 1)]);
    let late = [(Video, 0), (Audio, 20_000), (Audio, 20_023), (Video, 20_040), (Video, 20_080)];
    check(&late, &[0, 0, 23, 40, 80], &[(RepairKind::TimestampOutlier, 1)]);
}

#[test]
fn a_first_picture_long_before_the_next_is_kept_where_sound_begins_later() {
    check(
        &[(Video, 0), (Video, 100), (Video, 140), (Audio, 150), (Audio, 173), (Video, 180)],
        &[0, 100, 140, 150, 173, 180],
        &[],
    );
}

#[test]
fn a_first_picture_is_moved_to_its_sound_from_46_ms_on() {
    let pushed = |by| [(Video, 0), (Audio, by), (Video, by + 40), (Audio, by + 23), (Video, by + 80)];
    check(&pushed(45), &[0, 45, 85, 68, 125], &[]);
    check(&pushed(46), &[0, 0, 40, 23, 80], &[(RepairKind::TimestampOutlier, 1)]);
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
fn tracks_whose_stamps_stay_seconds_apart_have_clocks_of_their_own() {
    let pushed: Vec<_> = (0..50).flat_map(|n| [(Video, n * 40), (Audio, 3_500 + n * 40)]).collect();
    let (placed, repairs) = place(&pushed);
    assert!(placed.chunks(2).all(|pair| pair[0] == pair[1]), "{placed:?}");
    assert_eq!(repairs, [(RepairKind::TrackClockAligned, 1)]);
}

#[test]
fn sound_that_begins_first_and_arrives_last_catches_up_to_its_place() {
    let mut pushed = vec![(Video, 2_000)];
    pushed.extend((0..100).map(|n| (Audio, 500 + n * 15)));
    pushed.extend((1..50).flat_map(|n| [(Video, 2_000 + n * 40), (Audio, 1_985 + n * 40)]));
    let (placed, _) = place(&pushed);
    assert_eq!((placed[0], placed[1], placed[101]), (0, -1_500 * TICKS_PER_MS, 40 * TICKS_PER_MS));
    // It may also be late for good.
    let late = (0..400_u32).flat_map(|n| [(Video, n * 40), (Audio, (n * 40).saturating_sub(3_000))]);
    let late: Vec<_> = late.filter(|&(track, stamp)| track == Video || stamp > 0).collect();
    let (placed, repairs) = place(&late);
    let first = late.iter().position(|&(track, _)| track == Audio).unwrap();
    assert_eq!((placed[first], repairs), (40 * TICKS_PER_MS, vec![]));
}

#[test]
fn equal_stamps_become_strictly_rising_and_do_not_move_what_follows() {
    check(&video(&[0, 40, 40, 40, 80, 120]), &[0, 40, 53, 66, 80, 120], &[(RepairKind::TimestampEqual, 2)]);
    // Nothing is known of the next one.
    check(&video(&[0, 40, 40]), &[0, 40, 60], &[(RepairKind::TimestampEqual, 1)]);
}

#[test]
fn a_small_step_back_keeps_the_order() {
    check(&video(&[0, 40, 20, 80]), &[0, 40, 60, 80], &[(RepairKind::TimestampOutlier, 1)]);
    check(&video(&[0, 40, 80, 60, 100]), &[0, 40, 80, 120, 160], &[(RepairKind::TimestampJumpBackward, 1)]);
}

#[test]
fn a_track_whose_clock_errs_for_a_while_comes_home() {
    let mut pushed = Vec::new();
    for n in 0..200_u32 {
        pushed.push((Video, n * 40 + if (50..75).contains(&n) { 5_000 } else { 0 }));
        pushed.push((Audio, n * 40 + 10));
    }
    let (placed, _) = place(&pushed);
    assert!(placed.chunks(2).all(|pair| (pair[1] - pair[0] - 900).abs() < 90), "{placed:?}");
}

#[test]
fn every_sequence_of_extreme_timestamps_rises_strictly() {
    let extremes = [0, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX];
    for a in extremes {
        for b in extremes {
            for c in extremes {
                let (placed, _) = place(&video(&[a, b, c, a]));
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
        .map(|&ms| timeline.place(Audio, ms, Some(1_920), std::iter::empty(), &mut repairs).dts_90khz)
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
        for (track, stamp, lasts) in [(Video, video, None), (Audio, audio, Some(1_920))] {
            let placed = timeline.place(track, stamp, lasts, std::iter::empty(), &mut repairs);
            assert_eq!(placed.dts_90khz, i64::from(stamp) * TICKS_PER_MS);
        }
    }
    assert_eq!(repairs, Repairs::default());
}

#[test]
fn an_access_unit_that_comes_as_expected_is_placed_as_by_the_policy() {
    let mut number = 1_u32;
    let mut random = |below: u32| {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (number >> 8) % below
    };
    let mut regular = 0;
    for _ in 0..200 {
        let (mut timeline, mut stamps) = (Timeline::default(), [0_u32; 2]);
        for n in 0..400_u32 {
            let (track, frame_90khz, frame_ms) =
                if n % 3 == 0 { (Video, None, 40) } else { (Audio, Some(2_090), 23) };
            let stamp = &mut stamps[usize::from(track == Audio)];
            let most = [0, 50, 500, 20_000][random(4) as usize];
            let fault = if random(20) == 0 { random(2 * most + 1).wrapping_sub(most) } else { random(2) };
            *stamp = stamp.wrapping_add(frame_ms).wrapping_add(fault);
            if n % 100 == 0 {
                timeline.begin_chunk(ChunkArrival::At(u64::from(n) * 13));
            }
            let (ahead, mut by_policy) = (std::iter::empty(), timeline.clone());
            let is_regular = timeline.clone().place_regular(track, *stamp, frame_90khz).is_some();
            let mut repairs = Repairs::default();
            let placed = timeline.place(track, *stamp, frame_90khz, ahead.clone(), &mut repairs);
            if is_regular {
                let frame_90khz = frame_90khz.map(i64::from);
                let expected = by_policy.place_by_policy(track, *stamp, frame_90khz, &ahead, &mut repairs);
                assert_eq!((placed, &timeline), (expected, &by_policy));
                assert_eq!(repairs, Repairs::default());
                regular += 1;
            }
        }
    }
    assert!(regular > 10_000, "{regular}");
}

#[test]
fn an_uneven_push_keeps_its_distances() {
    let mut number = 1_u32;
    let mut random = |below: u32| {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (number >> 8) % below
    };
    let mut checked = 0;
    for round in 0..20_000 {
        let mut ms = 0;
        let pushed: Vec<(TrackKind, u32)> = (0..30)
            .map(|_| {
                ms += 1 + random([100, 500, 2_000][round % 3]);
                (if random(2) == 0 { Video } else { Audio }, ms)
            })
            .collect();
        let (placed, _) = place(&pushed);
        let times = |track| {
            let times = pushed.iter().zip(placed.iter()).filter(move |(pushed, _)| pushed.0 == track);
            times.map(|(pushed, &placed)| (pushed.1, placed)).collect::<Vec<(u32, i64)>>()
        };
        let tracks = [times(Video), times(Audio)];
        let until = tracks.iter().map(|times| uneven_until(times)).min().unwrap_or(0);
        for times in tracks {
            // What follows tells whether the first stamp is right.
            for pair in times.windows(2).skip(1).take_while(|pair| pair[1].0 < until) {
                let pushed_90khz = i64::from(pair[1].0 - pair[0].0) * TICKS_PER_MS;
                assert_eq!(pair[1].1 - pair[0].1, pushed_90khz, "at {} ms of {pushed:?}", pair[1].0);
                checked += 1;
            }
        }
    }
    assert!(checked > 100_000, "{checked}");
}

/// The stamp with which it may be known how fast a track is: the third that is as far from the one before as others.
fn uneven_until(times: &[(u32, i64)]) -> u32 {
    let steps: Vec<u32> = times.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    let is_alike = |n: usize| steps[n] < 40 || steps[..n].iter().any(|step| step.abs_diff(steps[n]) <= 40);
    (0..steps.len()).filter(|&n| is_alike(n)).nth(2).map_or(u32::MAX, |n| times[n + 1].0)
}
