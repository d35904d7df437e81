//! The push's 32-bit millisecond timestamps on one 90 kHz clock that neither wraps nor jumps.
//!
//! Each track has a clock: the last timestamp seen and the time it was given. A timestamp near the last one
//! keeps its distance. One that is not near is first asked of the other track's clock: a track that paused,
//! or that follows the other through a jump, finds its place there, and the two stay in step. Only when
//! that does not fit either is it a jump, and the track goes on at its own frame rate.
//!
//! Tracks that drift apart keep the times that were pushed: which of them is right cannot be told, and a
//! recording that moved either would be out of step with the push.

use crate::{RepairKind, Repairs, TICKS_PER_MS, TrackKind};

/// What counts as a jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimelinePolicy {
    /// The longest pause that is kept as a pause, in milliseconds. Default: 10 000; encoders on bad links
    /// stall for seconds, and what lies further ahead comes from a changed clock.
    pub max_gap_ms: u32,
    /// How far a timestamp may lie before the one before it and still count as jitter, in milliseconds.
    /// Default: 250; more is a changed clock.
    pub max_step_back_ms: u32,
    /// How far a track may begin before the session's first access unit, in milliseconds. Default: 1 000.
    pub max_early_ms: u32,
}

impl Default for TimelinePolicy {
    fn default() -> Self {
        Self { max_gap_ms: 10_000, max_step_back_ms: 250, max_early_ms: 1_000 }
    }
}

/// Where a track is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrackClock {
    /// The last timestamp of the push, in milliseconds.
    pub timestamp_ms: u32,
    /// The time that this timestamp stands for. Unit: 1/90 000 s.
    pub anchor_90khz: i64,
    /// The time that the last access unit was given: the anchor, or later where two would have been equal.
    pub dts_90khz: i64,
    /// The last distance between two access units that was no repair, the estimate of a frame's duration.
    /// Unit: 1/90 000 s.
    pub delta_90khz: u32,
}

impl TrackClock {
    /// Milliseconds from the last timestamp to this one, through the wrap.
    fn distance_ms(&self, timestamp_ms: u32) -> i64 {
        i64::from(timestamp_ms.wrapping_sub(self.timestamp_ms).cast_signed())
    }

    fn time_of(&self, timestamp_ms: u32) -> i64 {
        self.anchor_90khz + self.distance_ms(timestamp_ms) * TICKS_PER_MS
    }
}

/// A frame's duration before two have been seen, where the format does not say: 25 frames a second.
const FIRST_DELTA_90KHZ: u32 = 3_600;

/// The longest distance that counts as a frame's duration: one second.
const MAX_DELTA_90KHZ: i64 = 90_000;

/// The clocks of a session's tracks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    /// What counts as a jump.
    pub policy: TimelinePolicy,
    /// The video track's clock, once it has begun.
    pub video: Option<TrackClock>,
    /// The audio track's clock, once it has begun.
    pub audio: Option<TrackClock>,
}

impl Timeline {
    /// The decoding time of a track's next access unit.
    ///
    /// Strictly after the track's last one: where two have one timestamp by `frame_90khz`, where the format says
    /// how long a frame lasts, else by a tick.
    /// Unit: 1/90 000 s, of the result since the session's first access unit.
    pub fn place(
        &mut self,
        track: TrackKind,
        timestamp_ms: u32,
        frame_90khz: Option<u32>,
        repairs: &mut Repairs,
    ) -> i64 {
        let (own, other) = match track {
            TrackKind::Video => (self.video, self.audio),
            TrackKind::Audio => (self.audio, self.video),
        };
        let clock = match own {
            None => self.begin(timestamp_ms, other, frame_90khz, repairs),
            Some(own) => self.advance(own, other, timestamp_ms, frame_90khz, repairs),
        };
        match track {
            TrackKind::Video => self.video = Some(clock),
            TrackKind::Audio => self.audio = Some(clock),
        }
        clock.dts_90khz
    }

    fn begin(
        &self,
        timestamp_ms: u32,
        other: Option<TrackClock>,
        frame_90khz: Option<u32>,
        repairs: &mut Repairs,
    ) -> TrackClock {
        let earliest = -i64::from(self.policy.max_early_ms) * TICKS_PER_MS;
        let time = match other {
            None => 0,
            Some(other) => match self.near(&other, timestamp_ms) {
                Some(time) if time >= earliest => time,
                _ => {
                    repairs.count(RepairKind::TrackClockAligned);
                    other.dts_90khz
                }
            },
        };
        let delta_90khz = frame_90khz.unwrap_or(FIRST_DELTA_90KHZ);
        TrackClock { timestamp_ms, anchor_90khz: time, dts_90khz: time, delta_90khz }
    }

    fn advance(
        &self,
        own: TrackClock,
        other: Option<TrackClock>,
        timestamp_ms: u32,
        frame_90khz: Option<u32>,
        repairs: &mut Repairs,
    ) -> TrackClock {
        let distance_ms = own.distance_ms(timestamp_ms);
        let near_own = -i64::from(self.policy.max_step_back_ms)..=i64::from(self.policy.max_gap_ms);
        let earliest = own.dts_90khz - i64::from(self.policy.max_step_back_ms) * TICKS_PER_MS;
        let anchor_90khz = if near_own.contains(&distance_ms) {
            if timestamp_ms < own.timestamp_ms && distance_ms > 0 {
                repairs.count(RepairKind::TimestampWrap);
            }
            own.time_of(timestamp_ms)
        } else {
            let beside =
                other.and_then(|other| self.near(&other, timestamp_ms)).filter(|&time| time >= earliest);
            // A pause while the other track went on is none of the push's faults.
            if beside != Some(own.time_of(timestamp_ms)) {
                repairs.count(if distance_ms > 0 {
                    RepairKind::TimestampJumpForward
                } else {
                    RepairKind::TimestampJumpBackward
                });
            }
            let next = own.dts_90khz + i64::from(own.delta_90khz);
            beside.unwrap_or_else(|| other.map_or(next, |other| next.max(other.dts_90khz)))
        };
        let step = anchor_90khz - own.dts_90khz;
        let is_equal = distance_ms == 0;
        if step <= 0 {
            repairs.count(if is_equal {
                RepairKind::TimestampEqual
            } else {
                RepairKind::TimestampStepBackward
            });
        }
        let frame_90khz = frame_90khz.filter(|_| is_equal).unwrap_or(1);
        let is_duration = (TICKS_PER_MS..=MAX_DELTA_90KHZ).contains(&step);
        TrackClock {
            timestamp_ms,
            anchor_90khz,
            dts_90khz: own.dts_90khz + step.max(i64::from(frame_90khz.max(1))),
            delta_90khz: if is_duration { step as u32 } else { own.delta_90khz },
        }
    }

    /// The time of a timestamp by `clock`, where that is near enough to be believed.
    fn near(&self, clock: &TrackClock, timestamp_ms: u32) -> Option<i64> {
        let distance_ms = clock.distance_ms(timestamp_ms);
        (distance_ms.unsigned_abs() <= u64::from(self.policy.max_gap_ms)).then(|| clock.time_of(timestamp_ms))
    }
}

#[cfg(test)]
mod tests;
