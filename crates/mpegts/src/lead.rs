//! When access units are due on the stream's clock: how far it runs before the decoding times of each track.
//!
//! A slice is written by decoding times, so that it does not matter in which order a push sent what the slice holds.
//! It does matter where the slice ends: of a track that the push sends later than the other, the slice holds less,
//! and the next slice begins with what is missing. The clock must not have passed that by then.
//!
//! | the push sends | is due before its decoding time | bound |
//! | --- | --- | --- |
//! | both tracks alike | both tracks: [`PCR_LEAD_90KHZ`] | |
//! | audio late | audio: the same; video: that and the lag, with which both tracks of a slice end at the same clock | [`MAX_LAG_90KHZ`] |
//! | video late | video: the same; audio past the end of the slice's video: before the video that comes next | [`MAX_LAG_90KHZ`] |
//!
//! The lag is measured where a slice ends, and carried into the next slice, over which it changes evenly to the one
//! found there: the clock runs a little faster or slower, and never jumps. Audio that is late is not written late
//! once more, so that it fits the small buffer that a decoder has for it. Audio that is early has to wait in that
//! buffer, whatever the muxer does.

use media::Media;

use crate::{MAX_LAG_90KHZ, MuxerState, PCR_LEAD_90KHZ, PTS_BASE_90KHZ};

/// A track that ends so long before the other has paused: it does not lag. Unit: 1/90 000 s.
const MIN_PAUSE_90KHZ: i64 = 3 * 90_000;

/// A lag changes within this time from a slice's begin on, or over all of a shorter one. Unit: 1/90 000 s.
const MAX_CHANGE_TIME_90KHZ: i64 = 10 * 90_000;

/// When a slice's access units are due.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leads {
    /// The lag of audio with which the slice begins, and the one with which it ends: 0 to [`MAX_LAG_90KHZ`].
    lag_from_90khz: i64,
    lag_to_90khz: i64,
    /// The decoding time of the first video unit, and how long the lag takes to change.
    change_at_90khz: i64,
    change_time_90khz: i64,
    /// When the video of the next slice is due, where audio comes before it. Audio is due then at the latest.
    next_video_due: Option<i64>,
    /// Where audio so far ends, and the last video so far, on the stream's clock.
    audio_end_90khz: Option<i64>,
    video_dts_90khz: Option<i64>,
}

impl Leads {
    /// Looks at where the tracks of a slice end.
    pub(crate) fn new(media: &Media<'_>, state: &MuxerState) -> Self {
        let lag = i64::from(state.audio_lag_90khz);
        let mut leads = Self {
            lag_from_90khz: lag,
            lag_to_90khz: lag,
            change_at_90khz: 0,
            change_time_90khz: 1,
            next_video_due: None,
            audio_end_90khz: audio_end(media).or(state.audio_end_90khz),
            video_dts_90khz: state.video_dts_90khz,
        };
        let video = &media.video.units;
        let (Some(first), Some(last)) = (video.first(), video.last()) else { return leads };
        let last_dts = last.dts_90khz + PTS_BASE_90KHZ;
        let before = video.iter().rev().nth(1).map(|unit| unit.dts_90khz + PTS_BASE_90KHZ);
        let step = before.or(state.video_dts_90khz).map(|before| last_dts - before);
        let video_end = last_dts + step.unwrap_or(0);
        leads.video_dts_90khz = Some(last_dts);
        leads.change_at_90khz = first.dts_90khz;
        leads.change_time_90khz = (last.dts_90khz - first.dts_90khz).clamp(1, MAX_CHANGE_TIME_90KHZ);
        let lag = leads.audio_end_90khz.map_or(0, |audio_end| video_end - audio_end);
        leads.lag_to_90khz = if lag < MIN_PAUSE_90KHZ { lag.clamp(0, MAX_LAG_90KHZ) } else { 0 };
        if state.pcr_90khz.is_none() {
            leads.lag_from_90khz = leads.lag_to_90khz;
        }
        let audio_dts = media.audio.units.last().map(|unit| unit.dts_90khz + PTS_BASE_90KHZ);
        let is_early = |audio_dts: i64| (1..=MAX_LAG_90KHZ).contains(&(audio_dts - video_end));
        if step.is_some() && audio_dts.is_some_and(is_early) {
            leads.next_video_due = Some(video_end - PCR_LEAD_90KHZ);
        }
        leads
    }

    /// When a video unit is due.
    pub(crate) fn video_due(&self, dts_90khz: i64) -> i64 {
        let passed = (dts_90khz - self.change_at_90khz).clamp(0, self.change_time_90khz);
        let change = (self.lag_to_90khz - self.lag_from_90khz) * passed / self.change_time_90khz;
        due(dts_90khz) - self.lag_from_90khz - change
    }

    /// When an audio unit is due.
    pub(crate) fn audio_due(&self, dts_90khz: i64) -> i64 {
        self.next_video_due.map_or(due(dts_90khz), |latest| latest.min(due(dts_90khz)))
    }

    /// What the next slice has to know.
    pub(crate) fn leave(&self, state: &mut MuxerState) {
        state.audio_lag_90khz = self.lag_to_90khz as u32;
        state.audio_end_90khz = self.audio_end_90khz;
        state.video_dts_90khz = self.video_dts_90khz;
    }
}

fn due(dts_90khz: i64) -> i64 {
    dts_90khz + PTS_BASE_90KHZ - PCR_LEAD_90KHZ
}

/// Where a slice's audio ends, on the stream's clock. A message of MP3 may hold several frames: as many as the last two
/// are apart.
fn audio_end(media: &Media<'_>) -> Option<i64> {
    let units = &media.audio.units;
    let last = units.last()?;
    let frame = i64::from(media.audio.configs[last.config as usize].frame_duration_90khz);
    let step = units.iter().rev().nth(1).map_or(0, |before| last.dts_90khz - before.dts_90khz);
    Some(last.dts_90khz + PTS_BASE_90KHZ + step.max(frame))
}
