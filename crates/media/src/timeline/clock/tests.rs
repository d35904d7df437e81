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
