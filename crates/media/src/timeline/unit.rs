//! An access unit, and what its neighbours and the other track say of its stamp.

use super::{
    SMALL_STEP_90KHZ, TimelinePolicy,
    ahead::{Ahead, makes_step, next_other, stamps},
    clock::{ROUNDING_90KHZ, TrackClock},
};
use crate::{TICKS_PER_MS, TrackKind};

/// How far two measures of one step may lie apart at most. Unit: 1/90 000 s.
const MAX_TOLERANCE_90KHZ: i64 = 250 * TICKS_PER_MS;

/// Access units that tell how uneven a track is, at least and at most, and the longest step that may be so. Unit of the
/// latter: 1/90 000 s.
const MIN_NOISE_UNITS: i64 = 2;
const NOISE_UNITS: usize = 8;
const MAX_NOISE_90KHZ: i64 = 160 * TICKS_PER_MS;

/// An access unit and what is known when it comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit<'a> {
    pub(super) policy: &'a TimelinePolicy,
    pub(super) track: TrackKind,
    pub(super) own: &'a TrackClock,
    pub(super) other: Option<&'a TrackClock>,
    /// By how much both tracks were last moved.
    pub(super) last_shift_90khz: i64,
    pub(super) stamp_ms: i64,
    /// How long a frame lasts, if the format says so.
    pub(super) frame_90khz: Option<i64>,
}

impl Unit<'_> {
    /// The time that the stamp says.
    pub(super) fn at(&self) -> i64 {
        self.own.time_of(self.stamp_ms)
    }

    /// The time that the pace says.
    pub(super) fn expected(&self) -> i64 {
        self.own.pace.expected_90khz()
    }

    pub(super) fn frame(&self) -> i64 {
        self.own.pace.frame_90khz()
    }

    /// The time by the mapping that keeps the distance between the tracks.
    pub(super) fn at_home(&self) -> i64 {
        self.at() - self.own.away_90khz()
    }

    /// The other track, while it is heard.
    pub(super) fn live_other(&self) -> Option<&TrackClock> {
        self.other.filter(|other| self.own.hears(other, self.policy))
    }

    /// Another time than the stamp's would fit how the tracks are interleaved, and the stamp's does not.
    ///
    /// Told only by the first access unit after one of the other track: later ones run ahead if that one ends.
    pub(super) fn fits_better(&self, time_90khz: i64) -> bool {
        self.live_other().filter(|_| self.own.alone == 0).is_some_and(|other| {
            let lead = |time: i64| self.own.lead.distance(time - other.time_90khz);
            self.own.lead.is_beyond((time_90khz - self.at()).abs())
                && lead(time_90khz) < lead(self.at()) / 2
                && self.is_within_gap(time_90khz)
        })
    }

    /// A time is no further ahead of the other track than a pause of both would part them.
    pub(super) fn is_within_gap(&self, time_90khz: i64) -> bool {
        self.other.is_some_and(|other| time_90khz <= other.time_90khz + self.policy.max_gap_90khz())
    }

    /// Stamps that ran too fast, or too slow, are set right by such a step.
    pub(super) fn is_set_right(&self, step_90khz: i64) -> bool {
        let left = (self.own.gained_90khz + step_90khz).abs();
        step_90khz.abs() > SMALL_STEP_90KHZ && left < step_90khz.abs() * 3 / 4
    }

    /// What was believed of the other track's stamps does not fit how the tracks are interleaved.
    pub(super) fn refutes_other(&self) -> bool {
        let unproven = self.other.map_or(0, |other| other.unproven_90khz);
        unproven != 0 && self.fits_better(self.at() + unproven)
    }

    pub(super) fn comes_home(&self) -> bool {
        let distance = (self.at_home() - self.expected()).abs();
        self.own.away_90khz() != 0
            && distance <= self.frame().max(SMALL_STEP_90KHZ)
            && distance < (self.at() - self.expected()).abs()
            && self.at_home() > self.own.dts_90khz - self.frame()
    }

    /// A step of both tracks ahead that is a pause of the push, and not its clock coming back from an earlier step.
    pub(super) fn is_pause(&self, step_90khz: i64) -> bool {
        let comes_back = (step_90khz - self.last_shift_90khz).abs() <= ROUNDING_90KHZ;
        (0..=self.policy.max_gap_90khz()).contains(&step_90khz) && !comes_back
    }

    /// Two measures of one step.
    pub(super) fn is_near(&self, one: i64, other: i64) -> bool {
        let jitter = [Some(self.own), self.other].into_iter().flatten();
        let jitter: i64 = jitter.map(|clock| i64::from(clock.pace.jitter_90khz)).sum();
        let rounding = ROUNDING_90KHZ + 2 * jitter.min(20 * TICKS_PER_MS);
        // Of a long step the track's pace tells less than of a short one; a step is never near none.
        let tolerance = rounding.max((other.abs() / 16).min(MAX_TOLERANCE_90KHZ)).min(other.abs() / 2);
        (one - other).abs() <= tolerance
    }

    /// The other track has made the step that brings this stamp where it is expected.
    pub(super) fn follows_other(&self) -> bool {
        let Some(other) = self.other else { return false };
        let step = other.away_90khz() - self.own.away_90khz();
        other.away_90khz() != 0 && step != 0 && self.is_as_long(self.expected() - self.at(), step)
    }

    /// There is another track, and stamps of both lie where they are expected.
    pub(super) fn both_are_steady(&self) -> bool {
        self.own.pace.is_steady() && self.other.is_some_and(|other| other.pace.is_steady())
    }

    /// Two measures of one step. Where either track is uneven, they may differ by where its frames happen to lie.
    fn is_as_long(&self, one: i64, other: i64) -> bool {
        if self.both_are_steady() {
            return self.is_near(one, other);
        }
        let frames = self.frame() + self.other.map_or(0, |other| other.pace.frame_90khz());
        let frames = frames.min(MAX_TOLERANCE_90KHZ).min(other.abs() / 2);
        (one - other).abs() <= frames || self.is_near(one, other)
    }

    /// The other track is about to make a step that `is_it`, beside its own pace; whether it goes on from there.
    pub(super) fn other_makes(&self, ahead: &impl Ahead, is_it: impl Fn(i64) -> bool) -> Option<bool> {
        let (other, track) = (self.other?, self.track.other());
        let coming = stamps(ahead, track, other.timestamp_ms, other.stamp_ms);
        makes_step(coming, other.stamp_ms, other.pace.frame_90khz(), is_it)
    }

    pub(super) fn other_steps(&self, step_90khz: i64, ahead: &impl Ahead) -> bool {
        self.other_makes(ahead, |step| self.is_near(step, step_90khz)).is_some()
    }

    /// The other track is about to pause too: for as long, but for where frames of either happen to lie. Whether it
    /// goes on from there.
    pub(super) fn other_pauses(&self, step_90khz: i64, ahead: &impl Ahead) -> Option<bool> {
        let frames = self.frame() + self.other.map_or(0, |other| other.pace.frame_90khz());
        let frames = frames.min(MAX_TOLERANCE_90KHZ);
        self.other_makes(ahead, |step| {
            step > SMALL_STEP_90KHZ && (step - step_90khz).abs() <= frames || self.is_near(step, step_90khz)
        })
    }

    /// The other track's next stamp fits how the tracks are interleaved better if this track has really stepped by
    /// `step_90khz`, than if it goes on as before.
    pub(super) fn other_comes_after(&self, step_90khz: i64, ahead: &impl Ahead) -> bool {
        let Some(other) = self.other else { return false };
        let Some(next) = stamps(ahead, self.track.other(), other.timestamp_ms, other.stamp_ms).next() else {
            return false;
        };
        let own_before = ahead.clone().take_while(|upcoming| upcoming.track == self.track).count();
        let own = stamps(ahead, self.track, self.timestamp_ms(), self.stamp_ms).take(own_before).last();
        let lead = other.time_of(next) - self.own.time_of(own.unwrap_or(self.stamp_ms));
        other.lead.distance(lead) <= other.lead.distance(lead + step_90khz)
    }

    /// The time of the track's next stamp that is another one, and how many come before it.
    pub(super) fn next(&self, timestamp_ms: u32, ahead: &impl Ahead) -> Option<(i64, u32)> {
        let coming = stamps(ahead, self.track, timestamp_ms, self.stamp_ms);
        next_other(coming, self.stamp_ms).map(|(stamp, equal)| (self.own.time_of(stamp), equal))
    }

    pub(super) fn timestamp_ms(&self) -> u32 {
        self.own.timestamp_ms.wrapping_add((self.stamp_ms - self.own.stamp_ms) as u32)
    }

    /// The track's stamps are as uneven as a step: those that follow lie as far from an even pace, to either side.
    pub(super) fn is_noise(&self, step_90khz: i64, ahead: &impl Ahead) -> bool {
        let coming = stamps(ahead, self.track, self.timestamp_ms(), self.stamp_ms).take(NOISE_UNITS);
        let (mut count, mut earliest, mut latest) = (0, i64::MAX, i64::MIN);
        for stamp in coming {
            let even = self.own.time_of(stamp) - count * self.frame();
            (earliest, latest) = (earliest.min(even), latest.max(even));
            count += 1;
        }
        step_90khz <= MAX_NOISE_90KHZ && count >= MIN_NOISE_UNITS && 2 * (latest - earliest) >= step_90khz
    }

    /// Between the access unit before and the next one, where the pace says if that fits.
    pub(super) fn between(&self, next: i64) -> i64 {
        if next > self.own.dts_90khz + 1 {
            self.expected().min(self.own.dts_90khz + (next - self.own.dts_90khz) / 2)
        } else {
            self.expected()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::Upcoming;

    /// A track whose access units come each so many milliseconds, and of which one has come.
    fn clock(frame_ms: i64) -> TrackClock {
        let mut clock = TrackClock::new(0, 0, 0, 0);
        clock.pace.set_frame(frame_ms * TICKS_PER_MS);
        clock
    }

    /// A picture at 40 ms.
    fn unit<'a>(own: &'a TrackClock, other: &'a TrackClock) -> Unit<'a> {
        const POLICY: &TimelinePolicy =
            &TimelinePolicy { max_gap_ms: 10_000, max_pause_ms: 180_000, max_start_skew_ms: 1_000 };
        Unit {
            policy: POLICY,
            track: TrackKind::Video,
            own,
            other: Some(other),
            last_shift_90khz: 0,
            stamp_ms: 40,
            frame_90khz: None,
        }
    }

    #[test]
    fn measures_of_long_steps_may_lie_further_apart() {
        let (own, other) = (clock(40), clock(23));
        let is_near =
            |one: i64, other_ms: i64| unit(&own, &other).is_near(one * TICKS_PER_MS, other_ms * TICKS_PER_MS);
        for (step_ms, tolerance_ms) in [(6, 3), (50, 4), (100, 6), (1_000, 62), (4_000, 250), (60_000, 250)] {
            for sign in [1, -1] {
                let step_ms = sign * step_ms;
                assert!(is_near(step_ms + tolerance_ms, step_ms) && is_near(step_ms - tolerance_ms, step_ms));
                let beyond_ms = tolerance_ms + 1;
                assert!(!is_near(step_ms + beyond_ms, step_ms) && !is_near(step_ms - beyond_ms, step_ms));
                assert!(!is_near(0, step_ms), "a step is never near none");
            }
        }
    }

    #[test]
    fn pauses_of_both_tracks_differ_by_a_frame_of_each_at_most() {
        let (own, other) = (clock(40), clock(23));
        let pauses = |pause_ms: u32, step_ms: i64| {
            let sound = [23, 46 + pause_ms, 69 + pause_ms];
            let upcoming =
                |timestamp_ms| Upcoming { track: TrackKind::Audio, timestamp_ms, composition_ms: 0 };
            unit(&own, &other).other_pauses(step_ms * TICKS_PER_MS, &sound.into_iter().map(upcoming))
        };
        for pause_ms in [437, 500, 563] {
            assert_eq!(pauses(pause_ms, 500), Some(true), "{pause_ms}");
        }
        assert_eq!((pauses(436, 500), pauses(564, 500)), (None, None));
        assert_eq!(pauses(45, 60), None, "that may be its own timing");
    }
}
