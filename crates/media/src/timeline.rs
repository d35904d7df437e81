//! The push's 32-bit millisecond timestamps on one 90 kHz clock that neither wraps nor jumps.
//!
//! # Policy
//!
//! Both tracks are mapped to media time by one offset, so the distance that the push gives them is kept. Each
//! track also has a pace: when its next stamp is expected, to a fraction of a millisecond. And it is known how far each
//! runs before the other when they arrive. A stamp that lies where it is expected gets the time that it says. Any
//! other stamp is read by the first line that fits. "The other track" is heard while its last access unit is not
//! long ago.
//!
//! | the stamp lies | and | it is read as | what becomes of it |
//! | --- | --- | --- | --- |
//! | a second or more ahead | it is the first one after a pause of the recording | time that was not recorded | media goes on at its pace; both tracks move by the same |
//! | where the one before does | | a repeated stamp | goes between its neighbours, or one frame on where the format says how long a frame lasts |
//! | where it is expected, once the track is back on the shared offset | | the end of this track's fault | the track comes home |
//! | up to 45 ms later than expected | | the push's own timing | the time that it says |
//! | further ahead | it takes back an equal step back, or audio stamps ran too slow before | the push's own timing | the time that it says |
//! | | the track's next stamp is back | one wrong stamp | goes between its neighbours |
//! | | the other track has gone on by as much, or up to 10 s less | a track that was silent | the time that it says |
//! | | up to 10 s, and it is not known how fast the track is | the push's own timing | the time that it says |
//! | | the other track makes the step too, or its next stamp fits this one, up to 10 s | a pause of the push | the time that it says |
//! | | the same, and it is the way back from an earlier step back | a step of the push's clock | media goes on at its pace; both tracks move by the same |
//! | | it begins a chunk that arrived that much later, 1 s up to 3 min | a pause of the push, or time left out of it | the time that it says |
//! | | the same, over 10 s, up to 3 min, and chunks arrived that much later | a pause of the push | the time that it says, at the latest from the next chunk on |
//! | | the same, over 10 s | a jump of the push's clock | media goes on at its pace; both tracks move by the same |
//! | | the other track goes on as before | a fault of this track's clock | goes on at its pace, away from the shared offset, until it comes home |
//! | | no other track is heard | as if both made it | as above |
//! | earlier than expected, but after the one before | both tracks keep a strict pace and make the same step | a step of the push's clock | media goes on at its pace; both tracks move by the same |
//! | | otherwise | the push's own timing | the time that it says |
//! | at or before the one before | it takes back a step ahead that nothing confirmed, or audio stamps ran too fast before | the push's own timing | units follow at half their distance until they are back in step |
//! | | up to 160 ms, and the stamps that follow are as uneven | the push's own timing | the same |
//! | | the track's next stamp goes on as if this one had not been | one wrong stamp | goes between its neighbours |
//! | | the other track makes the step too | a step of the push's clock | media goes on at its pace; both tracks move by the same |
//! | | the other track goes on as before | a fault of this track's clock | goes on at its pace, away, until it comes home |
//! | | no other track is heard | as if both made it | as above |
//!
//! What was believed of a step that nothing confirmed is taken back when the other track's next access unit does not
//! fit it.
//!
//! So however wrong stamps are, none lets its access unit leap. It comes at most 10 s after it is expected, or after the
//! other track's last one, unless a chunk arrived as much later: then 3 min, and, once the push's speed is known, no more
//! than twice the media that it lets expect since the chunk before. A step that came but once is a pace of at most 10 s,
//! and only until the clock steps; up to a minute it has to come twice. And stamps that ran too fast or too slow are set
//! right by a few times what they erred.
//!
//! What is known of the coming messages ends where the push may be cut, before the next keyframe, so that the same
//! push has the same times wherever it is cut. Where that hides whether a step ahead is one wrong stamp, a step of up
//! to 250 ms is believed; further ahead, the access unit goes on at the track's pace, and the next stamp settles what
//! it was. So after a long pause of both tracks, audio that comes just before the first keyframe is one frame early.
//!
//! A track that begins uses the shared offset where its first stamp lies within a second of the other track's; or,
//! in a session's first ten seconds, between the session's begin and now; or where the coming messages bring the
//! tracks together. Otherwise the tracks have clocks of their own: it begins beside the other track as they arrive,
//! and that distance is kept from then on.
//!
//! Tracks that drift apart keep the times that were pushed: which of them is right cannot be told, and a recording
//! that moved either would be out of step with the push. So do steps of one track of less than 45 ms, and longer ones
//! that the interleaving of the tracks hides: one track in bursts.

mod ahead;
mod apply;
mod arrival;
mod begin;
mod clock;
mod presentation;
mod reading;
mod unit;

use crate::{Repairs, TICKS_PER_MS, TrackKind};

pub use ahead::{Ahead, Upcoming};
pub use arrival::{Arrival, ArrivalPoint, ChunkArrival};
pub use clock::{Lead, Pace, TrackClock};
pub use presentation::PresentationStamps;

use apply::Stamp;
use reading::Reading;
use unit::Unit;

/// Steps ahead up to this are the push's own timing. Unit: 1/90 000 s.
///
/// A frame of 25 a second that was left out, and what capture and the scheduling of an encoder add.
const SMALL_STEP_90KHZ: i64 = 45 * TICKS_PER_MS;

/// Steps ahead up to this are believed where nothing can be known of what follows. Unit: 1/90 000 s.
const UNCONFIRMED_STEP_90KHZ: i64 = 250 * TICKS_PER_MS;

/// Shorter steps ahead are not told from the jitter of arrival times. Unit: 1/90 000 s.
const CONFIRMABLE_STEP_90KHZ: i64 = 90_000;

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

    /// A step ahead is a pause if its chunk arrived as much later.
    fn is_confirmable(&self, step_90khz: i64) -> bool {
        let longest = i64::from(self.max_pause_ms) * TICKS_PER_MS;
        (CONFIRMABLE_STEP_90KHZ..=longest).contains(&step_90khz)
    }

    /// The same, and nothing but arrival times can tell.
    fn may_be_pause(&self, step_90khz: i64) -> bool {
        step_90khz > self.max_gap_90khz() && self.is_confirmable(step_90khz)
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
    /// A chunk begins.
    pub fn begin_chunk(&mut self, arrival: ChunkArrival) {
        self.arrival.begin_chunk(arrival);
    }

    /// How long the recording paused before the chunk that was begun, by the push's clock; 0 for less than a second.
    /// Media time goes on without it. Unit: 1/90 000 s.
    #[must_use]
    pub fn paused_90khz(&self) -> u64 {
        self.arrival.paused_90khz.unsigned_abs()
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
        if self.arrival.is_after_pause {
            self.resume(track, timestamp_ms);
        }
        if let Some(placed) = self.place_regular(track, timestamp_ms, frame_90khz) {
            return placed;
        }
        let frame_90khz = frame_90khz.map(i64::from);
        if self.clock(track).is_none() {
            let clock = self.begin(track, timestamp_ms, frame_90khz, &ahead, repairs);
            let placed = Placed { time_90khz: clock.time_90khz, dts_90khz: clock.dts_90khz };
            *self.clock_mut(track) = Some(clock);
            self.arrival.take(placed.time_90khz);
            return placed;
        }
        self.place_by_policy(track, timestamp_ms, frame_90khz, &ahead, repairs)
    }

    /// The time of a track's next access unit where its stamp is the one expected and nothing is open, as nearly always;
    /// `None` where what follows has to be looked at.
    pub fn place_regular(
        &mut self,
        track: TrackKind,
        timestamp_ms: u32,
        frame_90khz: Option<u32>,
    ) -> Option<Placed> {
        let (own, other) = match track {
            TrackKind::Video => (&mut self.video, &mut self.audio),
            TrackKind::Audio => (&mut self.audio, &mut self.video),
        };
        let own = own.as_mut().filter(|_| !self.arrival.is_pending())?;
        let time_90khz = own.regular_time(timestamp_ms, other.as_ref())?;
        let stamp_ms = own.stamp_of(timestamp_ms);
        let interleaved = other.as_ref().filter(|other| own.is_interleaved_with(other, &self.policy));
        own.learn(stamp_ms, time_90khz, frame_90khz.map(i64::from), interleaved);
        own.advance(timestamp_ms, stamp_ms, time_90khz, time_90khz);
        if let Some(other) = other {
            other.alone = 0;
        }
        Some(Placed { time_90khz, dts_90khz: time_90khz })
    }

    /// The time of an access unit by the policy's table.
    fn place_by_policy(
        &mut self,
        track: TrackKind,
        timestamp_ms: u32,
        frame_90khz: Option<i64>,
        ahead: &impl Ahead,
        repairs: &mut Repairs,
    ) -> Placed {
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
        let mut reading = unit.read(ahead);
        let (expected, is_alone) = (unit.expected(), unit.live_other().is_none());
        let step_90khz = unit.at() - expected;
        if reading == Reading::Stepped {
            if self.policy.is_confirmable(step_90khz) && self.arrival.was_pause(expected, step_90khz) {
                reading = Reading::Stamped { unproven_90khz: 0 };
            } else if self.policy.may_be_pause(step_90khz) {
                self.arrival.collapsed_90khz += step_90khz;
            } else if step_90khz.abs() > self.policy.max_gap_90khz() {
                // Leaps of several kinds in a chunk are no pause.
                self.arrival.collapsed_90khz = 0;
            }
        }
        self.apply(
            track,
            own,
            Stamp { timestamp_ms, stamp_ms, step_90khz, is_alone, frame_90khz },
            reading,
            repairs,
        )
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

#[cfg(test)]
mod tests;
