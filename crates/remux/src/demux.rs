//! A chunk's tags to access units on the session's clock.

use codec::aac::ProgramConfig;
use flv::{AudioCodec, AudioTagHeader, Reader, TagClass, TagKind, VideoTagHeader};
use media::{AudioConfig, Media, RepairKind, Repairs, Timeline};
use sample_table::MAX_SCRIPTS;

use crate::{
    Chunk, LeftOut, SessionState,
    audio::{AudioAssembler, Outcome},
    clock::Clock,
    composition,
    late_header::LateHeaders,
    left_out,
    recorded::{audio_codec, video_codec},
    state::fingerprint,
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
    /// What a transport stream does not carry, and a sample table does.
    pub(crate) facts: SampleFacts<'a>,
}

/// What of a chunk only its samples tell.
#[derive(Debug, Default)]
pub(crate) struct SampleFacts<'a> {
    /// For each audio configuration the sequence header or the ADTS header that says it; empty for MP3.
    pub(crate) audio_records: Vec<&'a [u8]>,
    /// The tracks come in messages of Enhanced RTMP.
    pub(crate) video_is_enhanced: bool,
    pub(crate) audio_is_enhanced: bool,
    /// Script data: when it came, on the clock of the access units, and its body.
    pub(crate) scripts: Vec<(i64, &'a [u8])>,
    /// Bytes of all of it.
    scripts_size: usize,
}

/// Bytes of a chunk's script data that files keep, at most: cue points and time codes of each picture fit. The tables of
/// a file's chunks are in memory together when it is written.
const MAX_SCRIPTS_SIZE: usize = 16 << 10;

impl<'a> SampleFacts<'a> {
    /// Adds script data, where it fits.
    fn add_script(&mut self, time_90khz: i64, body: &'a [u8]) {
        let size = self.scripts_size + body.len();
        if self.scripts.len() < MAX_SCRIPTS && size <= MAX_SCRIPTS_SIZE {
            self.scripts.push((time_90khz, body));
            self.scripts_size = size;
        }
    }
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
    let mut video = VideoAssembler::resume(state.video.as_ref(), std::mem::take(&mut state.leading_units));
    let mut audio = AudioAssembler::resume(state.audio_record, state.adts_frame.take());
    let mut repairs = Repairs::default();
    let mut left_out = Vec::new();
    state.timeline.begin_chunk(chunk.arrival);
    let mut clock = Clock::new(&mut state.timeline, &mut state.presentation, &mut repairs);
    let mut late_headers = LateHeaders::default();
    let mut facts = SampleFacts::default();
    let mut reader = Reader::new(chunk.bytes)?;
    while let Some(tag) = reader.next() {
        let tag = tag?;
        clock.advance(&reader);
        let timestamp_ms = tag.timestamp_ms;
        match tag.kind {
            // Empty messages are sent as keep-alives.
            _ if tag.body.is_empty() => {}
            TagKind::Script => {
                left_out::count_script(&mut left_out, tag.body);
                facts.add_script(clock.now(), tag.body);
            }
            TagKind::Video => match VideoTagHeader::parse(tag.body) {
                Ok(message) => match video_codec(&message) {
                    Some(codec) => {
                        facts.video_is_enhanced = message.is_enhanced;
                        if !video.is_decodable()
                            && message.class().is_frame()
                            && let Some(header) = late_headers.video(&reader)
                            && let Some(codec) = video_codec(&header)
                        {
                            video.push(codec, timestamp_ms, &header, &mut clock);
                        }
                        video.push(codec, timestamp_ms, &message, &mut clock);
                    }
                    None if !matches!(message.class(), TagClass::SequenceHeader { .. })
                        && !message.class().is_frame() => {}
                    None => left_out::count(&mut left_out, TagKind::Video, message.codec.name()),
                },
                Err(_) => clock.repairs.count(RepairKind::MessageMalformed),
            },
            TagKind::Audio => match AudioTagHeader::parse(tag.body) {
                Ok(message) => {
                    if audio.record().is_none()
                        && message.codec == AudioCodec::Aac
                        && audio_codec(&message).is_some()
                        && message.class().is_frame()
                        && let Some(header) = late_headers.audio(&reader)
                        && let Some(codec) = audio_codec(&header)
                    {
                        audio.push(codec, timestamp_ms, &header, &mut clock);
                    }
                    let outcome = audio_codec(&message).map_or(Outcome::LeftOut, |codec| {
                        facts.audio_is_enhanced = message.is_enhanced;
                        audio.push(codec, timestamp_ms, &message, &mut clock)
                    });
                    let codec = match outcome {
                        Outcome::Taken => continue,
                        Outcome::LeftOut => message.codec.name(),
                        Outcome::Loas => "aac-loas".into(),
                    };
                    left_out::count(&mut left_out, TagKind::Audio, codec);
                }
                Err(_) => clock.repairs.count(RepairKind::MessageMalformed),
            },
        }
    }
    (state.video, state.leading_units) = video.state(&mut repairs);
    (state.audio_record, state.adts_frame) = (audio.record(), audio.partial());
    let identities = video.identities;
    facts.audio_records = audio.records;
    let mut media = Media { video: video.track, audio: audio.track };
    settle(&mut media, &mut facts.scripts, &mut state.timeline);
    composition::shift_decoding(&mut media.video.units, state, &mut repairs);
    let changes = remember_configs(&media, &identities, state);
    (0..changes).for_each(|_| repairs.count(RepairKind::ConfigurationChanged));
    Ok(Demuxed { media, repairs, left_out, configuration_changed: changes > 0, facts })
}

/// Lets the session begin with its earliest access unit, once its first chunk has told which that is.
fn settle(media: &mut Media<'_>, scripts: &mut [(i64, &[u8])], timeline: &mut Timeline) {
    let first = [media.video.units.first(), media.audio.units.first()];
    let Some(earliest) = first.into_iter().flatten().map(|unit| unit.dts_90khz).min() else { return };
    let by = timeline.settle(earliest);
    if by != 0 {
        for unit in media.video.units.iter_mut().chain(&mut media.audio.units) {
            unit.dts_90khz += by;
            unit.pts_90khz += by;
        }
        scripts.iter_mut().for_each(|(time_90khz, _)| *time_90khz += by);
    }
}

/// Keeps the fingerprints of the configurations last used; how often one followed another.
///
/// `video` tells the configurations of the video track apart.
fn remember_configs(media: &Media<'_>, video: &[u64], state: &mut SessionState<'_>) -> usize {
    let used = distinct(media.video.units.iter().map(|unit| unit.config));
    let video = used.into_iter().map(|index| video[index as usize]);
    let used = distinct(media.audio.units.iter().map(|unit| unit.config));
    let audio = used.into_iter().map(|index| audio_fingerprint(&media.audio.configs[index as usize]));
    remember(&mut state.video_config, video) + remember(&mut state.audio_config, audio)
}

/// Tells an audio configuration from others.
fn audio_fingerprint(config: &AudioConfig) -> u64 {
    let rate = config.sample_rate_hz.to_be_bytes();
    let channels = config.channels.unwrap_or(0).to_be_bytes();
    let aac = config.aac.as_ref();
    let core =
        aac.map_or([0; 3], |aac| [aac.object_type, aac.sampling_frequency_index, aac.channel_configuration]);
    let program_config =
        aac.and_then(|aac| aac.program_config.as_ref()).map_or(&[][..], ProgramConfig::as_bytes);
    fingerprint([config.codec.name().as_bytes(), &rate, &channels, &core, program_config])
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
