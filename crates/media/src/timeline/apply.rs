//! What becomes of the tracks' mappings when a stamp is read.

use super::{CONFIRMABLE_STEP_90KHZ, Placed, Timeline, TrackClock, clock::ROUNDING_90KHZ, reading::Reading};
use crate::{RepairKind, Repairs, TICKS_PER_MS, TrackKind};

/// The stamp of an access unit, and what it was read beside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp {
    pub(super) timestamp_ms: u32,
    /// Counted on through wraps.
    pub(super) stamp_ms: i64,
    /// How much later than expected it lies.
    pub(super) step_90khz: i64,
    /// The other track is not heard.
    pub(super) is_alone: bool,
    /// How long a frame lasts, if the format says so.
    pub(super) frame_90khz: Option<i64>,
}

impl Timeline {
    /// Gives the access unit the time that its stamp is read as, and moves the tracks' mappings.
    pub(super) fn apply(
        &mut self,
        track: TrackKind,
        mut own: TrackClock,
        stamp: Stamp,
        reading: Reading,
        repairs: &mut Repairs,
    ) -> Placed {
        let mut other = self.clock(track.other()).copied();
        let expected = own.pace.expected_90khz();
        let is_by_stamp = !matches!(reading, Reading::Repeated { .. } | Reading::Outlier { .. });
        match reading {
            Reading::Stamped { unproven_90khz } => own.unproven_90khz = unproven_90khz,
            Reading::SetRight => {
                // A leap that is longer than the fault leaves no fault the other way.
                let most = own.gained_90khz.abs();
                own.gained_90khz = (own.gained_90khz + stamp.step_90khz).clamp(-most, most);
            }
            Reading::Repeated { .. } => repairs.count(RepairKind::TimestampEqual),
            Reading::Outlier { .. } => repairs.count(RepairKind::TimestampOutlier),
            Reading::Stepped => {
                // Stamps are whole milliseconds, and so is what their clock steps by.
                let by = -rounded_to_ms(stamp.step_90khz);
                own.offset_90khz += by;
                if stamp.is_alone {
                    // What the other track will be stamped with when it comes back is this clock's.
                    self.last_shift_90khz = own.offset_90khz - own.home_90khz;
                    own.home_90khz = own.offset_90khz;
                    if let Some(other) = &mut other {
                        other.shift(by);
                    }
                }
            }
            Reading::SteppedAlike => {
                own.offset_90khz = own.home_90khz + other.map_or(0, |other| other.away_90khz());
            }
            Reading::Follow => {
                if let Some(other) = &mut other {
                    self.last_shift_90khz = other.away_90khz();
                    own.home_90khz += self.last_shift_90khz;
                    own.offset_90khz = own.home_90khz;
                    other.home_90khz = other.offset_90khz;
                }
            }
            Reading::Refuted => {
                if let Some(other) = &mut other {
                    let by = -rounded_to_ms(std::mem::take(&mut other.unproven_90khz));
                    other.offset_90khz += by;
                    other.time_90khz += by;
                    other.pace.ideal_90khz += by;
                }
            }
            Reading::Home => own.offset_90khz = own.home_90khz,
            Reading::Pause => {
                own.offset_90khz = own.home_90khz;
                if let Some(other) = &mut other {
                    other.offset_90khz = other.home_90khz;
                }
            }
        }
        let is_step = matches!(reading, Reading::Stepped | Reading::SteppedAlike | Reading::Follow);
        if is_step && stamp.step_90khz.abs() > ROUNDING_90KHZ {
            repairs.count(if stamp.step_90khz > 0 {
                RepairKind::TimestampJumpForward
            } else {
                RepairKind::TimestampJumpBackward
            });
        }
        let time_90khz = match reading {
            Reading::Repeated { time_90khz } | Reading::Outlier { time_90khz } => time_90khz,
            _ => own.time_of(stamp.stamp_ms),
        };
        let dts_90khz = own.decoding_time(time_90khz);
        if is_by_stamp {
            let went_on = own.time_of(own.stamp_ms) == own.time_90khz && stamp.stamp_ms > own.stamp_ms;
            if went_on && !is_step && stamp.timestamp_ms < own.timestamp_ms {
                repairs.count(RepairKind::TimestampWrap);
            }
            if dts_90khz != time_90khz {
                repairs.count(RepairKind::TimestampStepBackward);
            }
            let is_in_time = dts_90khz == time_90khz;
            let interleaved = other.as_ref().filter(|other| own.is_interleaved_with(other, &self.policy));
            let frame_90khz = stamp.frame_90khz.filter(|_| matches!(reading, Reading::Stamped { .. }));
            if is_step {
                own.pace.go_on(time_90khz, stamp.frame_90khz);
            } else {
                own.learn(stamp.stamp_ms, time_90khz, frame_90khz, interleaved.filter(|_| is_in_time));
            }
        } else if matches!(reading, Reading::Outlier { .. }) || stamp.frame_90khz.is_some() {
            own.pace.go_on(expected, stamp.frame_90khz);
        }
        own.advance(stamp.timestamp_ms, stamp.stamp_ms, time_90khz, dts_90khz);
        if let Some(other) = &mut other {
            other.alone = 0;
        }
        *self.clock_mut(track) = Some(own);
        if let Some(other) = other {
            *self.clock_mut(track.other()) = Some(other);
        }
        self.arrival.take(time_90khz);
        Placed { time_90khz, dts_90khz }
    }

    /// The first access unit after a pause of the recording tells how long that was: since its track went on, or the other
    /// one, which may have ended later. Both go on without it.
    pub(super) fn resume(&mut self, track: TrackKind, timestamp_ms: u32) {
        self.arrival.is_after_pause = false;
        let Some(clock) = self.clock(track).or(self.clock(track.other())) else { return };
        let other = self.clock(track.other()).map(|other| other.time_90khz + clock.lead.mean_90khz);
        let expected = other.unwrap_or(i64::MIN).max(clock.pace.expected_90khz());
        let step_90khz = clock.time_of(clock.stamp_of(timestamp_ms)) - expected;
        if step_90khz < CONFIRMABLE_STEP_90KHZ {
            return;
        }
        let paused_90khz = rounded_to_ms(step_90khz);
        for clock in [&mut self.video, &mut self.audio].into_iter().flatten() {
            clock.shift(-paused_90khz);
        }
        self.arrival.paused_90khz = paused_90khz;
    }

    /// What was taken for jumps ahead in the chunk before turns out to have been pauses, if this chunk came as much
    /// later.
    pub(super) fn return_pauses(&mut self) {
        let collapsed = self.arrival.collapsed_90khz;
        if !self.policy.may_be_pause(collapsed) {
            return;
        }
        let clocks = [&self.video, &self.audio].into_iter().flatten();
        let Some(now) = clocks.map(|clock| clock.time_90khz).max() else { return };
        if self.arrival.was_pause(now, collapsed) {
            self.arrival.collapsed_90khz = 0;
            for clock in [&mut self.video, &mut self.audio].into_iter().flatten() {
                clock.shift(collapsed);
                clock.time_90khz += collapsed;
                clock.pace.ideal_90khz += collapsed;
            }
        }
    }
}

fn rounded_to_ms(time_90khz: i64) -> i64 {
    (time_90khz + TICKS_PER_MS / 2).div_euclid(TICKS_PER_MS) * TICKS_PER_MS
}
