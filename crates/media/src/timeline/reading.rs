//! How a stamp that is not the one expected is read: the policy's decisions, one function each direction.

use super::{SMALL_STEP_90KHZ, UNCONFIRMED_STEP_90KHZ, ahead::Ahead, clock::ROUNDING_90KHZ, unit::Unit};

/// What a stamp means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// The time that it says, by the mapping in use. `unproven_90khz` is how much later than expected that is, if
    /// nothing else says so.
    Stamped { unproven_90khz: i64 },
    /// The same; stamps before it ran too fast or too slow.
    SetRight,
    /// The stamp of the access unit before once more.
    Repeated { time_90khz: i64 },
    /// This one stamp is wrong; the access unit belongs at `time_90khz`.
    Outlier { time_90khz: i64 },
    /// The track's clock has stepped; media goes on where it is expected.
    Stepped,
    /// The same as the other track's clock has, as it seems.
    SteppedAlike,
    /// The track's clock makes the step that the other one has made: both are moved for good.
    Follow,
    /// The track comes back to the mapping that keeps the distance between the tracks.
    Home,
    /// The time that it says. The other track's clock has stepped without this one's: what was believed of its stamps
    /// is taken back.
    Refuted,
    /// Both tracks have paused: what the other one was moved by is undone.
    Pause,
}

impl Unit<'_> {
    pub(super) fn read(&self, ahead: &impl Ahead) -> Reading {
        let deviation = self.at() - self.expected();
        if self.stamp_ms == self.own.stamp_ms {
            self.repeated(ahead)
        } else if deviation.abs() <= ROUNDING_90KHZ {
            self.as_expected()
        } else if self.comes_home() {
            Reading::Home
        } else if deviation > 0 {
            self.ahead_of_time(deviation, ahead)
        } else {
            self.behind_time(-deviation, ahead)
        }
    }

    /// A track that is away may learn that the other one is away as far.
    fn as_expected(&self) -> Reading {
        let away = self.own.away_90khz();
        let is_shared = away != 0
            && self
                .other
                .is_some_and(|other| self.is_near(other.away_90khz(), away) && other.away_90khz() != 0);
        if is_shared {
            if self.is_pause(-away) { Reading::Pause } else { Reading::Follow }
        } else if self.refutes_other() {
            Reading::Refuted
        } else if self.fits_better(self.at_home()) {
            Reading::Home
        } else {
            Reading::Stamped { unproven_90khz: self.own.unproven_90khz }
        }
    }

    fn ahead_of_time(&self, step: i64, ahead: &impl Ahead) -> Reading {
        if step <= SMALL_STEP_90KHZ {
            return Reading::Stamped { unproven_90khz: step };
        }
        if self.own.unproven_90khz < 0 && self.is_near(self.own.unproven_90khz, -step) {
            return Reading::Stamped { unproven_90khz: 0 };
        }
        let next = self.next(self.timestamp_ms(), ahead).map(|(next, _)| next);
        if next.is_some_and(|next| next > self.at()) && self.is_set_right(step) {
            return Reading::SetRight;
        }
        if let Some(next) = next {
            let back = (next - self.expected() - self.frame()).abs();
            let on = (next - self.at() - self.frame()).abs();
            // Where the clock steps back behind this stamp, the next one fits neither reading.
            if next < self.at() && 2 * back < on {
                return Reading::Outlier { time_90khz: self.between(next) };
            }
        }
        let Some(other) = self.live_other() else {
            let is_gap = self.is_pause(step) || self.own.pace.comes_twice(self.at() - self.own.time_90khz);
            return if is_gap { Reading::Stamped { unproven_90khz: step } } else { Reading::Stepped };
        };
        let lead = |time: i64| self.own.lead.distance(time - other.time_90khz);
        if lead(self.at()) <= lead(self.expected()) && self.is_within_gap(self.at()) {
            // This track was silent while the other one went on, or both err alike.
            return Reading::Stamped { unproven_90khz: if other.unproven_90khz > 0 { step } else { 0 } };
        }
        if self.follows_other() {
            return match next {
                None => Reading::SteppedAlike,
                Some(_) if self.is_pause(self.at_home() - self.expected()) => Reading::Pause,
                Some(_) => Reading::Follow,
            };
        }
        if self.is_pause(step) {
            if !self.own.pace.is_known() {
                // Where else the access unit could belong is not known.
                return Reading::Stamped { unproven_90khz: step };
            }
            let pauses = self.other_pauses(step, ahead);
            let is_pause = pauses.is_some() || self.other_comes_after(step, ahead);
            if pauses == Some(true) || is_pause && next.is_some() {
                return Reading::Stamped { unproven_90khz: 0 };
            }
            // Nothing is known of what follows, or not whether it is one wrong stamp.
            let is_open = pauses.is_some() || ahead.clone().all(|upcoming| upcoming.track == self.track);
            if !self.own.lead.is_beyond(step) || is_open && step <= UNCONFIRMED_STEP_90KHZ {
                return Reading::Stamped { unproven_90khz: step };
            }
        }
        Reading::Stepped
    }

    fn behind_time(&self, step: i64, ahead: &impl Ahead) -> Reading {
        let stamped = Reading::Stamped { unproven_90khz: 0 };
        let unproven = self.own.unproven_90khz;
        if unproven > 0 && self.is_near(unproven, step) {
            // What was believed of the stamps before is taken back.
            return stamped;
        }
        if self.is_noise(step, ahead) {
            return stamped;
        }
        let next = self.next(self.timestamp_ms(), ahead).map(|(next, _)| next);
        let comes_back = next.is_some_and(|next| self.comes_back(step, next, ahead));
        if self.at() > self.own.dts_90khz {
            return self.small_step_back(step, comes_back, ahead);
        }
        if let (true, Some(next)) = (comes_back, next) {
            return Reading::Outlier { time_90khz: self.between(next) };
        }
        if next.is_some() && self.is_set_right(-step) {
            return Reading::SetRight;
        }
        if self.follows_other() {
            return if next.is_some() { Reading::Follow } else { Reading::SteppedAlike };
        }
        if let Some(other) = self.live_other().filter(|_| self.own.alone == 0) {
            let lead = |time: i64| self.own.lead.distance(time - other.time_90khz);
            if self.own.lead.is_beyond(step) && lead(self.at()) < lead(self.expected()) {
                return stamped;
            }
        }
        Reading::Stepped
    }

    /// The next stamp goes on as if this one had not been: it fits the one before better than this one.
    fn comes_back(&self, step: i64, next: i64, ahead: &impl Ahead) -> bool {
        let last = self.own.time_90khz;
        let back = (next - last - self.frame()).abs().min((next - last - 2 * self.frame()).abs());
        let on = (next - self.at() - self.frame()).abs();
        if back.max(on) <= ROUNDING_90KHZ {
            // A step back by just one frame looks like a frame too many; the other track tells which it is.
            !self.follows_other() && !self.other_steps(-step, ahead)
        } else {
            back < on
        }
    }

    /// A step back by less than a frame. Alone it is the push's own timing; where both tracks keep a strict pace
    /// and make it, it is their clock's.
    fn small_step_back(&self, step: i64, comes_back: bool, ahead: &impl Ahead) -> Reading {
        let is_strict = self.both_are_steady();
        if comes_back {
            Reading::Stamped { unproven_90khz: 0 }
        } else if is_strict && self.follows_other() {
            Reading::Follow
        } else if is_strict && self.other_steps(-step, ahead) {
            Reading::Stepped
        } else {
            Reading::Stamped { unproven_90khz: -step }
        }
    }

    fn repeated(&self, ahead: &impl Ahead) -> Reading {
        let step = self.expected() - self.at();
        if self.own.pace.is_steady() && step > 0 {
            if self.follows_other() {
                return Reading::Follow;
            }
            if self.both_are_steady() && self.other_steps(-step, ahead) {
                return Reading::Stepped;
            }
        }
        let last = self.own.dts_90khz;
        let time_90khz = match (self.frame_90khz, self.next(self.own.timestamp_ms, ahead)) {
            (Some(frame), _) => last + frame,
            (None, Some((next, equal))) if next > last => {
                last + self.frame().min((next - last) / (i64::from(equal) + 2))
            }
            _ => last + (self.expected() - last).max(2) / 2,
        };
        Reading::Repeated { time_90khz: time_90khz.max(last + 1) }
    }
}
