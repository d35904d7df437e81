//! Where a track begins: on the other track's clock, or beside it on a clock of its own.

use super::{
    SMALL_STEP_90KHZ, Timeline,
    ahead::{Ahead, stamps},
    clock::{FIRST_FRAME_90KHZ, TrackClock},
};
use crate::{RepairKind, Repairs, TICKS_PER_MS, TrackKind};

/// The longest time between two first stamps that sets a frame's duration, in milliseconds.
const MAX_FIRST_FRAME_MS: i64 = 1_000;

impl Timeline {
    /// The clock of a track with its first access unit.
    pub(super) fn begin(
        &self,
        track: TrackKind,
        timestamp_ms: u32,
        frame_90khz: Option<i64>,
        ahead: &impl Ahead,
        repairs: &mut Repairs,
    ) -> TrackClock {
        let other = self.clock(track.other());
        let stamp_ms = other.map_or(i64::from(timestamp_ms), |other| other.stamp_of(timestamp_ms));
        let base_ms = base_stamp(track, timestamp_ms, stamp_ms, frame_90khz, other, ahead);
        if base_ms != stamp_ms {
            repairs.count(RepairKind::TimestampOutlier);
        }
        let time_90khz = match other {
            None => 0,
            Some(other) => {
                let time_90khz = other.time_of(base_ms);
                if self.is_same_clock(track, time_90khz, base_ms, other, ahead) {
                    time_90khz
                } else {
                    repairs.count(RepairKind::TrackClockAligned);
                    other.time_90khz
                }
            }
        };
        let mut clock = TrackClock::new(timestamp_ms, stamp_ms, base_ms, time_90khz);
        if let Some(frame_90khz) = frame_90khz {
            clock.pace.set_frame(frame_90khz);
        }
        clock
    }

    /// Whether the stamps of a track that begins count on the other track's clock.
    ///
    /// They do where they lie near the other track's as it is now, or, in a session's first seconds, between its
    /// begin and now: encoders begin both tracks together, and one of them may arrive late. Where they lie
    /// elsewhere, they still do if the coming messages bring the tracks together.
    fn is_same_clock(
        &self,
        track: TrackKind,
        time_90khz: i64,
        base_ms: i64,
        other: &TrackClock,
        ahead: &impl Ahead,
    ) -> bool {
        let skew = i64::from(self.policy.max_start_skew_ms) * TICKS_PER_MS;
        let gap = self.policy.max_gap_90khz();
        let earliest = if self.settled { -skew } else { -gap };
        let now = other.time_90khz;
        let is_beside = (time_90khz - now).abs() <= skew;
        let is_since_begin = now <= gap && (-skew..=now + skew).contains(&time_90khz);
        time_90khz >= earliest
            && (is_beside
                || is_since_begin
                || (time_90khz - now).abs() <= gap && comes_together(track, base_ms, other, skew, ahead))
    }
}

/// The stamp that a track's first access unit should have: its own, unless the next ones say otherwise.
fn base_stamp(
    track: TrackKind,
    timestamp_ms: u32,
    stamp_ms: i64,
    frame_90khz: Option<i64>,
    other: Option<&TrackClock>,
    ahead: &impl Ahead,
) -> i64 {
    let mut coming = stamps(ahead, track, timestamp_ms, stamp_ms).filter(|&stamp| stamp != stamp_ms).take(2);
    let (Some(next), second) = (coming.next(), coming.next()) else { return stamp_ms };
    let regular = second.map(|second| second - next).filter(|step| (1..=MAX_FIRST_FRAME_MS).contains(step));
    let frame_ms = match (frame_90khz, regular) {
        (Some(frame), _) => frame / TICKS_PER_MS,
        (None, Some(step)) => step,
        (None, None) => FIRST_FRAME_90KHZ / TICKS_PER_MS,
    };
    let step = next - stamp_ms;
    if step < 0 {
        return next - frame_ms;
    }
    let before_next = ahead.clone().take_while(|upcoming| upcoming.track != track);
    let beside = other
        .map(|other| other.stamp_ms)
        .or_else(|| stamps(&before_next, track.other(), timestamp_ms, stamp_ms).next());
    let is_far = step > frame_ms + SMALL_STEP_90KHZ / TICKS_PER_MS;
    let other_is_there = beside.is_some_and(|beside| {
        let distance = (beside - (next - frame_ms)).abs();
        2 * distance < (beside - stamp_ms).abs() && distance <= MAX_FIRST_FRAME_MS
    });
    if is_far && regular.is_some() && other_is_there { next - frame_ms } else { stamp_ms }
}

/// Whether both tracks have stamps near one another at the end of what can be looked at.
fn comes_together(
    track: TrackKind,
    base_ms: i64,
    other: &TrackClock,
    skew_90khz: i64,
    ahead: &impl Ahead,
) -> bool {
    let timestamp_ms = other.timestamp_ms.wrapping_add((base_ms - other.stamp_ms) as u32);
    let own_last = stamps(ahead, track, timestamp_ms, base_ms).last();
    let other_last =
        stamps(ahead, track.other(), other.timestamp_ms, other.stamp_ms).last().unwrap_or(other.stamp_ms);
    own_last.is_some_and(|own| (own - other_last).abs() * TICKS_PER_MS <= skew_90khz)
}
