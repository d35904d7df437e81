//! Faults of a push's clock, and what looks like them: the policy's table, line by line.

use super::*;

/// Pictures each 40 ms and sound 10 ms after each, as far as `moved` says how much later or earlier they are stamped.
fn both(count: i64, moved: impl Fn(TrackKind, i64) -> i64) -> Vec<(TrackKind, u32)> {
    let units = (0..count).flat_map(|n| [(Video, n, n * 40), (Audio, n, n * 40 + 10)]);
    units.map(|(track, n, ms)| (track, (ms + 1_000_000 + moved(track, n)) as u32)).collect()
}

/// The decoding times in milliseconds where nothing is known of coming messages, and what was repaired.
fn place_blind(pushed: &[(TrackKind, u32)], sound_90khz: Option<u32>) -> (Vec<i64>, Vec<(RepairKind, u32)>) {
    let (mut timeline, mut repairs) = (Timeline::default(), Repairs::default());
    let mut place = |&(track, ms): &(TrackKind, u32)| {
        let frame_90khz = sound_90khz.filter(|_| track == Audio);
        let placed = timeline.place(track, ms, frame_90khz, std::iter::empty(), &mut repairs);
        placed.dts_90khz.div_euclid(TICKS_PER_MS)
    };
    (pushed.iter().map(&mut place).collect(), repairs.iter().collect())
}

#[test]
fn a_step_of_one_track_that_was_believed_is_taken_back() {
    let pushed = both(50, |track, n| if track == Video && n >= 20 { 200 } else { 0 });
    let (placed, repairs) = place_blind(&pushed, None);
    let expected = (0..50).flat_map(|n: i64| {
        // The first picture believed, and those after it until they are back in step.
        let late_ms = if n < 20 { 0 } else { 1_000 + 20 * (n - 20) };
        [late_ms.max(n * 40), n * 40 + 10]
    });
    assert_eq!(placed, expected.collect::<Vec<_>>());
    assert_eq!(repairs, [(RepairKind::TimestampStepBackward, 9)]);
}

#[test]
fn what_was_taken_back_makes_no_other_step_believed() {
    // Behind that, sound errs, or pictures do once more.
    for (sound_ms, pictures_ms) in [(400, 0), (0, 400)] {
        let units = (0..50_u32).flat_map(|n| [(Video, n * 40), (Audio, n * 40 + 10), (Audio, n * 40 + 30)]);
        let pushed: Vec<_> = units
            .map(|(track, ms)| match track {
                Video if ms > 800 => (track, ms + 240 + pictures_ms),
                Video if ms == 800 => (track, ms + 240),
                Audio if ms > 810 => (track, ms + sound_ms),
                _ => (track, ms),
            })
            .collect();
        let expected = (0..50).flat_map(|n: i64| {
            let late_ms = if n < 20 { 0 } else { 1_040 + 20 * (n - 20) };
            [late_ms.max(n * 40), n * 40 + 10, n * 40 + 30]
        });
        assert_eq!(place_blind(&pushed, None).0, expected.collect::<Vec<_>>(), "{sound_ms} {pictures_ms}");
    }
}

#[test]
fn a_step_of_both_tracks_is_one_of_their_clock_though_nothing_is_known_of_what_follows() {
    for step_ms in [-600_000, -7_500, -300, 12_000, 3_600_000] {
        let (placed, _) = place_blind(&both(50, |_, n| if n >= 25 { step_ms } else { 0 }), None);
        let even = (0..50).flat_map(|n| [n * 40, n * 40 + 10]);
        assert_eq!(placed, even.collect::<Vec<_>>(), "{step_ms}");
    }
}

#[test]
fn a_pause_of_both_tracks_is_kept_once_both_have_come_back() {
    for pause_ms in [1_000, 5_000, 10_000] {
        let (placed, _) = place_blind(&both(50, |_, n| if n >= 25 { pause_ms } else { 0 }), None);
        let kept_ms = |n| if n > 25 { pause_ms } else { 0 };
        let expected = (0..50).flat_map(|n| [n * 40 + kept_ms(n), n * 40 + 10 + kept_ms(n)]);
        assert_eq!(placed, expected.collect::<Vec<_>>(), "{pause_ms}");
    }
}

#[test]
fn a_step_behind_one_wrong_stamp_goes_on_a_frame_after_it() {
    check(
        &video(&[500_000, 500_040, 600_000, 480_000, 480_040]),
        &[0, 40, 80, 120, 160],
        &[(RepairKind::TimestampJumpBackward, 1), (RepairKind::TimestampOutlier, 1)],
    );
}

#[test]
fn a_wrong_stamp_behind_the_wrap_does_not_wrap_the_clock() {
    let end = u32::MAX - 15;
    check(
        &video(&[end - 120, end - 80, 9_000, end, 24]),
        &[0, 40, 80, 120, 160],
        &[(RepairKind::TimestampWrap, 1), (RepairKind::TimestampOutlier, 1)],
    );
}

#[test]
fn frames_of_two_milliseconds_rise_strictly() {
    let (mut timeline, mut repairs) = (Timeline::default(), Repairs::default());
    let mut place = |ms| timeline.place(Audio, ms, Some(180), std::iter::empty(), &mut repairs).dts_90khz;
    let placed = [0, 2, 2, 4, 6, 8].map(&mut place);
    assert!(placed.is_sorted_by(|a, b| a < b), "{placed:?}");
}

#[test]
fn a_step_of_the_clock_is_rounded_to_the_nearest_millisecond() {
    // Sound that lasts 23.2 ms a frame.
    let placed = [0, 1_000_000, 1_000_023].map(|ms| (Audio, ms));
    assert_eq!(place(&placed).0, [0, 23, 46].map(|ms| ms * TICKS_PER_MS));
}

/// Pictures each 40 ms, and sound whose frames last 23.2 ms and are stamped `step_ms` apart; each hundred of them are
/// set right.
fn sound_set_right(step_ms: u32) -> Vec<(TrackKind, u32)> {
    let mut units: Vec<(u32, (TrackKind, u32))> = (0..180).map(|n| (n * 40, (Video, n * 40))).collect();
    units.extend((0..300).map(|n| (n * 23 + 5, (Audio, n / 100 * 2_322 + n % 100 * step_ms))));
    units.sort_by_key(|&(arrives_ms, _)| arrives_ms);
    units.into_iter().map(|(_, unit)| unit).collect()
}

#[test]
fn sound_stamped_too_slow_is_set_right_by_steps_ahead() {
    let pushed = sound_set_right(20);
    let expected: Vec<i64> = pushed.iter().map(|&(_, ms)| ms.into()).collect();
    check(&pushed, &expected, &[]);
}

#[test]
fn sound_stamped_too_fast_is_set_right_by_steps_back() {
    let pushed = sound_set_right(26);
    let (placed, repairs) = place(&pushed);
    let sound = |track| pushed.iter().zip(&placed).filter(move |(unit, _)| unit.0 == track);
    assert!(sound(Video).all(|(&(_, ms), &time)| time == i64::from(ms) * TICKS_PER_MS));
    let mut in_step = 0;
    for (index, (&(_, ms), &time)) in sound(Audio).enumerate() {
        // At half their distance units are back in step after some twenty.
        if index < 100 || index % 100 > 25 {
            assert_eq!(time, i64::from(ms) * TICKS_PER_MS, "{index}");
            in_step += 1;
        }
    }
    assert!(in_step > 200 && sound(Audio).is_sorted_by(|a, b| a.1 < b.1));
    assert!(matches!(repairs[..], [(RepairKind::TimestampStepBackward, 30..50)]), "{repairs:?}");
}
