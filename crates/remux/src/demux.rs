//! A chunk's tags to access units on the session's clock.

use flv::{AudioTagHeader, Reader, TagClass, TagKind, VideoTagHeader};
use media::{AudioCodec, Media, RepairKind, Repairs, Timeline, TrackKind, VideoCodec};

use crate::{
    Chunk, LeftOut, SessionState,
    audio::{AudioAssembler, Outcome},
    clock::Clock,
    composition, left_out,
    state::{fingerprint, video_fingerprint},
    video::VideoAssembler,
};

/// What a chunk holds.
#[derive(Debug)]
pub struct Demuxed<'a> {
    /// Its tracks.
    pub media: Media<'a>,
    /// What was set right.
    pub repairs: Repairs,
    /// What cannot be recorded.
    pub left_out: Vec<LeftOut>,
    /// A track's configuration differs from the one before it, in this chunk or since the last.
    pub configuration_changed: bool,
}

/// Reads a whole chunk and moves `state` past it.
///
/// # Errors
/// When the chunk is not FLV; `state` is then of no use.
pub fn demux<'a>(
    chunk: impl Into<Chunk<'a>>,
    state: &mut SessionState<'a>,
) -> Result<Demuxed<'a>, flv::Error> {
    let chunk = chunk.into();
    let mut video = VideoAssembler::default();
    // MPEG-4 headers may come in the first keyframe alone, and a later chunk begin without one.
    video.has_mpeg4_headers = state.video_config.is_some();
    video.carry(std::mem::take(&mut state.companions), state.video_config);
    let mut audio = AudioAssembler::default();
    let mut repairs = Repairs::default();
    let mut left_out = Vec::new();
    state.timeline.begin_chunk(chunk.arrival_ms);
    let mut clock = Clock::new(&mut state.timeline, &mut state.presentation, &mut repairs);
    let mut reader = Reader::new(chunk.bytes)?;
    while let Some(tag) = reader.next() {
        let tag = tag?;
        clock.advance(&reader);
        let timestamp_ms = tag.timestamp_ms;
        match tag.kind {
            // Script data describes the whole push and often wrongly; all of it is found in the media.
            TagKind::Script => {}
            // Empty messages are sent as keep-alives.
            _ if tag.body.is_empty() => {}
            TagKind::Video => match VideoTagHeader::parse(tag.body) {
                Ok(message) => match video_codec(&message) {
                    Some(codec) => {
                        video.push(codec, timestamp_ms, &message, &mut clock);
                    }
                    None if !matches!(message.class(), TagClass::SequenceHeader { .. })
                        && !message.class().is_frame() => {}
                    None => left_out::count(&mut left_out, TrackKind::Video, message.codec.name()),
                },
                Err(_) => clock.repairs.count(RepairKind::MessageMalformed),
            },
            TagKind::Audio => match AudioTagHeader::parse(tag.body) {
                Ok(message) => {
                    let outcome = audio_codec(&message).map_or(Outcome::LeftOut, |codec| {
                        audio.push(codec, timestamp_ms, &message, &mut clock)
                    });
                    if outcome == Outcome::LeftOut {
                        left_out::count(&mut left_out, TrackKind::Audio, message.codec.name());
                    }
                }
                Err(_) => clock.repairs.count(RepairKind::MessageMalformed),
            },
        }
    }
    state.companions = video.take_companions(&mut repairs);
    let mut media = Media { video: video.track, audio: audio.track };
    settle(&mut media, &mut state.timeline);
    composition::shift_decoding(&mut media.video.units, state, &mut repairs);
    let changes = remember_configs(&media, state);
    (0..changes).for_each(|_| repairs.count(RepairKind::ConfigurationChanged));
    Ok(Demuxed { media, repairs, left_out, configuration_changed: changes > 0 })
}

/// Lets the session begin with its earliest access unit, once its first chunk has told which that is.
fn settle(media: &mut Media<'_>, timeline: &mut Timeline) {
    let first = [media.video.units.first(), media.audio.units.first()];
    let Some(earliest) = first.into_iter().flatten().map(|unit| unit.dts_90khz).min() else { return };
    let by = timeline.settle(earliest);
    if by != 0 {
        for unit in media.video.units.iter_mut().chain(&mut media.audio.units) {
            unit.dts_90khz += by;
            unit.pts_90khz += by;
        }
    }
}

/// The codec of a message that is recorded.
pub(crate) fn video_codec(message: &VideoTagHeader<'_>) -> Option<VideoCodec> {
    match message.codec {
        _ if message.track != 0 => None,
        flv::VideoCodec::Avc => Some(VideoCodec::H264),
        flv::VideoCodec::Hevc => Some(VideoCodec::Hevc),
        flv::VideoCodec::Mpeg4 => Some(VideoCodec::Mpeg4),
        flv::VideoCodec::Legacy(_) | flv::VideoCodec::Enhanced(_) => None,
    }
}

/// The codec of a message that is recorded.
pub(crate) fn audio_codec(message: &AudioTagHeader<'_>) -> Option<AudioCodec> {
    match message.codec {
        _ if message.track != 0 => None,
        flv::AudioCodec::Aac => Some(AudioCodec::Aac),
        flv::AudioCodec::Mp3 => Some(AudioCodec::Mp3),
        flv::AudioCodec::Legacy(_) | flv::AudioCodec::Enhanced(_) => None,
    }
}

/// Keeps the fingerprints of the configurations last used; how often one followed another.
fn remember_configs(media: &Media<'_>, state: &mut SessionState<'_>) -> usize {
    let video = media.video.units.iter().map(|unit| unit.config);
    let video = distinct(video).into_iter().map(|index| {
        let config = &media.video.configs[index as usize];
        video_fingerprint(config)
    });
    let audio = media.audio.units.iter().map(|unit| unit.config);
    let audio = distinct(audio).into_iter().map(|index| {
        let config = &media.audio.configs[index as usize];
        let rate = config.sample_rate_hz.to_be_bytes();
        fingerprint(&[config.codec.name().as_bytes(), config.record, &rate, &config.channels.to_be_bytes()])
    });
    remember(&mut state.video_config, video) + remember(&mut state.audio_config, audio)
}

/// The configurations in use; access units name them in rising order.
fn distinct(configs: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut configs: Vec<u32> = configs.collect();
    configs.dedup();
    configs
}

fn remember(last: &mut Option<u64>, used: impl Iterator<Item = u64>) -> usize {
    used.filter(|&config| last.replace(config).is_some_and(|before| before != config)).count()
}
