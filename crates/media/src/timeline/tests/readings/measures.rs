//! What readings are made of: questions to an access unit and what is known when it comes.

use super::*;

#[test]
fn a_track_comes_home_where_its_stamps_fit_the_shared_offset_again() {
    let comes_home = |away_ms: i64, frame_ms: i64, late_ms: i64| {
        let mut picture = alone().own(away(away_ms));
        picture.own.pace.set_frame(frame_ms * TICKS_PER_MS);
        picture.unit(1_000 + frame_ms + late_ms, |unit| unit.comes_home())
    };
    for (away_ms, frame_ms, late_ms, expected) in [
        // As far as a frame, or 45 ms.
        (5_000, 40, 5_000, true),
        (5_000, 40, 5_045, true),
        (5_000, 40, 5_046, false),
        (5_000, 40, 4_955, true),
        (5_000, 40, 4_954, false),
        (5_000, 100, 4_900, true),
        (5_000, 100, 4_899, false),
        (-5_000, 40, -5_000, true),
        // It is nearer there than as it is.
        (60, 40, 20, false),
        (60, 40, 31, true),
        (0, 40, 20, false),
        // Not long before the one before.
        (5_000, 20, 4_961, true),
        (5_000, 20, 4_959, false),
    ] {
        assert_eq!(comes_home(away_ms, frame_ms, late_ms), expected, "{late_ms} later, {away_ms} away");
    }
}

#[test]
fn a_track_follows_the_other_one_by_what_that_is_further_away() {
    let follows = |own_ms: i64, other_ms: i64, late_ms: i64| {
        beside().own(away(own_ms)).other(away(other_ms)).unit(1_040 + late_ms, |unit| unit.follows_other())
    };
    for (own_ms, other_ms, late_ms, expected) in [
        (0, -5_000, 5_000, true),
        (0, 5_000, -5_000, true),
        (0, 5_000, 5_000, false),
        (2_000, 5_000, -3_000, true),
        (2_000, 5_000, -7_000, false),
        // The other one has made no step, or none beside this one's.
        (5_000, 0, 5_000, false),
        (0, 0, 5_000, false),
        (5_000, 5_000, 5_000, false),
    ] {
        assert_eq!(follows(own_ms, other_ms, late_ms), expected, "{own_ms} and {other_ms}, {late_ms} later");
    }
}

#[test]
fn tracks_that_are_steady_make_the_same_step_and_others_about_as_long_a_one() {
    let follows = |jitter_ms: u32, late_ms: i64| {
        let uneven = |clock: &mut TrackClock| clock.pace.jitter_90khz = jitter_ms * TICKS_PER_MS as u32;
        beside().own(uneven).other(away(60)).unit(1_040 + late_ms, |unit| unit.follows_other())
    };
    for (jitter_ms, late_ms, expected) in [
        (0, -60, true),
        (0, -64, true),
        (0, -65, false),
        // A picture whose stamp comes twice makes no such step.
        (0, -40, false),
        // Half of the step at most.
        (10, -40, true),
        (10, -31, true),
        (10, -90, true),
        (10, -91, false),
    ] {
        assert_eq!(follows(jitter_ms, late_ms), expected, "{late_ms} later, {jitter_ms} uneven");
    }
}

#[test]
fn another_time_fits_better_where_it_halves_how_unusual_the_stamp_is() {
    // Sound is at 1 020 ms, and pictures usually come with it.
    let fits_better =
        |picture: Picture, time_ms: i64| picture.unit(1_220, |unit| unit.fits_better(time_ms * TICKS_PER_MS));
    for (time_ms, expected) in [(1_020, true), (1_119, true), (1_170, false), (921, true), (860, false)] {
        assert_eq!(fits_better(beside(), time_ms), expected, "{time_ms}");
    }
    let later = beside().own(|own| own.alone = 1);
    assert!(!fits_better(later, 1_020), "more pictures than one may run ahead");
    let unusual = beside().own(|own| own.lead.spread_90khz = 60 * 90);
    assert!(!fits_better(unusual, 1_020), "the interleaving explains it");
}

#[test]
fn a_step_sets_right_what_stamps_have_gained_or_lost() {
    let is_set_right = |gained_ms: i64, step_ms: i64| {
        let picture = alone().own(|own| own.gained_90khz = gained_ms * TICKS_PER_MS);
        picture.unit(1_040, |unit| unit.is_set_right(step_ms * TICKS_PER_MS))
    };
    for sign in [1, -1] {
        for (lost_ms, step_ms, expected) in [
            (200, 200, true),
            (200, 150, true),
            (100, 200, true),
            (40, 200, false),
            (400, 200, false),
            (0, 200, false),
            (-200, 200, false),
            (46, 46, true),
            (45, 45, false),
        ] {
            assert_eq!(is_set_right(-sign * lost_ms, sign * step_ms), expected, "{step_ms} for {lost_ms}");
        }
    }
}

#[test]
fn measures_of_uneven_tracks_may_lie_further_apart() {
    for (own_ms, other_ms, tolerance_ms) in [(0, 0, 12), (5, 3, 20), (0, 15, 34), (30, 0, 44), (90, 90, 44)] {
        let uneven = |ms: u32| move |clock: &mut TrackClock| clock.pace.jitter_90khz = ms * 90;
        let is_near = |ms: i64| {
            let picture = beside().own(uneven(own_ms)).other(uneven(other_ms));
            picture.unit(1_040, |unit| unit.is_near(ms * TICKS_PER_MS, 200 * TICKS_PER_MS))
        };
        assert!(is_near(200 + tolerance_ms) && is_near(200 - tolerance_ms), "{tolerance_ms}");
        assert!(!is_near(201 + tolerance_ms) && !is_near(199 - tolerance_ms), "{tolerance_ms}");
    }
}

#[test]
fn a_wrong_stamp_goes_before_the_next_one_where_that_leaves_room() {
    let between = |after_ticks: i64| {
        alone().unit(1_040, |unit| unit.between(unit.own.dts_90khz + after_ticks) - unit.own.dts_90khz)
    };
    assert_eq!([200 * TICKS_PER_MS, 80 * TICKS_PER_MS].map(between), [40 * TICKS_PER_MS; 2]);
    assert_eq!([60 * TICKS_PER_MS, 2].map(between), [30 * TICKS_PER_MS, 1]);
    assert_eq!([1, 0, -9_000].map(between), [40 * TICKS_PER_MS; 3], "no room");
}

#[test]
fn stamps_are_noise_where_those_that_follow_lie_half_as_far_apart() {
    for (apart_ms, step_ms, expected) in
        [(60, 100, true), (50, 100, true), (49, 100, false), (200, 160, true), (200, 161, false)]
    {
        let coming = [1_080, 1_120 + apart_ms, 1_160, 1_200];
        let picture = alone().ahead(&coming.map(|ms| (Video, ms)));
        let upcoming = |&(track, timestamp_ms)| Upcoming { track, timestamp_ms, composition_ms: 0 };
        let is_noise = picture
            .unit(1_040, |unit| unit.is_noise(step_ms * TICKS_PER_MS, &picture.ahead.iter().map(upcoming)));
        assert_eq!(is_noise, expected, "{apart_ms} apart, {step_ms} back");
    }
}
