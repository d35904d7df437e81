//! How single stamps are read, by the policy's table: what is known of the track and of the other one on the left, the
//! reading on the right. Times are in milliseconds.

use super::*;
use crate::timeline::unit::Unit;

mod measures;

/// A picture that comes after one of 1 000 ms, each of which lasts 40 ms, and what is known then.
struct Picture {
    own: TrackClock,
    other: Option<TrackClock>,
    ahead: Vec<(TrackKind, u32)>,
}

/// A track that is at 1 000 ms.
fn clock(frame_ms: i64) -> TrackClock {
    let mut clock = TrackClock::new(1_000, 1_000, 1_000, 1_000 * TICKS_PER_MS);
    clock.pace.set_frame(frame_ms * TICKS_PER_MS);
    clock.pace.last_step_90khz = frame_ms * TICKS_PER_MS;
    clock.pace.steps = 20;
    clock.lead = Lead { mean_90khz: 0, spread_90khz: 0, units: 20 };
    clock
}

/// Pictures alone.
fn alone() -> Picture {
    Picture { own: clock(40), other: None, ahead: Vec::new() }
}

/// Pictures and sound, each as steady as can be; a frame of sound has just come.
fn beside() -> Picture {
    let mut other = clock(20);
    other.shift(20 * TICKS_PER_MS);
    other.time_90khz += 20 * TICKS_PER_MS;
    Picture { own: clock(40), other: Some(other), ahead: Vec::new() }
}

impl Picture {
    fn ahead(mut self, ahead: &[(TrackKind, u32)]) -> Self {
        self.ahead = ahead.to_vec();
        self
    }

    fn own(mut self, change: impl Fn(&mut TrackClock)) -> Self {
        change(&mut self.own);
        self
    }

    fn other(mut self, change: impl Fn(&mut TrackClock)) -> Self {
        change(self.other.as_mut().unwrap());
        self
    }

    fn unit<T>(&self, stamp_ms: i64, ask: impl Fn(&Unit<'_>) -> T) -> T {
        let (policy, own, other) = (&TimelinePolicy::default(), &self.own, self.other.as_ref());
        ask(&Unit { policy, track: Video, own, other, last_shift_90khz: 0, stamp_ms, frame_90khz: None })
    }

    /// How a picture stamped so is read.
    fn read(&self, stamp_ms: i64) -> Reading {
        let upcoming = |&(track, timestamp_ms)| Upcoming { track, timestamp_ms, composition_ms: 0 };
        self.unit(stamp_ms, |unit| unit.read(&self.ahead.iter().map(upcoming)))
    }
}

/// The time that it says, and so many milliseconds of that are open.
fn stamped(unproven_ms: i64) -> Reading {
    Reading::Stamped { unproven_90khz: unproven_ms * TICKS_PER_MS }
}

fn outlier(time_ms: i64) -> Reading {
    Reading::Outlier { time_90khz: time_ms * TICKS_PER_MS }
}

fn repeated(time_ms: i64) -> Reading {
    Reading::Repeated { time_90khz: time_ms * TICKS_PER_MS }
}

/// A step of the track was believed, and nothing has confirmed it.
fn unproven(ms: i64) -> impl Fn(&mut TrackClock) {
    move |clock| clock.unproven_90khz = ms * TICKS_PER_MS
}

fn uneven(clock: &mut TrackClock) {
    clock.pace.jitter_90khz = 5 * 90;
}

/// The track has left the shared offset by so much.
fn away(ms: i64) -> impl Fn(&mut TrackClock) {
    move |clock| clock.home_90khz -= ms * TICKS_PER_MS
}

#[test]
fn a_step_that_takes_back_one_that_was_believed_is_the_pushs_own_timing() {
    // Ahead of an earlier step back, where nothing but that explains it.
    let sound = [(Audio, 1_020), (Audio, 1_040), (Audio, 1_060)];
    assert_eq!(beside().own(unproven(-20_000)).ahead(&sound).read(21_040), stamped(0));
    for unproven_ms in [-10_000, 0, 20_000] {
        assert_eq!(beside().own(unproven(unproven_ms)).ahead(&sound).read(21_040), Reading::Stepped);
    }
    // And back behind an earlier step ahead.
    assert_eq!(alone().own(unproven(5_000)).read(-3_960), stamped(0));
    for unproven_ms in [-5_000, 0, 2_500] {
        assert_eq!(alone().own(unproven(unproven_ms)).read(-3_960), Reading::Stepped);
    }
}

#[test]
fn a_stamp_ahead_is_wrong_where_the_next_one_goes_on_without_it() {
    for (stamp_ms, next_ms) in [(1_120, 1_100), (1_500, 1_180), (9_000, 1_080)] {
        let expected = 1_040.min(1_000 + (i64::from(next_ms) - 1_000) / 2);
        assert_eq!(alone().ahead(&[(Video, next_ms)]).read(stamp_ms), outlier(expected));
    }
    assert_eq!(alone().ahead(&[(Video, 1_540)]).read(1_500), stamped(460));
    assert_eq!(alone().ahead(&[(Video, 1_490)]).read(1_500), stamped(460));
}

#[test]
fn a_stamp_back_is_wrong_where_the_next_one_goes_on_without_it() {
    // After the one before, in which case it may stay; then before it.
    assert_eq!(alone().ahead(&[(Video, 1_080)]).read(1_020), stamped(0));
    assert_eq!(alone().ahead(&[(Video, 1_060)]).read(1_020), stamped(-20));
    for next_ms in [1_040, 1_080] {
        let expected = 1_000 + (i64::from(next_ms) - 1_000) / 2;
        assert_eq!(alone().ahead(&[(Video, next_ms)]).read(900), outlier(expected));
    }
    assert_eq!(alone().ahead(&[(Video, 1_180)]).read(900), outlier(1_040), "though that is late");
    // A frame too many, unless the other track steps back too.
    assert_eq!(alone().ahead(&[(Video, 1_039)]).read(999), outlier(1_019).at_tick(45));
    let alike = [(Audio, 980), (Video, 1_039), (Audio, 1_000)];
    assert_eq!(beside().ahead(&alike).read(999), Reading::Stepped);
    assert_eq!(alone().ahead(&[(Video, 940)]).read(900), Reading::Stepped);
}

impl Reading {
    /// The same wrong stamp, so many ticks later.
    fn at_tick(self, ticks: i64) -> Self {
        match self {
            Self::Outlier { time_90khz } => Self::Outlier { time_90khz: time_90khz + ticks },
            other => other,
        }
    }
}

#[test]
fn a_track_that_was_silent_keeps_its_time_and_doubts_it_with_the_other_one() {
    // Sound has gone on by five seconds.
    let went_on = || beside().other(|other| other.time_90khz += 5_000 * TICKS_PER_MS);
    assert_eq!(went_on().read(6_020), stamped(0));
    assert_eq!(went_on().other(unproven(5_000)).read(6_020), stamped(4_980));
    assert_eq!(went_on().other(unproven(-5_000)).read(6_020), stamped(0));
}

#[test]
fn a_short_step_ahead_is_believed_while_nothing_is_known_of_the_other_track() {
    let own = [(Video, 1_280), (Video, 1_320)];
    let both = [(Audio, 1_020), (Video, 1_280), (Audio, 1_040)];
    for (ahead, read) in [(&own[..], stamped(200)), (&[], stamped(200)), (&both, Reading::Stepped)] {
        assert_eq!(beside().ahead(ahead).read(1_240), read, "{ahead:?}");
        assert_eq!(beside().ahead(ahead).read(1_291), Reading::Stepped, "{ahead:?}");
    }
}

#[test]
fn a_stamp_at_the_time_of_the_one_before_is_not_after_it() {
    let late = || alone().own(|own| own.dts_90khz += 20 * TICKS_PER_MS);
    assert_eq!(late().read(1_021), stamped(-19));
    assert_eq!(late().read(1_020), Reading::Stepped);
}

#[test]
fn a_stamp_back_that_fits_the_interleaving_better_is_the_pushs_own_timing() {
    // Pictures usually come so long before the sound that is expected, or fit at both times alike.
    let usual =
        |lead_ms: i64| beside().own(move |own| own.lead.mean_90khz = lead_ms * TICKS_PER_MS).read(700);
    assert_eq!(usual(-320), stamped(0));
    assert_eq!(usual(-200), stamped(0));
    assert_eq!(usual(20), Reading::Stepped);
}

#[test]
fn a_small_step_back_is_one_of_the_clock_where_both_tracks_are_steady_and_make_it() {
    let alike = [(Audio, 1_000), (Video, 1_060), (Audio, 1_020), (Audio, 1_040)];
    assert_eq!(beside().ahead(&alike).read(1_020), Reading::Stepped);
    assert_eq!(beside().other(uneven).ahead(&alike).read(1_020), stamped(-20));
    assert_eq!(beside().own(uneven).ahead(&alike).read(1_020), stamped(-20));
    let goes_on = [(Audio, 1_020), (Video, 1_060), (Audio, 1_040), (Audio, 1_060)];
    assert_eq!(beside().ahead(&goes_on).read(1_020), stamped(-20));
}

#[test]
fn a_step_back_onto_the_stamp_before_is_one_of_the_clock_where_both_tracks_make_it() {
    let alike = [(Audio, 980), (Video, 1_040), (Audio, 1_000), (Audio, 1_020)];
    assert_eq!(beside().ahead(&alike).read(1_000), Reading::Stepped);
    let goes_on = [(Audio, 1_020), (Video, 1_040), (Audio, 1_040), (Audio, 1_060)];
    assert_eq!(beside().ahead(&goes_on).read(1_000), repeated(1_020));
    assert_eq!(beside().own(uneven).ahead(&alike).read(1_000), repeated(1_020));
    assert_eq!(beside().other(uneven).ahead(&alike).read(1_000), repeated(1_020));
    assert_eq!(alone().ahead(&[(Video, 1_040)]).read(1_000), repeated(1_020));
}

#[test]
fn a_repeated_stamp_goes_between_its_neighbours_where_there_is_room() {
    let read = |dts_ticks: i64, next_ms: u32| {
        let picture = alone().own(|own| own.dts_90khz += dts_ticks).ahead(&[(Video, next_ms)]);
        match picture.read(1_000) {
            Reading::Repeated { time_90khz } => time_90khz - picture.own.dts_90khz,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(read(0, 1_040), 20 * TICKS_PER_MS);
    assert_eq!(read(0, 2_000), 40 * TICKS_PER_MS, "a frame at most");
    // The next one is back, or where the one before was moved to, or just after that.
    assert_eq!(read(0, 900), 20 * TICKS_PER_MS);
    assert_eq!(read(10 * TICKS_PER_MS, 1_010), 15 * TICKS_PER_MS);
    assert_eq!(read(10 * TICKS_PER_MS - 1, 1_010), 1);
}

#[test]
fn a_track_that_is_away_as_far_as_the_other_one_shares_its_clock() {
    let read = |own_ms, other_ms| beside().own(away(own_ms)).other(away(other_ms)).read(1_040);
    assert_eq!([read(5_000, 5_000), read(-20_000, -20_000)], [Reading::Follow; 2]);
    assert_eq!(read(-5_000, -5_000), Reading::Pause, "both have paused");
    assert_eq!([read(5_000, 2_000), read(5_000, 0), read(0, 5_000), read(0, 0)], [stamped(0); 4]);
}

#[test]
fn a_step_ahead_is_a_pause_where_the_sound_after_it_fits_it() {
    // Sound comes 400 ms earlier than the picture, or 1 600 ms earlier than others that come before it.
    let at_once = [(Audio, 1_640), (Video, 2_080), (Audio, 1_660)];
    assert_eq!(beside().ahead(&at_once).read(2_040), stamped(0));
    let pictures = (1..=30).map(|n| (Video, 2_040 + n * 40));
    let later: Vec<_> = pictures.chain([(Audio, 1_640), (Audio, 1_660)]).collect();
    assert_eq!(beside().ahead(&later).read(2_040), Reading::Stepped);
}

#[test]
fn a_track_makes_the_step_that_the_other_one_has_made() {
    // Ahead: a pause of both up to ten seconds, and beyond a step of their clock; and back.
    for (step_ms, expected) in [
        (5_000, Reading::Pause),
        (10_000, Reading::Pause),
        (12_000, Reading::Follow),
        (-500, Reading::Follow),
    ] {
        let picture = || beside().other(away(-step_ms));
        let stamp_ms = 1_040 + step_ms;
        assert_eq!(picture().ahead(&[(Video, stamp_ms as u32 + 40)]).read(stamp_ms), expected);
        assert_eq!(picture().read(stamp_ms), Reading::SteppedAlike, "the next one will tell");
    }
}
