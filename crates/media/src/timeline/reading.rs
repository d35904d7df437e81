//! How a stamp that is not the one expected is read: the policy's decisions, one function each direction.

use super::{
    SMALL_STEP_90KHZ, TimelinePolicy, UNCONFIRMED_STEP_90KHZ,
    ahead::{Ahead, makes_step, next_other, stamps},
    clock::{ROUNDING_90KHZ, TrackClock},
};
use crate::{TICKS_PER_MS, TrackKind};

/// How far two measures of one step may lie apart at most. Unit: 1/90 000 s.
const MAX_TOLERANCE_90KHZ: i64 = 250 * TICKS_PER_MS;

/// What a stamp means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The time that it says, by the mapping in use. `unproven_90khz` is how much later than expected that is, if
    /// nothing else says so.
    Stamped { unproven_90khz: i64 },
    /// The stamp of the access unit before once more.
    Repeated { time_90khz: i64 },
    /// This one stamp is wrong; the access unit belongs at `time_90khz`.
    Outlier { time_90khz: i64 },
    /// The track's clock has stepped; media goes on where it is expected.
    Stepped,
    /// The track's clock makes the step that the other one has made: both are moved for good.
    Follow,
    /// The track comes back to the mapping that keeps the distance between the tracks.
    Home,
    /// Both tracks have paused: what the other one was moved by is undone.
    Pause,
}

/// An access unit and what is known when it comes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unit<'a> {
    pub(crate) policy: &'a TimelinePolicy,
    pub(crate) track: TrackKind,
    pub(crate) own: &'a TrackClock,
    pub(crate) other: Option<&'a TrackClock>,
    /// By how much both tracks were last moved.
    pub(crate) last_shift_90khz: i64,
    pub(crate) stamp_ms: i64,
    /// How long a frame lasts, if the format says so.
    pub(crate) frame_90khz: Option<i64>,
}

impl Unit<'_> {
    /// The time that the stamp says.
    pub(crate) fn at(&self) -> i64 {
        self.own.time_of(self.stamp_ms)
    }

    /// The time that the pace says.
    pub(crate) fn expected(&self) -> i64 {
        self.own.pace.expected_90khz()
    }

    fn frame(&self) -> i64 {
        self.own.pace.frame_90khz()
    }

    /// The time by the mapping that keeps the distance between the tracks.
    pub(crate) fn at_home(&self) -> i64 {
        self.at() - self.own.away_90khz()
    }

    /// The other track, while it is heard.
    pub(crate) fn live_other(&self) -> Option<&TrackClock> {
        self.other.filter(|other| {
            let behind = self.own.time_90khz - other.time_90khz - self.own.lead.mean_90khz;
            behind <= (3 * other.pace.frame_90khz()).max(2 * 90_000)
        })
    }

    pub(crate) fn read(&self, ahead: &impl Ahead) -> Reading {
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
        if !is_shared {
            Reading::Stamped { unproven_90khz: self.own.unproven_90khz }
        } else if self.is_pause(-away) {
            Reading::Pause
        } else {
            Reading::Follow
        }
    }

    fn comes_home(&self) -> bool {
        let distance = (self.at_home() - self.expected()).abs();
        self.own.away_90khz() != 0
            && distance <= self.frame().max(SMALL_STEP_90KHZ)
            && distance < (self.at() - self.expected()).abs()
            && self.at_home() > self.own.dts_90khz - self.frame()
    }

    /// A step of both tracks ahead that is a pause of the push, and not its clock coming back from an earlier step.
    fn is_pause(&self, step_90khz: i64) -> bool {
        let comes_back = (step_90khz - self.last_shift_90khz).abs() <= ROUNDING_90KHZ;
        (0..=self.policy.max_gap_90khz()).contains(&step_90khz) && !comes_back
    }

    /// Two measures of one step.
    fn is_near(&self, one: i64, other: i64) -> bool {
        let jitter = [Some(self.own), self.other].into_iter().flatten();
        let jitter: i64 = jitter.map(|clock| i64::from(clock.pace.jitter_90khz)).sum();
        let rounding = ROUNDING_90KHZ + 2 * jitter.min(20 * TICKS_PER_MS);
        // Of a long step the track's pace tells less than of a short one; a step is never near none.
        let tolerance = rounding.max((other.abs() / 16).min(MAX_TOLERANCE_90KHZ)).min(other.abs() / 2);
        (one - other).abs() <= tolerance
    }

    /// The other track has made the step that brings this stamp where it is expected.
    fn follows_other(&self) -> bool {
        let Some(other) = self.other else { return false };
        let step = other.away_90khz() - self.own.away_90khz();
        other.away_90khz() != 0 && step != 0 && self.is_near(step, self.expected() - self.at())
    }

    /// The other track is about to make a step that `is_it`, beside its own pace; whether it goes on from there.
    fn other_makes(&self, ahead: &impl Ahead, is_it: impl Fn(i64) -> bool) -> Option<bool> {
        let (other, track) = (self.other?, self.track.other());
        let coming = stamps(ahead, track, other.timestamp_ms, other.stamp_ms);
        makes_step(coming, other.stamp_ms, other.pace.frame_90khz(), is_it)
    }

    fn other_steps(&self, step_90khz: i64, ahead: &impl Ahead) -> bool {
        self.other_makes(ahead, |step| self.is_near(step, step_90khz)).is_some()
    }

    /// The other track is about to pause too: for as long, but for where frames of either happen to lie. Whether it
    /// goes on from there.
    fn other_pauses(&self, step_90khz: i64, ahead: &impl Ahead) -> Option<bool> {
        let frames = self.frame() + self.other.map_or(0, |other| other.pace.frame_90khz());
        let frames = frames.min(MAX_TOLERANCE_90KHZ);
        self.other_makes(ahead, |step| {
            step > SMALL_STEP_90KHZ && (step - step_90khz).abs() <= frames || self.is_near(step, step_90khz)
        })
    }

    /// The time of the track's next stamp that is another one, and how many come before it.
    fn next(&self, timestamp_ms: u32, ahead: &impl Ahead) -> Option<(i64, u32)> {
        let coming = stamps(ahead, self.track, timestamp_ms, self.stamp_ms);
        next_other(coming, self.stamp_ms).map(|(stamp, equal)| (self.own.time_of(stamp), equal))
    }

    fn timestamp_ms(&self) -> u32 {
        self.own.timestamp_ms.wrapping_add((self.stamp_ms - self.own.stamp_ms) as u32)
    }

    /// Between the access unit before and the next one, where the pace says if that fits.
    fn between(&self, next: i64) -> i64 {
        if next > self.own.dts_90khz + 1 {
            self.expected().min(self.own.dts_90khz + (next - self.own.dts_90khz) / 2)
        } else {
            self.expected()
        }
    }

    fn ahead_of_time(&self, step: i64, ahead: &impl Ahead) -> Reading {
        if step <= SMALL_STEP_90KHZ {
            return Reading::Stamped { unproven_90khz: step };
        }
        let next = self.next(self.timestamp_ms(), ahead).map(|(next, _)| next);
        if let Some(next) = next {
            let back = (next - self.expected() - self.frame()).abs();
            let on = (next - self.at() - self.frame()).abs();
            if next < self.at() && back < on {
                return Reading::Outlier { time_90khz: self.between(next) };
            }
        }
        let Some(other) = self.live_other() else {
            let since_last = (self.stamp_ms - self.own.stamp_ms) * TICKS_PER_MS;
            let is_gap = step <= self.policy.max_gap_90khz() || self.own.pace.comes_twice(since_last);
            return if is_gap { Reading::Stamped { unproven_90khz: step } } else { Reading::Stepped };
        };
        let lead = |time: i64| self.own.lead.distance(time - other.time_90khz);
        if lead(self.at()) <= lead(self.expected()) {
            // This track was silent while the other one went on, or both err alike.
            return Reading::Stamped { unproven_90khz: if other.unproven_90khz > 0 { step } else { 0 } };
        }
        if self.follows_other() {
            return match next {
                _ if !self.is_pause(step) => Reading::Follow,
                Some(_) => Reading::Pause,
                None => Reading::Stepped,
            };
        }
        if self.is_pause(step) {
            let pauses = self.other_pauses(step, ahead);
            if pauses == Some(true) || pauses.is_some() && next.is_some() {
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
        let next = self.next(self.timestamp_ms(), ahead).map(|(next, _)| next);
        let comes_back = next.is_some_and(|next| self.comes_back(step, next, ahead));
        if self.at() > self.own.dts_90khz {
            return self.small_step_back(step, comes_back, ahead);
        }
        if let (true, Some(next)) = (comes_back, next) {
            return Reading::Outlier { time_90khz: self.between(next) };
        }
        if self.follows_other() {
            return Reading::Follow;
        }
        if let Some(other) = self.live_other() {
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
        let is_strict = self.own.pace.is_steady() && self.other.is_some_and(|other| other.pace.is_steady());
        if !is_strict || comes_back {
            Reading::Stamped { unproven_90khz: 0 }
        } else if self.follows_other() {
            Reading::Follow
        } else if self.other_steps(-step, ahead) {
            Reading::Stepped
        } else {
            Reading::Stamped { unproven_90khz: 0 }
        }
    }

    fn repeated(&self, ahead: &impl Ahead) -> Reading {
        let step = self.expected() - self.at();
        if self.own.pace.is_steady() && step > 0 {
            if self.follows_other() {
                return Reading::Follow;
            }
            if self.other.is_some_and(|other| other.pace.is_steady()) && self.other_steps(-step, ahead) {
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
