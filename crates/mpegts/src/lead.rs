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
//! once more, so that it fits the small buffer that a decoder has for it; audio that is early has to wait in that buffer,
//! whatever the muxer does. Where audio pauses, its lag grows to the bound and stays there, for nobody knows how late it
//! comes back.

use media::Media;

use crate::{MAX_LAG_90KHZ, MuxerState, PCR_LEAD_90KHZ, PTS_BASE_90KHZ};

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
    /// When the track is due with which the next slice begins, as far as that can be told. Everything is due then at the
    /// latest.
    next_slice_due: Option<i64>,
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
            next_slice_due: None,
            audio_end_90khz: audio_end(media).or(state.audio_end_90khz),
            video_dts_90khz: state.video_dts_90khz,
        };
        let video = &media.video.units;
        let (Some(first), Some(last)) = (video.first(), video.last()) else { return leads };
        let last_dts = last.dts_90khz + PTS_BASE_90KHZ;
        let audio_end = leads.audio_end_90khz.unwrap_or(last_dts);
        leads.video_dts_90khz = Some(last_dts);
        leads.change_at_90khz = first.dts_90khz;
        leads.change_time_90khz = (last.dts_90khz - first.dts_90khz).clamp(1, MAX_CHANGE_TIME_90KHZ);
        leads.lag_to_90khz = (last_dts - audio_end).clamp(0, MAX_LAG_90KHZ);
        if state.pcr_90khz.is_none() {
            leads.lag_from_90khz = leads.lag_to_90khz;
        }
        let before = video.iter().rev().nth(1).map(|unit| unit.dts_90khz + PTS_BASE_90KHZ);
        let video_end = before.or(state.video_dts_90khz).map(|before| last_dts + (last_dts - before));
        let next = if audio_end < last_dts { Some(audio_end) } else { video_end };
        let is_near = |next: &i64| last_dts.max(audio_end) - next <= MAX_LAG_90KHZ;
        leads.next_slice_due = next.filter(is_near).map(|next| next - PCR_LEAD_90KHZ);
        leads
    }

    /// When a video unit is due.
    pub(crate) fn video_due(&self, dts_90khz: i64) -> i64 {
        let passed = (dts_90khz - self.change_at_90khz).clamp(0, self.change_time_90khz);
        let change = (self.lag_to_90khz - self.lag_from_90khz) * passed / self.change_time_90khz;
        self.at_latest(due(dts_90khz) - self.lag_from_90khz - change)
    }

    /// When an audio unit is due.
    pub(crate) fn audio_due(&self, dts_90khz: i64) -> i64 {
        self.at_latest(due(dts_90khz))
    }

    fn at_latest(&self, due: i64) -> i64 {
        self.next_slice_due.map_or(due, |latest| latest.min(due))
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

#[cfg(test)]
mod tests {
    use media::{AccessUnit, AudioCodec, AudioConfig, Data, Track, VideoConfig};

    use super::*;

    const MS: i64 = 90;

    fn units(times_ms: impl Iterator<Item = i64>) -> Vec<AccessUnit<'static>> {
        let unit = |ms: i64| {
            let data = Data::Frame(&[]);
            AccessUnit { dts_90khz: ms * MS, pts_90khz: ms * MS, random_access: true, config: 0, data }
        };
        times_ms.map(unit).collect()
    }

    /// Pictures of 40 ms and audio frames of 20 ms, each track from one time until before another. Unit: ms.
    fn media(video: [i64; 2], audio: [i64; 2]) -> Media<'static> {
        let config = AudioConfig {
            codec: AudioCodec::Mp3,
            sample_rate_hz: 48_000,
            channels: None,
            frame_duration_90khz: 20 * 90,
            aac: None,
            has_adts_headers: false,
        };
        let video =
            Track::<VideoConfig<'_>> { units: units((video[0]..video[1]).step_by(40)), ..Track::default() };
        Media {
            video,
            audio: Track { configs: vec![config], units: units((audio[0]..audio[1]).step_by(20)) },
        }
    }

    /// How far before their decoding times video units of a slice are due beyond the usual; the state after it.
    fn lags_ms(media: &Media<'_>, state: &MuxerState) -> (Vec<i64>, MuxerState) {
        let leads = Leads::new(media, state);
        let lag = |unit: &AccessUnit<'_>| due(unit.dts_90khz) - leads.video_due(unit.dts_90khz);
        let lags = media.video.units.iter().map(|unit| lag(unit) / MS).collect();
        let mut state = MuxerState { pcr_90khz: Some(0), ..*state };
        leads.leave(&mut state);
        (lags, state)
    }

    #[test]
    fn video_is_early_by_what_audio_lags_and_changes_evenly() {
        let (lags, state) = lags_ms(&media([0, 2_040], [0, 1_600]), &MuxerState::default());
        assert!(lags.iter().all(|&lag| lag == 400), "a session begins with the lag of its first slice");
        let (lags, state) = lags_ms(&media([2_040, 4_080], [1_600, 3_940]), &state);
        assert!(lags.windows(2).all(|pair| (5..=7).contains(&(pair[0] - pair[1]))), "{lags:?}");
        assert_eq!((lags[0], lags[50], state.audio_lag_90khz), (400, 100, 9_000));
        // Audio that is ahead is no lag.
        let (lags, state) = lags_ms(&media([4_080, 6_120], [3_940, 6_300]), &state);
        assert_eq!((lags[0], lags[50], state.audio_lag_90khz), (100, 0, 0));
    }

    #[test]
    fn a_lag_has_a_limit() {
        let lag_ms = |audio_end, state: &MuxerState| {
            let (_, state) = lags_ms(&media([10_000, 12_040], [9_000, audio_end]), state);
            i64::from(state.audio_lag_90khz) / MS
        };
        let state = MuxerState::default();
        assert_eq!([11_240, 9_020].map(|end| lag_ms(end, &state)), [750, 750]);
        // A slice without audio goes by where audio has ended.
        let end = |ms: i64| MuxerState { audio_end_90khz: Some(ms * MS + PTS_BASE_90KHZ), ..state };
        assert_eq!([11_800, 9_000, 0].map(|ms| lag_ms(0, &end(ms))), [200, 750, 750]);
        assert_eq!(lag_ms(0, &state), 0, "without any audio");
        // Messages of two frames each end a frame later than their frames' length says.
        let mut media = media([0, 2_040], [0, 1_600]);
        media.audio.units.retain(|unit| unit.dts_90khz % (40 * MS) == 0);
        assert_eq!(lags_ms(&media, &state).1.audio_lag_90khz, 400 * 90);
    }

    #[test]
    fn audio_past_the_end_of_video_is_due_before_the_video_that_comes_next() {
        let due_ms = |media: &Media<'_>, state: &MuxerState, ms: i64| {
            (Leads::new(media, state).audio_due(ms * MS) - due(0)) / MS
        };
        let state = MuxerState::default();
        let early = media([0, 2_000], [0, 2_740]);
        assert_eq!([1_980, 2_000, 2_720].map(|ms| due_ms(&early, &state, ms)), [1_980, 2_000, 2_000]);
        // Where video has ended, audio goes on.
        assert_eq!(due_ms(&media([0, 2_000], [0, 2_800]), &state, 2_740), 2_740);
        // How long a lone picture lasts is told by the one before.
        let lone = media([2_000, 2_001], [0, 2_400]);
        assert_eq!(due_ms(&lone, &state, 2_300), 2_300);
        let before = MuxerState { video_dts_90khz: Some(1_900 * MS + PTS_BASE_90KHZ), ..state };
        assert_eq!(due_ms(&lone, &before, 2_300), 2_100);
    }
}
