//! Where one track is: its mapping to media time, its pace, and how far it runs before the other track.

mod lead;

use super::TimelinePolicy;
use crate::TICKS_PER_MS;

pub use lead::Lead;

/// A frame's duration before two have been seen, where the format does not say: 25 frames a second.
pub(crate) const FIRST_FRAME_90KHZ: i64 = 3_600;

/// Distances from the expected time up to this are the rounding of stamps to whole milliseconds.
pub(crate) const ROUNDING_90KHZ: i64 = 4 * TICKS_PER_MS;

/// The longest error that a pace follows smoothly; a larger one is a step of its own.
const MAX_PACE_ERROR_90KHZ: i64 = 20 * TICKS_PER_MS;

/// See [`Pace::MAX_FRAME_256`].
const MAX_FRAME_90KHZ: i64 = 60 * 90_000;

/// The longest step that is taken for a pace though it came but once: as long as a pause that nothing confirms.
const MAX_UNPROVEN_FRAME_90KHZ: i64 = 10 * 90_000;

/// How far stamps are counted on: thirty years.
const MAX_STAMP_MS: i64 = 1 << 40;

/// Steps after which a pace is known.
const KNOWN_STEPS: u8 = 8;

/// Where a track is. Times are in 1/90 000 s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrackClock {
    /// The last timestamp of the push, in milliseconds.
    pub timestamp_ms: u32,
    /// The same, counted on through wraps; it may be below zero.
    pub stamp_ms: i64,
    /// The media time of stamp zero by the mapping in use.
    pub offset_90khz: i64,
    /// The media time of stamp zero by the mapping that keeps the distance between the tracks. While it differs
    /// from `offset_90khz` the track is away, and comes back as soon as its stamps fit again.
    pub home_90khz: i64,
    /// The decoding time that the last access unit was given.
    pub dts_90khz: i64,
    /// The time that the last access unit stands for: its decoding time, or earlier while the track waits for
    /// the mapping to catch up.
    pub time_90khz: i64,
    /// The largest step ahead since the last one that was believed with nothing to confirm it.
    pub unproven_90khz: i64,
    /// How much further stamps have run lately than the frames between them last, where the format says how long
    /// that is. A step back by as much only sets the stamps right.
    pub gained_90khz: i64,
    /// Access units since the other track's last one, at most 255.
    pub alone: u8,
    /// How fast access units follow one another.
    pub pace: Pace,
    /// How far the track runs before the other.
    pub lead: Lead,
}

impl TrackClock {
    /// A clock whose first access unit, stamped `timestamp_ms`, gets `time_90khz`; `base_ms` is the stamp that
    /// this time belongs to.
    pub(crate) fn new(timestamp_ms: u32, stamp_ms: i64, base_ms: i64, time_90khz: i64) -> Self {
        let offset_90khz = time_90khz - base_ms * TICKS_PER_MS;
        Self {
            timestamp_ms,
            stamp_ms,
            offset_90khz,
            home_90khz: offset_90khz,
            dts_90khz: time_90khz,
            time_90khz,
            unproven_90khz: 0,
            gained_90khz: 0,
            alone: 0,
            pace: Pace { ideal_90khz: time_90khz, ..Pace::default() },
            lead: Lead::default(),
        }
    }

    /// The stamp counted on through wraps: the nearest to the last one.
    pub(crate) fn stamp_of(&self, timestamp_ms: u32) -> i64 {
        self.stamp_ms + i64::from(timestamp_ms.wrapping_sub(self.timestamp_ms).cast_signed())
    }

    /// The time of a stamp by the mapping in use.
    pub(crate) fn time_of(&self, stamp_ms: i64) -> i64 {
        self.offset_90khz + stamp_ms * TICKS_PER_MS
    }

    /// By how much the mapping in use is later than the one that keeps the distance between the tracks.
    pub(crate) fn away_90khz(&self) -> i64 {
        self.offset_90khz - self.home_90khz
    }

    /// Stamps went on by `step_90khz` in which frames of `frame_90khz` were sent, maybe several. What is gained
    /// counts for some ten seconds: a clock that runs a little fast all the time is no fault. Neither is a wrong stamp: both
    /// the step there and the step back count as so many frames.
    fn gain(&mut self, step_90khz: i64, frame_90khz: i64) {
        let is_one = (0..frame_90khz + frame_90khz / 2).contains(&step_90khz);
        let frames = if is_one { 1 } else { (step_90khz + frame_90khz / 2).div_euclid(frame_90khz.max(1)) };
        self.gained_90khz += step_90khz - frames * frame_90khz - self.gained_90khz / 512;
    }

    /// The other track, of which `other` is known, is heard: its last access unit is not long ago.
    pub(crate) fn hears(&self, other: &Self, policy: &TimelinePolicy) -> bool {
        let behind = self.time_90khz - other.time_90khz - self.lead.mean_90khz;
        let longest = (3 * other.pace.frame_90khz()).max(2 * 90_000);
        behind <= if self.lead.units == 0 { policy.max_gap_90khz() } else { longest }
    }

    /// The other track is heard, and comes as often as its pace says, so that this one is not ahead because that one
    /// is silent.
    pub(crate) fn is_interleaved_with(&self, other: &Self, policy: &TimelinePolicy) -> bool {
        let alone = (i64::from(self.alone) - 1) * self.pace.frame_90khz();
        alone <= other.pace.frame_90khz() && self.hears(other, policy)
    }

    /// The time of an access unit that needs no reading: its stamp is where it is expected, and nothing is open.
    pub(crate) fn regular_time(&self, timestamp_ms: u32, other: Option<&Self>) -> Option<i64> {
        if timestamp_ms <= self.timestamp_ms {
            return None;
        }
        let time_90khz = self.time_of(self.stamp_of(timestamp_ms));
        let is_regular = (time_90khz - self.pace.expected_90khz()).abs() <= ROUNDING_90KHZ
            && self.away_90khz() == 0
            && time_90khz > self.dts_90khz
            && self.time_90khz == self.dts_90khz
            && other.is_none_or(|other| other.unproven_90khz == 0);
        is_regular.then_some(time_90khz)
    }

    /// Takes an access unit whose stamp says its time; `other` is the other track, where the two are interleaved.
    pub(crate) fn learn(
        &mut self,
        stamp_ms: i64,
        time_90khz: i64,
        frame_90khz: Option<i64>,
        other: Option<&Self>,
    ) {
        if let Some(frame_90khz) = frame_90khz {
            self.gain((stamp_ms - self.stamp_ms) * TICKS_PER_MS, frame_90khz);
        }
        if let Some(other) = other {
            self.lead.learn(time_90khz - other.time_90khz);
        }
        self.pace.learn(time_90khz);
    }

    /// Goes on to an access unit.
    pub(crate) fn advance(&mut self, timestamp_ms: u32, stamp_ms: i64, time_90khz: i64, dts_90khz: i64) {
        self.pace.last_step_90khz = (stamp_ms - self.stamp_ms) * TICKS_PER_MS;
        self.alone = self.alone.saturating_add(1);
        self.timestamp_ms = timestamp_ms;
        self.stamp_ms = stamp_ms;
        self.rebase_stamps();
        self.time_90khz = time_90khz;
        self.dts_90khz = dts_90khz;
    }

    /// Counts stamps from the last one, once they have gone so far in jumps that their times would leave 64 bits.
    fn rebase_stamps(&mut self) {
        if self.stamp_ms.abs() > MAX_STAMP_MS {
            self.shift(self.stamp_ms * TICKS_PER_MS);
            self.stamp_ms = 0;
        }
    }

    /// Moves both mappings.
    pub(crate) fn shift(&mut self, by_90khz: i64) {
        self.offset_90khz += by_90khz;
        self.home_90khz += by_90khz;
    }

    /// The decoding time of an access unit that stands for `time_90khz`.
    ///
    /// While that is not after the last one, units follow at half their distance, so that none is squeezed onto
    /// another and the track is back in step soon.
    pub(crate) fn decoding_time(&self, time_90khz: i64) -> i64 {
        let soonest = self.dts_90khz + (self.pace.frame_90khz() / 2).clamp(1, FIRST_FRAME_90KHZ);
        let is_behind = self.time_90khz < self.dts_90khz || time_90khz <= self.dts_90khz;
        if is_behind { time_90khz.max(soonest) } else { time_90khz }
    }
}

/// How fast a track's access units follow one another: what the next stamp is expected to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// The time of the last access unit with the rounding of its stamp smoothed away. Unit: 1/90 000 s.
    pub ideal_90khz: i64,
    /// The distance between two access units, 0 before it is known. Unit: 1/256 of 1/90 000 s.
    pub frame_256: u64,
    /// How far stamps lie from where they are expected, on average. Unit: 1/90 000 s.
    pub jitter_90khz: u32,
    /// The last step from stamp to stamp, whatever it was. Unit: 1/90 000 s.
    pub last_step_90khz: i64,
    /// Regular steps seen, at most 255.
    pub steps: u8,
}

impl Pace {
    /// The longest distance between two access units that is taken for a pace: a minute.
    pub const MAX_FRAME_256: u64 = MAX_FRAME_90KHZ.cast_unsigned() << 8;

    /// The distance between two access units; before it is known, that of 25 frames a second. Unit: 1/90 000 s.
    #[must_use]
    pub fn frame_90khz(&self) -> i64 {
        if self.frame_256 == 0 { FIRST_FRAME_90KHZ } else { (self.frame_256 >> 8) as i64 }
    }

    /// When the next access unit is expected.
    pub(crate) fn expected_90khz(&self) -> i64 {
        self.ideal_90khz + self.frame_90khz()
    }

    /// Steps like the last ones have been seen before: they are not one or two by chance.
    pub(crate) fn is_known(&self) -> bool {
        self.steps >= 3
    }

    /// Stamps lie where they are expected, but for their rounding.
    pub(crate) fn is_steady(&self) -> bool {
        self.steps >= KNOWN_STEPS && i64::from(self.jitter_90khz) < ROUNDING_90KHZ
    }

    /// Sets the distance between two access units, as the format says it.
    pub(crate) fn set_frame(&mut self, frame_90khz: i64) {
        self.frame_256 = frame_90khz.clamp(1, MAX_FRAME_90KHZ).cast_unsigned() << 8;
    }

    /// An access unit came at the time that its stamp says.
    pub(crate) fn learn(&mut self, time_90khz: i64) {
        let error = time_90khz - self.expected_90khz();
        let is_regular = self.frame_256 > 0
            && error.abs() <= MAX_PACE_ERROR_90KHZ.min(self.frame_90khz() / 4 + ROUNDING_90KHZ);
        if is_regular {
            self.ideal_90khz = self.expected_90khz() + error / 8;
            let frame = self.frame_256.cast_signed() + error * 8;
            self.frame_256 = frame.clamp(256, Self::MAX_FRAME_256.cast_signed()).cast_unsigned();
            let jitter = i64::from(self.jitter_90khz);
            self.jitter_90khz = (jitter + (error.abs() - jitter) / 8) as u32;
            self.steps = self.steps.saturating_add(1);
        } else {
            self.steps /= 2;
            self.learn_step(time_90khz - self.ideal_90khz);
            self.ideal_90khz = time_90khz;
        }
    }

    /// A step that is not the one expected is a new pace when it comes twice, or first and is short.
    fn learn_step(&mut self, step_90khz: i64) {
        let is_first = self.frame_256 == 0 && step_90khz <= MAX_UNPROVEN_FRAME_90KHZ;
        let is_new = is_first || self.comes_twice(step_90khz);
        if (1..=MAX_FRAME_90KHZ).contains(&step_90khz) && is_new {
            self.set_frame(step_90khz);
            self.jitter_90khz = 0;
        }
    }

    /// A step like the one before: not a jump, but how fast the push is.
    pub(crate) fn comes_twice(&self, step_90khz: i64) -> bool {
        step_90khz <= MAX_FRAME_90KHZ && (step_90khz - self.last_step_90khz).abs() <= ROUNDING_90KHZ
    }

    /// An access unit went where it was expected, whatever its stamp says. A pace that only one step has shown is given
    /// up: that step may have been as wrong as this stamp. It is then how long a frame lasts, `frame_90khz`, if the format
    /// says so.
    pub(crate) fn go_on(&mut self, time_90khz: i64, frame_90khz: Option<i64>) {
        self.ideal_90khz = time_90khz;
        if self.steps == 0 {
            self.frame_256 = 0;
            if let Some(frame_90khz) = frame_90khz {
                self.set_frame(frame_90khz);
            }
        }
    }
}

#[cfg(test)]
mod tests;
