//! The timeline's part of a state.

use media::{
    Arrival, ArrivalPoint, Lead, Pace, PresentationStamps, TICKS_PER_MS, Timeline, TimelinePolicy, TrackClock,
};

use super::{Fields, StateError};

/// Bytes of a track's clock, of an arrival time, of all of the timeline, of waiting presentation stamps.
const CLOCK_SIZE: usize = 1 + 4 + 7 * 8 + 1 + PACE_SIZE + LEAD_SIZE;
const PACE_SIZE: usize = 8 + 8 + 4 + 8 + 1;
const LEAD_SIZE: usize = 8 + 4 + 1;
const ARRIVAL_POINT_SIZE: usize = 1 + 8 + 8;
pub(super) const TIMELINE_SIZE: usize = 2 * CLOCK_SIZE + 8 + 1 + 2 * ARRIVAL_POINT_SIZE + 8;
pub(super) const PRESENTATION_SIZE: usize = 1 + 1 + 2 + 4 * PresentationStamps::MAX_DEPTH;

/// Appends the timeline. Its policy is not kept.
pub(super) fn write(timeline: &Timeline, bytes: &mut Vec<u8>) {
    for clock in [timeline.video, timeline.audio] {
        write_clock(clock, bytes);
    }
    bytes.extend_from_slice(&timeline.last_shift_90khz.to_be_bytes());
    bytes.push(timeline.settled.into());
    for point in [timeline.arrival.first, timeline.arrival.last] {
        bytes.push(point.is_some().into());
        let (arrival_ms, time_90khz) = point.map_or((0, 0), |point| (point.arrival_ms, point.time_90khz));
        bytes.extend_from_slice(&arrival_ms.to_be_bytes());
        bytes.extend_from_slice(&time_90khz.to_be_bytes());
    }
    bytes.extend_from_slice(&timeline.arrival.collapsed_90khz.to_be_bytes());
}

pub(super) fn read(fields: &mut Fields<'_>) -> Result<Timeline, StateError> {
    let video = read_clock(fields)?;
    let audio = read_clock(fields)?;
    let last_shift_90khz = fields.time("last shift")?;
    let settled = fields.flag("settled")?;
    let mut point = || {
        let is_some = fields.flag("arrival time")?;
        let arrival_ms = u64::from_be_bytes(fields.take());
        let time_90khz = fields.time("arrival time")?;
        Ok(is_some.then_some(ArrivalPoint { arrival_ms, time_90khz }))
    };
    let mut arrival = Arrival::default();
    (arrival.first, arrival.last) = (point()?, point()?);
    arrival.collapsed_90khz = fields.time("collapsed time")?;
    Ok(Timeline { policy: TimelinePolicy::default(), video, audio, last_shift_90khz, settled, arrival })
}

fn write_clock(clock: Option<TrackClock>, bytes: &mut Vec<u8>) {
    bytes.push(clock.is_some().into());
    let clock = clock.unwrap_or_default();
    bytes.extend_from_slice(&clock.timestamp_ms.to_be_bytes());
    for time in [
        clock.stamp_ms,
        clock.offset_90khz,
        clock.home_90khz,
        clock.dts_90khz,
        clock.time_90khz,
        clock.unproven_90khz,
        clock.gained_90khz,
        clock.pace.ideal_90khz,
        clock.pace.last_step_90khz,
        clock.lead.mean_90khz,
    ] {
        bytes.extend_from_slice(&time.to_be_bytes());
    }
    bytes.extend_from_slice(&clock.pace.frame_256.to_be_bytes());
    bytes.extend_from_slice(&clock.pace.jitter_90khz.to_be_bytes());
    bytes.push(clock.pace.steps);
    bytes.extend_from_slice(&clock.lead.spread_90khz.to_be_bytes());
    bytes.push(clock.lead.units);
    bytes.push(clock.alone);
}

fn read_clock(fields: &mut Fields<'_>) -> Result<Option<TrackClock>, StateError> {
    let is_some = fields.flag("clock")?;
    let timestamp_ms = u32::from_be_bytes(fields.take());
    let mut time = || fields.time("clock");
    let clock = TrackClock {
        timestamp_ms,
        stamp_ms: time()?,
        offset_90khz: time()?,
        home_90khz: time()?,
        dts_90khz: time()?,
        time_90khz: time()?,
        unproven_90khz: time()?,
        gained_90khz: time()?,
        alone: 0,
        pace: Pace { ideal_90khz: time()?, last_step_90khz: time()?, ..Pace::default() },
        lead: Lead { mean_90khz: time()?, ..Lead::default() },
    };
    let frame_256 = u64::from_be_bytes(fields.take());
    // What a stamp stands for is the sum of two fields.
    if frame_256 > Pace::MAX_FRAME_256 || clock.stamp_ms.abs() > i64::MAX / (1 << 12) / TICKS_PER_MS {
        return Err(StateError::Field { field: "clock" });
    }
    let pace = Pace {
        frame_256,
        jitter_90khz: u32::from_be_bytes(fields.take()),
        steps: fields.take::<1>()[0],
        ..clock.pace
    };
    let lead =
        Lead { spread_90khz: u32::from_be_bytes(fields.take()), units: fields.take::<1>()[0], ..clock.lead };
    let alone = fields.take::<1>()[0];
    Ok(is_some.then_some(TrackClock { alone, pace, lead, ..clock }))
}

/// Appends the stamps that wait to be decoding times.
pub(super) fn write_presentation(presentation: &PresentationStamps, bytes: &mut Vec<u8>) {
    bytes.push(presentation.has_offsets.into());
    bytes.push(presentation.depth);
    bytes.extend_from_slice(&presentation.frame_ms.to_be_bytes());
    for waiting in presentation.waiting_ms {
        bytes.extend_from_slice(&waiting.to_be_bytes());
    }
}

pub(super) fn read_presentation(fields: &mut Fields<'_>) -> Result<PresentationStamps, StateError> {
    let has_offsets = fields.flag("composition offsets")?;
    let [depth] = fields.take();
    if usize::from(depth) > PresentationStamps::MAX_DEPTH {
        return Err(StateError::Field { field: "reordering depth" });
    }
    let frame_ms = u16::from_be_bytes(fields.take());
    let waiting_ms = std::array::from_fn(|_| u32::from_be_bytes(fields.take()));
    Ok(PresentationStamps { has_offsets, depth, frame_ms, waiting_ms })
}
