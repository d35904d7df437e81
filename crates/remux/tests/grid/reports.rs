//! What users of other recorders have met, and what holds of every push.

use media::TrackKind::{self, Audio, Video};

use crate::{
    Outcome, outcome,
    push::{self, Frame},
};

#[track_caller]
fn check(frames: &[Frame], origin_ms: u32) -> Outcome {
    let outcome = outcome(frames, &push::cuts(frames, 4), origin_ms);
    assert!(outcome.apart_ms <= 50.0 && outcome.off_ms <= 50.0 && outcome.spacing_ms > 2.5, "{outcome:?}");
    outcome
}

const ORIGINS_MS: [u32; 3] = [0, 16_777_000, u32::MAX - 999];

#[test]
fn twenty_minutes_of_small_steps_back_do_not_add_up() {
    for (hit, by_ms) in [(None, -70), (Some(Audio), -70), (Some(Video), -70), (None, -10), (None, -33)] {
        for pictures_a_second in [25, 30] {
            let mut frames = push::even(1_200, pictures_a_second);
            for frame in frames.iter_mut().filter(|frame| hit.is_none_or(|track| track == frame.track)) {
                frame.stamp_ms += by_ms * (frame.true_ms / 3_000);
            }
            let outcome = check(&frames, 0);
            println!("{hit:?} {by_ms} ms each 3 s, {pictures_a_second} pictures a second: {outcome:?}");
        }
    }
}

#[test]
fn a_step_back_after_one_track_has_ended_squeezes_nothing_of_the_other() {
    // A track that goes on alone runs further ahead of the other than before, whatever its stamps say.
    for track in [Audio, Video] {
        for alone_ms in [60, 80, 200, 1_000] {
            let mut frames = push::even(26, 25);
            frames.retain(|frame| frame.track == track || frame.true_ms < 24_000);
            for frame in &mut frames {
                let steps = (frame.true_ms / 4_000).min(5) + i64::from(frame.true_ms >= 24_000 + alone_ms);
                frame.stamp_ms -= 70 * steps;
            }
            let outcome = check(&frames, 0);
            assert!(outcome.spacing_ms > 20.0, "{track:?}, {alone_ms} ms alone: {outcome:?}");
        }
    }
}

#[test]
fn stamps_that_run_fast_or_slow_and_are_set_right_do_not_add_up() {
    // Stamps gain or lose 70 ms in three seconds, and are then set to what they should be.
    for hit in [None, Some(Audio)] {
        for by_ms in [70, -70] {
            let mut frames = push::even(300, 25);
            for frame in frames.iter_mut().filter(|frame| hit.is_none_or(|track| track == frame.track)) {
                frame.stamp_ms += frame.true_ms % 3_000 * by_ms / 3_000;
            }
            let outcome = outcome(&frames, &push::cuts(&frames, 4), 0);
            assert!(outcome.worst_ms <= 80.0 && outcome.spacing_ms > 2.5, "{hit:?} {by_ms} ms: {outcome:?}");
        }
    }
}

#[test]
fn a_clock_that_leaps_hours_ahead_is_followed_and_the_media_goes_on() {
    for origin_ms in ORIGINS_MS {
        let mut frames = push::even(10, 25);
        for frame in frames.iter_mut().filter(|frame| frame.true_ms >= 5_000) {
            frame.stamp_ms += 8_000_000;
        }
        check(&frames, origin_ms);
    }
}

#[test]
fn video_that_restarts_below_audio_stays_in_step() {
    // Video restarts at 958 ms where audio is at 48 803 ms.
    for origin_ms in ORIGINS_MS {
        let mut frames = push::even(60, 25);
        for frame in frames.iter_mut().filter(|frame| frame.track == Video && frame.true_ms >= 48_800) {
            frame.stamp_ms -= 47_842;
        }
        check(&frames, origin_ms);
    }
}

#[test]
fn tracks_on_clocks_of_their_own_are_in_step_from_the_start() {
    let days_21 = 21 * 86_400_000;
    for (video_ms, audio_ms) in [(days_21, 10_000), (0, 3_500), (3_500, 0), (0, 12_000)] {
        let mut frames = push::even(24, 25);
        for frame in &mut frames {
            frame.stamp_ms += if frame.track == Video { video_ms } else { audio_ms };
        }
        check(&frames, 0);
    }
}

#[test]
fn sound_that_only_arrives_late_keeps_its_place() {
    for late_ms in [200, 1_500, 3_000, 8_000] {
        let mut frames = push::even(24, 25);
        frames.sort_by_key(|frame| frame.true_ms + if frame.track == Audio { late_ms } else { 0 });
        let outcome = check(&frames, 0);
        assert!(outcome.worst_ms < 1.0, "{late_ms} ms late: {outcome:?}");
    }
}

#[test]
fn pauses_are_kept_exactly_where_they_were_pushed() {
    // Both tracks; video alone, as a camera that is off; audio alone.
    for (track, from_ms, to_ms) in [
        (None, 5_000, 8_000),
        (None, 5_000, 14_000),
        (Some(Video), 6_000, 18_000),
        (Some(Audio), 3_000, 15_000),
    ] {
        let frames = with_pause(track, from_ms, to_ms);
        let outcome = check(&frames, 0);
        assert!(outcome.worst_ms < 1.0, "{track:?} from {from_ms} to {to_ms} ms: {outcome:?}");
    }
    // Audio that comes just before the first keyframe is the last that is known where the push may be cut.
    let frames = with_pause(None, 5_000, 14_900);
    let cuts = push::cuts(&frames, 4);
    let (_, audio) = push::record(&frames, &cuts, 0);
    let times = frames.iter().filter(|frame| frame.track == Audio).map(|frame| frame.true_90khz);
    let moved: Vec<i64> =
        times.zip(audio).map(|(expected, time)| time - expected).filter(|by| by.abs() > 90).collect();
    assert!(moved.len() == 1 && moved[0] < 0, "{moved:?}");
}

/// A push in which a track, or both, are silent for a while, and go on with a keyframe.
fn with_pause(track: Option<TrackKind>, from_ms: i64, to_ms: i64) -> Vec<Frame> {
    let mut frames = push::even(24, 25);
    frames.retain(|frame| {
        track.is_some_and(|track| track != frame.track) || !(from_ms..to_ms).contains(&frame.true_ms)
    });
    if let Some(frame) = frames.iter_mut().find(|frame| frame.track == Video && frame.true_ms >= to_ms) {
        frame.is_key = true;
    }
    frames
}

#[test]
fn an_uneven_frame_rate_is_kept_exactly() {
    // Two of three pictures left out by a rule that has no period a pace could learn.
    let mut frames = push::even(24, 60);
    let mut number = 0_u32;
    frames.retain(|frame| {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        frame.track == Audio || frame.is_key || number >> 24 < 86
    });
    assert!(check(&frames, 0).worst_ms < 1.0);
}

#[test]
fn the_same_push_has_the_same_times_wherever_it_is_cut() {
    let mut number = 1_u32;
    let mut random = |below: u32| {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (number >> 8) % below
    };
    for round in 0..40 {
        let mut frames = push::even(30, [25, 30, 12][round % 3]);
        // Faults of every kind, one or two a second.
        for _ in 0..40 {
            let first = random(frames.len() as u32) as usize;
            let by_ms = i64::from(random(6_000)) - 3_000;
            let count = [1, 1, 10, 10_000][random(4) as usize];
            let track = [None, Some(Video), Some(Audio)][random(3) as usize];
            let is_hit = |frame: &Frame| track.is_none_or(|track| track == frame.track);
            for frame in frames[first..].iter_mut().take(count).filter(|frame| is_hit(frame)) {
                frame.stamp_ms += by_ms;
            }
        }
        let keyframes: Vec<usize> = (1..frames.len()).filter(|&index| frames[index].is_key).collect();
        let some: Vec<usize> = keyframes.iter().copied().filter(|_| random(2) == 0).collect();
        let whole = push::record(&frames, &[], 0);
        for cuts in [keyframes, some] {
            assert!(push::record(&frames, &cuts, 0) == whole, "round {round}, cut at {cuts:?}");
        }
        let (video, audio): (Vec<i64>, Vec<i64>) = whole;
        for (track, times) in [(Video, video), (Audio, audio)] {
            let pushed = frames.iter().filter(|frame| frame.track == track).count();
            assert_eq!(times.len(), pushed, "round {round}: nothing is lost");
            assert!(times.is_sorted_by(|a, b| a < b), "round {round}: {track:?} rises");
        }
    }
}

#[test]
fn stamps_that_go_back_and_forth_do_not_add_up() {
    let mut number = 1_u32;
    for hit in [None, Some(Audio), Some(Video)] {
        for by_ms in [5, 10, 15, 20] {
            let mut frames = push::even(240, 25);
            for frame in frames.iter_mut().filter(|frame| hit.is_none_or(|track| track == frame.track)) {
                number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                frame.stamp_ms += i64::from((number >> 8) % (2 * by_ms + 1)) - i64::from(by_ms);
            }
            let outcome = outcome(&frames, &push::cuts(&frames, 4), 1_000);
            assert!(outcome.apart_ms <= 50.0 && outcome.off_ms <= 50.0, "{hit:?} by {by_ms} ms: {outcome:?}");
        }
    }
}

#[test]
fn presentation_times_that_are_sent_as_stamps_are_shown_when_they_say() {
    // Groups of a picture that is shown last and three that are shown before it, twice nested.
    let order = [4, 2, 1, 3];
    let shown = |n: i64| if n == 0 { 0 } else { (n - 1) / 4 * 4 + order[(n as usize - 1) % 4] };
    for origin_ms in ORIGINS_MS {
        let mut frames = push::even(16, 25);
        let pictures = frames.iter_mut().filter(|frame| frame.track == TrackKind::Video);
        for (n, frame) in (0..).zip(pictures) {
            // A group of pictures begins with its keyframe.
            let (group, place) = (n / 49, n % 49);
            frame.is_key = place == 0;
            frame.stamp_ms = (group * 49 + shown(place)) * 40;
        }
        let cuts: Vec<usize> = (1..frames.len()).filter(|&index| frames[index].is_key).collect();
        let pictures = push::record_pictures(&frames, &cuts, origin_ms);
        let first_ms = pictures[0].1 / 90;
        let stamps = frames.iter().filter(|frame| frame.track == Video).map(|frame| frame.stamp_ms);
        for (stamp_ms, &(dts, pts)) in stamps.zip(&pictures) {
            assert!(dts <= pts, "decoded at {dts}, shown at {pts}");
            assert_eq!(pts / 90 - first_ms, stamp_ms, "a picture stamped {stamp_ms}");
        }
        let spacing = pictures.windows(2).map(|pair| pair[1].0 - pair[0].0);
        assert!(spacing.clone().min() >= Some(13 * 90) && spacing.max() <= Some(40 * 90), "no bursts");
    }
}
