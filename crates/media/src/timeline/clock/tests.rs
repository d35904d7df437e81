use super::*;

const FRAME_MS: i64 = 20;

/// How much further the stamps of a track have run than its frames last, in milliseconds, after steps of so many.
fn gained_ms(steps_ms: &[i64]) -> i64 {
    let mut clock = TrackClock::new(0, 0, 0, 0);
    clock.pace.set_frame(FRAME_MS * TICKS_PER_MS);
    for step_ms in steps_ms {
        let stamp_ms = clock.stamp_ms + step_ms;
        let time_90khz = clock.time_of(stamp_ms);
        clock.learn(stamp_ms, time_90khz, Some(FRAME_MS * TICKS_PER_MS), None);
        clock.advance(stamp_ms as u32, stamp_ms, time_90khz, time_90khz);
    }
    clock.gained_90khz / TICKS_PER_MS
}

#[test]
fn stamps_gain_what_their_frames_do_not_last() {
    assert_eq!(gained_ms(&[20; 50]), 0);
    assert_eq!((gained_ms(&[21, 22, 20]), gained_ms(&[18, 20, 19])), (3, -3));
    // Frames that are missing have lasted all the same.
    assert_eq!(gained_ms(&[20, 40, 60, 100, 20]), 0);
    // A wrong stamp gains as little on the way back as it did on the way there.
    assert_eq!((gained_ms(&[20, 5_000, -4_960]), gained_ms(&[20, -5_000, 5_040])), (0, 0));
    assert_eq!((gained_ms(&[29]), gained_ms(&[30]), gained_ms(&[62])), (9, -10, 2));
}

#[test]
fn a_track_is_heard_while_it_may_be_between_two_of_its_units() {
    let policy = TimelinePolicy::default();
    let hears = |frame_ms: i64, behind_ms: i64, units: u8| {
        let mut other = TrackClock::new(0, 0, 0, 0);
        other.pace.set_frame(frame_ms * TICKS_PER_MS);
        let mut own = TrackClock::new(0, 0, 0, behind_ms * TICKS_PER_MS);
        own.lead.units = units;
        own.hears(&other, &policy)
    };
    // Two seconds, or three of its own steps.
    for (frame_ms, longest_ms) in [(40, 2_000), (500, 2_000), (1_000, 3_000), (5_000, 15_000)] {
        assert!(hears(frame_ms, longest_ms, 1) && !hears(frame_ms, longest_ms + 1, 1), "{frame_ms}");
        // It is not known how far it is away.
        assert!(hears(frame_ms, 10_000, 0) && !hears(frame_ms, 10_001, 0), "{frame_ms}");
    }
}

#[test]
fn a_track_is_heard_from_where_it_usually_is() {
    let policy = TimelinePolicy::default();
    let other = TrackClock::new(0, 0, 0, 0);
    // This track runs before the other by 300 ms as they arrive, or after it.
    for (lead_ms, longest_ms) in [(300, 2_300), (-300, 1_700)] {
        let hears = |behind_ms: i64| {
            let mut own = TrackClock::new(0, 0, 0, behind_ms * TICKS_PER_MS);
            own.lead = Lead { mean_90khz: lead_ms * TICKS_PER_MS, spread_90khz: 0, units: 8 };
            own.hears(&other, &policy)
        };
        assert!(hears(longest_ms) && !hears(longest_ms + 1), "{lead_ms}");
    }
}

#[test]
fn tracks_are_interleaved_while_the_other_one_is_not_late() {
    let policy = TimelinePolicy::default();
    // One unit at least comes between two of the other track; more of them, if they are shorter.
    for (frame_ms, other_ms, most_alone) in [(40, 40, 2), (40, 23, 1), (23, 40, 2), (20, 40, 3), (10, 40, 5)]
    {
        let mut other = TrackClock::new(0, 0, 0, 0);
        other.pace.set_frame(other_ms * TICKS_PER_MS);
        let is_interleaved = |alone: u8, behind_ms: i64| {
            let mut own = TrackClock::new(0, 0, 0, behind_ms * TICKS_PER_MS);
            own.pace.set_frame(frame_ms * TICKS_PER_MS);
            own.alone = alone;
            own.is_interleaved_with(&other, &policy)
        };
        assert!((0..=most_alone).all(|alone| is_interleaved(alone, 0)), "{frame_ms} beside {other_ms}");
        assert!(!is_interleaved(most_alone + 1, 0), "{frame_ms} beside {other_ms}");
        assert!(!is_interleaved(0, 10_001), "it is not heard");
    }
}

/// A track that is at 5 s, and comes each so many milliseconds.
fn pace(frame_ms: i64) -> Pace {
    let mut pace = Pace { ideal_90khz: 5_000 * TICKS_PER_MS, ..Pace::default() };
    pace.set_frame(frame_ms * TICKS_PER_MS);
    pace
}

#[test]
fn the_first_step_is_the_pace_and_another_one_when_it_comes_twice() {
    let mut clock = TrackClock::new(7_000, 7_000, 7_000, 5_000 * TICKS_PER_MS);
    let mut frame_ms = |stamp_ms: i64| {
        let time_90khz = clock.time_of(stamp_ms);
        clock.learn(stamp_ms, time_90khz, None, None);
        clock.advance(stamp_ms as u32, stamp_ms, time_90khz, time_90khz);
        clock.pace.frame_90khz() / TICKS_PER_MS
    };
    assert_eq!([7_100, 7_200, 7_300].map(&mut frame_ms), [100; 3]);
    // One step, the same backward, and one as long as that once more.
    assert_eq!([7_500, 7_300, 7_500].map(&mut frame_ms), [100; 3]);
    assert_eq!([7_700, 7_900].map(&mut frame_ms), [200; 2]);
}

#[test]
fn a_pace_follows_errors_of_a_quarter_frame_smoothly() {
    // And of what stamps are rounded by; of 20 ms at most.
    for (frame_ms, most_ms) in [(4, 5), (20, 9), (40, 14), (64, 20), (1_000, 20)] {
        for sign in [1, -1] {
            let mut smooth = pace(frame_ms);
            let expected = smooth.expected_90khz();
            let mut sudden = smooth;
            smooth.learn(expected + sign * most_ms * TICKS_PER_MS);
            sudden.learn(expected + sign * (most_ms * TICKS_PER_MS + 1));
            assert_eq!(smooth.ideal_90khz, expected + sign * most_ms * TICKS_PER_MS / 8, "{frame_ms}");
            assert_eq!(sudden.ideal_90khz, expected + sign * (most_ms * TICKS_PER_MS + 1), "{frame_ms}");
        }
    }
}

#[test]
fn the_longest_pace_is_a_minute() {
    assert_eq!([60_000, 60_001, i64::MAX / 90].map(|ms| pace(ms).frame_256), [Pace::MAX_FRAME_256; 3]);
    assert_eq!(pace(59_999).frame_90khz(), 59_999 * TICKS_PER_MS);
}

#[test]
fn a_pace_is_steady_while_only_the_rounding_moves_its_stamps() {
    // Stamps lie so many milliseconds from an even pace, to either side.
    let after = |uneven_ms: i64| {
        let mut pace = pace(40);
        for n in 1..=100 {
            pace.learn((5_000 + 40 * n + if n % 2 == 0 { uneven_ms } else { -uneven_ms }) * TICKS_PER_MS);
        }
        pace
    };
    for uneven_ms in [0, 1, 2, 3, 6, 10] {
        let pace = after(uneven_ms);
        assert!(
            (i64::from(pace.jitter_90khz) - uneven_ms * TICKS_PER_MS).abs() <= 10 + uneven_ms * 10,
            "{pace:?}"
        );
        assert_eq!(pace.is_steady(), uneven_ms < 4, "{pace:?}");
    }
    // It has to be seen for a while, and one step of its own does not end it.
    let mut pace = pace(40);
    for n in 1..=20 {
        assert_eq!(pace.is_steady(), n > 8, "{n}");
        pace.learn((5_000 + 40 * n) * TICKS_PER_MS);
    }
    pace.learn(9_000 * TICKS_PER_MS);
    assert!(pace.is_steady());
}

/// What is known of a track that has run before the other by so many milliseconds each.
fn lead(leads_ms: impl IntoIterator<Item = i64>) -> Lead {
    let mut lead = Lead::default();
    for lead_ms in leads_ms {
        lead.learn(lead_ms * TICKS_PER_MS);
    }
    lead
}

#[test]
fn a_lead_is_the_mean_of_those_seen_and_its_spread_how_far_they_lie_from_it() {
    let mean_and_spread_ms =
        |lead: Lead| (lead.mean_90khz / TICKS_PER_MS, i64::from(lead.spread_90khz) / TICKS_PER_MS);
    for lead_ms in [300, 0, -300] {
        for count in [1, 2, 40] {
            assert_eq!(mean_and_spread_ms(lead([lead_ms; 40][..count].iter().copied())), (lead_ms, 0));
        }
    }
    assert_eq!(mean_and_spread_ms(lead([100, 200, 300, 400])).0, 250, "a few are averaged");
    let (mean_ms, spread_ms) = mean_and_spread_ms(lead((0..200).map(|n| 1_000 + n % 2 * 100)));
    assert!(mean_ms.abs_diff(1_050) < 10 && spread_ms.abs_diff(50) < 10, "{mean_ms} {spread_ms}");
    // One in four comes late.
    let (mean_ms, spread_ms) = mean_and_spread_ms(lead((0..200).map(|n| if n % 4 == 0 { 2_000 } else { 0 })));
    assert!(mean_ms.abs_diff(500) < 150 && spread_ms.abs_diff(750) < 150, "{mean_ms} {spread_ms}");
}

#[test]
fn one_lead_unlike_the_others_changes_little() {
    let even = || (0..40).map(|n| 1_000 + n % 2 * 10);
    for far_ms in [20_000, -20_000] {
        let lead = lead(even().chain([far_ms]));
        assert!(lead.distance(1_005 * TICKS_PER_MS) < 10 * TICKS_PER_MS, "{lead:?}");
        assert!(lead.spread_90khz < 20 * 90, "{lead:?}");
        let lead = self::lead([0, 0, 0, 0, far_ms]);
        assert!(lead.distance(0) < 10 * TICKS_PER_MS, "{lead:?}");
    }
}

#[test]
fn a_lead_beyond_the_usual_ones_is_told_once_four_are_known() {
    assert!(!lead([300; 3]).is_beyond(90_000));
    let known = lead([300; 4]);
    assert!(known.is_beyond(1) && !known.is_beyond(0));
}

#[test]
fn stamps_are_counted_on_for_thirty_years_at_most() {
    let mut clock = TrackClock::new(0, 0, 0, 0);
    for n in 1..2_000_u32 {
        let timestamp_ms = n.wrapping_mul((1 << 30) + 1);
        let stamp_ms = clock.stamp_of(timestamp_ms);
        // Media goes on by 40 ms each time.
        clock.shift((39 - (1 << 30)) * TICKS_PER_MS);
        let time_90khz = clock.time_of(stamp_ms);
        clock.advance(timestamp_ms, stamp_ms, time_90khz, time_90khz);
        assert_eq!(clock.time_of(clock.stamp_ms), i64::from(n) * 40 * TICKS_PER_MS);
        assert_eq!(clock.time_of(clock.stamp_of(timestamp_ms)), i64::from(n) * 40 * TICKS_PER_MS);
        assert!(clock.stamp_ms.abs() <= 1 << 40);
    }
    assert_eq!(clock.away_90khz(), 0);
}

#[test]
fn units_follow_at_half_their_distance_until_the_track_is_back_in_step() {
    let mut clock = TrackClock::new(0, 0, 0, 100 * TICKS_PER_MS);
    clock.pace.set_frame(40 * TICKS_PER_MS);
    let decoded_ms = |clock: &TrackClock, ms: i64| clock.decoding_time(ms * TICKS_PER_MS) / TICKS_PER_MS;
    // In step: nothing is moved, however near.
    assert_eq!([101, 110, 120, 200].map(|ms| decoded_ms(&clock, ms)), [101, 110, 120, 200]);
    assert_eq!([100, 60, -5_000].map(|ms| decoded_ms(&clock, ms)), [120; 3]);
    // The last one came late.
    clock.time_90khz -= 30 * TICKS_PER_MS;
    assert_eq!([90, 110, 119, 121, 150].map(|ms| decoded_ms(&clock, ms)), [120, 120, 120, 121, 150]);
    // By 40 ms at most, and by a tick at least.
    clock.pace.set_frame(1_000 * TICKS_PER_MS);
    assert_eq!(decoded_ms(&clock, 0), 140);
    clock.pace.set_frame(1);
    assert_eq!(clock.decoding_time(0), 100 * TICKS_PER_MS + 1);
}

#[test]
fn a_pace_is_no_shorter_than_a_tick_and_no_longer_than_a_minute() {
    for (frame_90khz, error_90khz) in [(1, -300), (MAX_FRAME_90KHZ, 1_800)] {
        let mut pace = Pace::default();
        pace.set_frame(frame_90khz);
        for _ in 0..10 {
            pace.learn(pace.expected_90khz() + error_90khz);
            assert_eq!(pace.frame_90khz(), frame_90khz);
        }
    }
}
