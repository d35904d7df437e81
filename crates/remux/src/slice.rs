//! The one door: a chunk and a state in, a slice and its muxer out.

use media::{AccessUnit, Media, PictureSize, RepairKind, Repairs, TimelinePolicy};
use mpegts::{Muxer, MuxerPolicy};

use crate::{
    Chunk, Demuxed, Error, LeftOut, Samples, SessionState,
    demux::{SampleFacts, demux},
    extent::{Extent, extent, last_message, last_picture},
};

/// What the caller may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Longer chunks are refused. Default: 32 MiB.
    pub max_bytes: u64,
    /// What counts as a jump of the push's clock.
    pub timeline: TimelinePolicy,
    /// How densely the transport stream's clock is written.
    pub muxer: MuxerPolicy,
}

impl Default for Policy {
    fn default() -> Self {
        Self { max_bytes: 32 << 20, timeline: TimelinePolicy::default(), muxer: MuxerPolicy::default() }
    }
}

/// The video track of a slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoTrack {
    /// `h264`, `hevc` or `mpeg4`.
    pub codec: &'static str,
    /// The size of the pictures that the slice begins with, where the stream tells it.
    pub size: Option<PictureSize>,
    /// Access units in the slice.
    pub access_units: u32,
}

/// The audio track of a slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioTrack {
    /// `aac` or `mp3`.
    pub codec: &'static str,
    /// Output sample rate in Hz.
    pub sample_rate_hz: u32,
    /// Output channels; `None` where the coded frames alone tell them.
    pub channels: Option<u32>,
    /// Audio messages in the slice; each holds one frame, of MP3 maybe several.
    pub frames: u32,
}

/// What became of a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Bytes of the chunk that were read: its whole length.
    pub consumed: u64,
    /// Bytes that the muxer will write, exactly. 0: nothing to record.
    pub size: u64,
    /// Where the slice begins, since the session's earliest access unit. Rises from slice to slice. The begin of
    /// a slice less that of the one before is exactly how long that one plays. Unit: 1/90 000 s.
    pub start_90khz: u64,
    /// From there to the end of the last track. How long the last picture lasts is an estimate until the next slice
    /// begins. Unit: 1/90 000 s.
    pub duration_90khz: u64,
    /// How long the push was not recorded right before the slice, by its own clock; 0 for less than a second. Media time
    /// goes on without it. Unit: 1/90 000 s.
    pub paused_90khz: u64,
    /// Decoding can begin with this slice.
    pub independent: bool,
    /// Tracks or their configuration do not continue the slice before.
    pub discontinuity: bool,
    /// The video track, where there is one.
    pub video: Option<VideoTrack>,
    /// The audio track, where there is one.
    pub audio: Option<AudioTrack>,
    /// What was set right.
    pub repairs: Repairs,
    /// What cannot be recorded.
    pub left_out: Vec<LeftOut>,
    /// The state for the next chunk, encoded.
    pub state: Vec<u8>,
}

/// Remuxes one chunk.
///
/// `state` is empty for a session's first chunk and [`Slice::state`] of the one before for every other. The
/// whole chunk is read and checked here; the muxer cannot fail.
///
/// # Errors
/// See [`Error`]; nothing of the session is lost, the next chunk goes with the same state.
pub fn remux<'a>(
    chunk: impl Into<Chunk<'a>>,
    state: &'a [u8],
    policy: &Policy,
) -> Result<(Slice, Muxer<'a>), Error> {
    read(chunk.into(), state, policy).map(|(slice, muxer, ..)| (slice, muxer))
}

/// Remuxes one chunk, and gives its samples as well.
///
/// Slice and samples are of one pass: they share its repairs and its times. The state is the same whether samples are
/// asked for or not, and whether the muxer is used or not.
///
/// # Errors
/// As [`remux`].
pub fn remux_with_samples<'a>(
    chunk: impl Into<Chunk<'a>>,
    state: &'a [u8],
    policy: &Policy,
) -> Result<(Slice, Muxer<'a>, Samples<'a>), Error> {
    let (slice, muxer, facts, last_durations) = read(chunk.into(), state, policy)?;
    let samples = Samples::new(muxer.media(), &facts, last_durations);
    Ok((slice, muxer, samples))
}

/// What a chunk is read as; the last two are for [`Samples::new`].
type Read<'a> = (Slice, Muxer<'a>, SampleFacts<'a>, [i64; 2]);

fn read<'a>(chunk: Chunk<'a>, state: &'a [u8], policy: &Policy) -> Result<Read<'a>, Error> {
    let consumed = chunk.bytes.len() as u64;
    if consumed > policy.max_bytes {
        return Err(Error::TooLarge { found: consumed, limit: policy.max_bytes });
    }
    let mut state = SessionState::decode(state)?;
    state.timeline.policy = policy.timeline;
    let Demuxed { media, mut repairs, left_out, configuration_changed, facts } = demux(chunk, &mut state)?;
    count_behind_clock(&media, state.muxer.pcr_90khz, &mut repairs);
    let Extent { start_90khz, duration_90khz } = extent(&media, &mut state);
    let leading = media.video.units.first().or(media.audio.units.first());
    let independent = leading.is_some_and(|unit| unit.random_access);
    let (video, audio) = (video_track(&media), audio_track(&media));
    let last_durations = [last_picture(&media, &state), last_message(&media, &state)];
    let muxer = Muxer::new(media, &state.muxer, policy.muxer)?;
    state.muxer = muxer.end_state();
    let slice = Slice {
        consumed,
        size: muxer.size(),
        start_90khz,
        duration_90khz,
        paused_90khz: state.timeline.paused_90khz(),
        independent,
        discontinuity: configuration_changed || muxer.program_changed(),
        video,
        audio,
        repairs,
        left_out,
        state: state.encode(),
    };
    Ok((slice, muxer, facts, last_durations))
}

/// Counts access units whose decoding time the clock had passed when the slice before ended.
fn count_behind_clock(media: &Media<'_>, pcr_90khz: Option<i64>, repairs: &mut Repairs) {
    let Some(pcr_90khz) = pcr_90khz else { return };
    for units in [&media.video.units, &media.audio.units] {
        let is_behind = |unit: &&AccessUnit<'_>| unit.dts_90khz + mpegts::PTS_BASE_90KHZ <= pcr_90khz;
        units.iter().take_while(is_behind).for_each(|_| repairs.count(RepairKind::TrackBehindClock));
    }
}

fn video_track(media: &Media<'_>) -> Option<VideoTrack> {
    let first = media.video.units.first()?;
    let config = &media.video.configs[first.config as usize];
    Some(VideoTrack {
        codec: config.codec.name(),
        size: config.size,
        access_units: media.video.units.len() as u32,
    })
}

fn audio_track(media: &Media<'_>) -> Option<AudioTrack> {
    let first = media.audio.units.first()?;
    let config = &media.audio.configs[first.config as usize];
    Some(AudioTrack {
        codec: config.codec.name(),
        sample_rate_hz: config.sample_rate_hz,
        channels: config.channels,
        frames: media.audio.units.len() as u32,
    })
}
