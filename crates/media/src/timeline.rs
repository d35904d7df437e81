//! The push's 32-bit millisecond timestamps on one 90 kHz clock that neither wraps nor jumps.
//!
//! # Policy
//!
//! Both tracks are mapped to media time by one offset, so the distance that the push gives them is kept. Each
//! track also has a pace: when its next stamp is expected, to a fraction of a millisecond. A stamp that lies where it
//! is expected gets the time that it says. One that does not is read by the first line that fits; "the other
//! track" is heard while its last access unit is not long ago.
//!
//! | the stamp | what else is known | it is read as | what becomes of it |
//! | --- | --- | --- | --- |
//! | is the one before once more | | a repeated stamp | goes between its neighbours, or one frame on where the format says how long a frame lasts |
//! | lies up to 45 ms later than expected | | the push's own timing | the time that it says |
//! | lies further ahead | the track's next stamp is back | one wrong stamp | goes between its neighbours |
//! | | the other track has gone on by as much | a track that was silent | the time that it says |
//! | | the other track makes the step too, up to 10 s | a pause of the push | the time that it says |
//! | | both make it, over 10 s | a jump of the push's clock | media goes on at its pace; both tracks move by the same |
//! | | the same, up to three minutes, and chunks arrived that much later | a pause of the push | the time that it says, at the latest from the next chunk on |
//! | | the other track goes on as before | a fault of this track's clock | goes on at its pace, away from the other track's mapping, and comes home as soon as its stamps fit it again |
//! | | no other track is heard | as if both made it | as above |
//! | lies earlier than expected, after the one before | both tracks keep a strict pace and make the same step | a step of the push's clock | media goes on at its pace; both tracks move by the same |
//! | | otherwise | the push's own timing | the time that it says |
//! | lies at or before the one before | it takes back a step ahead that nothing confirmed | the push's own timing | units follow at half their distance until they are back in step |
//! | | the track's next stamp goes on as if this one had not been | one wrong stamp | goes between its neighbours |
//! | | the other track makes the step too | a step of the push's clock | media goes on at its pace; both tracks move by the same |
//! | | the other track goes on as before | a fault of this track's clock | goes on at its pace and comes home, as above |
//!
//! What is known of the coming messages ends where the push may be cut, before the next keyframe. Where that hides
//! whether a step is one wrong stamp, the track goes on at its pace, and the next stamps settle it; a step ahead of
//! up to 250 ms is then believed.
//!
//! A track that begins uses the other track's mapping where its first stamp lies within a second of the other
//! track's, or between the begin of the session and now in its first ten seconds, or where the coming messages bring
//! the tracks together. Otherwise the tracks have separate clocks: it begins beside the other track as they arrive,
//! and that distance is kept from then on.
//!
//! Tracks that drift apart keep the times that were pushed: which of them is right cannot be told, and a recording
//! that moved either would be out of step with the push. So do steps of one track that are shorter than 45 ms.

mod ahead;
mod arrival;
mod begin;
mod clock;
mod presentation;
mod reading;

use crate::{RepairKind, Repairs, TICKS_PER_MS, TrackKind};

pub use ahead::{Ahead, Upcoming};
pub use arrival::{Arrival, ArrivalPoint};
pub use clock::{Lead, Pace, TrackClock};
pub use presentation::PresentationStamps;

use clock::ROUNDING_90KHZ;
use reading::{Reading, Unit};

/// Steps ahead up to this are the push's own timing. Unit: 1/90 000 s.
///
/// A frame of 25 a second that was left out, and what capture and the scheduling of an encoder add.
const SMALL_STEP_90KHZ: i64 = 45 * TICKS_PER_MS;

/// Steps ahead up to this are believed where nothing can be known of what follows. Unit: 1/90 000 s.
const UNCONFIRMED_STEP_90KHZ: i64 = 250 * TICKS_PER_MS;

/// What counts as a jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimelinePolicy {
    /// The longest pause that is kept as a pause though no arrival time confirms it, in milliseconds.
    /// Default: 10 000; encoders on bad links stall for seconds, and what lies further ahead comes from a changed
    /// clock.
    pub max_gap_ms: u32,
    /// The longest pause that an arrival time confirms, in milliseconds. Default: 180 000; a longer silence is no part
    /// of what plays.
    pub max_pause_ms: u32,
    /// How far apart the tracks of one clock may begin, in milliseconds. Default: 1 000.
    pub max_start_skew_ms: u32,
}

impl Default for TimelinePolicy {
    fn default() -> Self {
        Self { max_gap_ms: 10_000, max_pause_ms: 180_000, max_start_skew_ms: 1_000 }
    }
}

impl TimelinePolicy {
    fn max_gap_90khz(&self) -> i64 {
        i64::from(self.max_gap_ms) * TICKS_PER_MS
    }

    /// A step ahead is a pause if chunks arrived as much later.
    fn may_be_pause(&self, step_90khz: i64) -> bool {
        let longest = i64::from(self.max_pause_ms) * TICKS_PER_MS;
        (self.max_gap_90khz() + 1..=longest).contains(&step_90khz)
    }
}

/// The time of an access unit. Unit: 1/90 000 s, of the media's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// What its stamp stands for; composition offsets count from here.
    pub time_90khz: i64,
    /// When it is decoded: then, or later where the one before would not be earlier. Rises strictly in a track.
    pub dts_90khz: i64,
}

/// The clocks of a session's tracks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    /// What counts as a jump.
    pub policy: TimelinePolicy,
    /// The video track's clock, once it has begun.
    pub video: Option<TrackClock>,
    /// The audio track's clock, once it has begun.
    pub audio: Option<TrackClock>,
    /// By how much both tracks were last moved. Unit: 1/90 000 s.
    pub last_shift_90khz: i64,
    /// The first chunk with media is over: time zero stands.
    pub settled: bool,
    /// When chunks arrived.
    pub arrival: Arrival,
}

impl Timeline {
    /// A chunk begins. `arrival_ms` says how long after the push's begin its first tag arrived, by a monotonic clock,
    /// where that is known.
    pub fn begin_chunk(&mut self, arrival_ms: Option<u64>) {
        self.arrival.begin_chunk(arrival_ms);
    }

    /// The chunk is over, its earliest access unit was placed at `earliest_90khz`: by how much its times are to be
    /// moved.
    ///
    /// Media time begins with the earliest access unit of the session's first chunk, which need not be the one that
    /// came first. Later chunks are never moved.
    pub fn settle(&mut self, earliest_90khz: i64) -> i64 {
        if std::mem::replace(&mut self.settled, true) {
            return 0;
        }
        let by = -earliest_90khz;
        for clock in [&mut self.video, &mut self.audio].into_iter().flatten() {
            clock.shift(by);
            clock.dts_90khz += by;
            clock.time_90khz += by;
            clock.pace.ideal_90khz += by;
        }
        self.arrival.shift(by);
        by
    }

    /// The time of a track's next access unit.
    ///
    /// `frame_90khz` says how long a frame lasts, where the format does; `ahead` are the messages that follow.
    pub fn place(
        &mut self,
        track: TrackKind,
        timestamp_ms: u32,
        frame_90khz: Option<u32>,
        ahead: impl Ahead,
        repairs: &mut Repairs,
    ) -> Placed {
        let frame_90khz = frame_90khz.map(i64::from);
        if self.clock(track).is_none() {
            let clock = self.begin(track, timestamp_ms, frame_90khz, &ahead, repairs);
            let placed = Placed { time_90khz: clock.time_90khz, dts_90khz: clock.dts_90khz };
            *self.clock_mut(track) = Some(clock);
            self.arrival.take(placed.time_90khz);
            return placed;
        }
        self.return_pauses();
        let own = self.clock(track).copied().expect("the track should have begun");
        let stamp_ms = own.stamp_of(timestamp_ms);
        let unit = Unit {
            policy: &self.policy,
            track,
            own: &own,
            other: self.clock(track.other()),
            last_shift_90khz: self.last_shift_90khz,
            stamp_ms,
            frame_90khz,
        };
        let mut reading = unit.read(&ahead);
        let (expected, is_alone) = (unit.expected(), unit.live_other().is_none());
        let step_90khz = unit.at() - expected;
        if reading == Reading::Stepped && self.policy.may_be_pause(step_90khz) {
            if self.arrival.was_pause(expected, step_90khz) {
                reading = Reading::Stamped { unproven_90khz: 0 };
            } else {
                self.arrival.collapsed_90khz += step_90khz;
            }
        }
        self.apply(
            track,
            own,
            Stamp { timestamp_ms, stamp_ms, step_90khz, is_alone, lasts: frame_90khz.is_some() },
            reading,
            repairs,
        )
    }

    /// Gives the access unit the time that its stamp is read as, and moves the tracks' mappings.
    fn apply(
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
            Reading::Follow => {
                if let Some(other) = &mut other {
                    self.last_shift_90khz = other.away_90khz();
                    own.home_90khz += self.last_shift_90khz;
                    own.offset_90khz = own.home_90khz;
                    other.home_90khz = other.offset_90khz;
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
        let is_step = matches!(reading, Reading::Stepped | Reading::Follow);
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
            } else if let (Some(other), false) = (other, stamp.is_alone) {
                own.lead.learn(time_90khz - other.time_90khz);
            }
            if is_step {
                own.pace.go_on(time_90khz);
            } else {
                own.pace.learn(time_90khz);
            }
        } else if matches!(reading, Reading::Outlier { .. }) || stamp.lasts {
            own.pace.go_on(expected);
        }
        own.pace.last_step_90khz = (stamp.stamp_ms - own.stamp_ms) * TICKS_PER_MS;
        own.timestamp_ms = stamp.timestamp_ms;
        own.stamp_ms = stamp.stamp_ms;
        own.time_90khz = time_90khz;
        own.dts_90khz = dts_90khz;
        *self.clock_mut(track) = Some(own);
        if let Some(other) = other {
            *self.clock_mut(track.other()) = Some(other);
        }
        self.arrival.take(time_90khz);
        Placed { time_90khz, dts_90khz }
    }

    /// What was taken for jumps ahead in the chunk before turns out to have been pauses, if this chunk came as much
    /// later.
    fn return_pauses(&mut self) {
        let collapsed = self.arrival.collapsed_90khz;
        let clocks = [self.video, self.audio].into_iter().flatten();
        let Some(now) = clocks.map(|clock| clock.time_90khz).max() else { return };
        if self.policy.may_be_pause(collapsed) && self.arrival.was_pause(now, collapsed) {
            self.arrival.collapsed_90khz = 0;
            for clock in [&mut self.video, &mut self.audio].into_iter().flatten() {
                clock.shift(collapsed);
                clock.time_90khz += collapsed;
                clock.pace.ideal_90khz += collapsed;
            }
        }
    }

    fn clock(&self, track: TrackKind) -> Option<&TrackClock> {
        match track {
            TrackKind::Video => self.video.as_ref(),
            TrackKind::Audio => self.audio.as_ref(),
        }
    }

    fn clock_mut(&mut self, track: TrackKind) -> &mut Option<TrackClock> {
        match track {
            TrackKind::Video => &mut self.video,
            TrackKind::Audio => &mut self.audio,
        }
    }
}

/// The stamp of an access unit, and what it was read beside.
#[derive(Clone, Copy, Debug)]
struct Stamp {
    timestamp_ms: u32,
    /// Counted on through wraps.
    stamp_ms: i64,
    /// How much later than expected it lies.
    step_90khz: i64,
    /// The other track is not heard.
    is_alone: bool,
    /// The format says how long a frame lasts.
    lasts: bool,
}

fn rounded_to_ms(time_90khz: i64) -> i64 {
    (time_90khz + TICKS_PER_MS / 2).div_euclid(TICKS_PER_MS) * TICKS_PER_MS
}

#[cfg(test)]
mod tests;
