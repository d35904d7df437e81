//! Audio messages to access units.

use codec::{
    Configuration,
    aac::{self, AdtsFrame, AudioSpecificConfig},
    mpa::FrameHeader,
};
use flv::{AudioPacket, AudioTagHeader};
use media::{AccessUnit, AudioCodec, AudioConfig, Data, RepairKind, Repairs, Track};

use crate::{
    adts::{Continued, CutFrame, PartialFrame},
    clock::Clock,
    state::MAX_AUDIO_RECORD_SIZE,
};

/// Configurations of a track in one chunk. A chunk with more is hostile: each is held until the chunk is written.
const MAX_CONFIGS: usize = 256;

/// The audio track of a chunk as it is put together.
#[derive(Debug, Default)]
pub(crate) struct AudioAssembler<'a> {
    pub(crate) track: Track<'a, AudioConfig>,
    /// For each configuration of the track the sequence header or the ADTS header that says it; empty for MP3.
    pub(crate) records: Vec<&'a [u8]>,
    /// The AAC configuration in use, and the sequence header or the ADTS header that says it.
    aac: Option<(AudioSpecificConfig, &'a [u8])>,
    /// What frames of AAC are added with, as long as `aac` stays the same and no other codec comes between.
    raw_frame: Option<InUse>,
    /// The last sequence header describes AAC that ADTS cannot carry.
    is_unsupported: bool,
    /// An ADTS frame that goes on in the next message.
    partial: Option<PartialFrame<'a>>,
}

/// A configuration of the track, and how long its frames last. Unit: 1/90 000 s.
#[derive(Clone, Copy, Debug)]
struct InUse {
    config: u32,
    frame_90khz: u32,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is in the track, or was a sequence header, or was dropped and counted as a repair.
    Taken,
    /// Its profile or its codec has no place in a transport stream.
    LeftOut,
    /// It is framed as LOAS, which is not taken apart.
    Loas,
}

impl<'a> AudioAssembler<'a> {
    /// Goes on where the chunk before ended, with the record and the frame that it left.
    pub(crate) fn resume(record: Option<&'a [u8]>, partial: Option<PartialFrame<'a>>) -> Self {
        let mut assembler = Self { partial, ..Self::default() };
        if let Some(record) = record
            && let Some(Configuration::Aac(config)) = Configuration::aac(record)
        {
            assembler.set_aac(config, record);
        }
        assembler
    }

    /// What the next chunk has to know: the record of the AAC configuration in use, unless it is too long.
    pub(crate) fn record(&self) -> Option<&'a [u8]> {
        self.aac.map(|(_, record)| record).filter(|record| record.len() <= MAX_AUDIO_RECORD_SIZE)
    }

    /// The ADTS frame that goes on in the next chunk.
    pub(crate) fn partial(&mut self) -> Option<PartialFrame<'a>> {
        self.partial.take()
    }

    /// Takes a message of a codec that is recorded.
    pub(crate) fn push(
        &mut self,
        codec: AudioCodec,
        timestamp_ms: u32,
        message: &AudioTagHeader<'a>,
        clock: &mut Clock<'_, 'a>,
    ) -> Outcome {
        match (codec, message.packet) {
            (AudioCodec::Aac, AudioPacket::SequenceHeader) => self.configure(message.payload, clock.repairs),
            (AudioCodec::Aac, AudioPacket::Frame) => {
                return self.push_aac(timestamp_ms, message.payload, clock);
            }
            (AudioCodec::Mp3, AudioPacket::Frame) => self.push_mp3(timestamp_ms, message.payload, clock),
            (AudioCodec::Mp3, AudioPacket::SequenceHeader)
            | (_, AudioPacket::SequenceEnd | AudioPacket::MultichannelConfig | AudioPacket::Other(_)) => {}
        }
        Outcome::Taken
    }

    /// Takes a sequence header of AAC. One that cannot be used changes nothing.
    fn configure(&mut self, record: &'a [u8], repairs: &mut Repairs) {
        match Configuration::aac(record) {
            Some(Configuration::Aac(config)) => {
                self.is_unsupported = false;
                // The same configuration in other bytes is none.
                if self.aac.is_none_or(|(in_use, _)| in_use != config) {
                    self.set_aac(config, record);
                }
            }
            Some(_) => self.is_unsupported = true,
            None => repairs.count(RepairKind::SequenceHeaderMalformed),
        }
    }

    fn push_aac(&mut self, timestamp_ms: u32, payload: &'a [u8], clock: &mut Clock<'_, 'a>) -> Outcome {
        if let Some(partial) = self.partial.take() {
            match partial.go_on(payload) {
                Ok(continued) => {
                    self.go_on(timestamp_ms, continued, clock);
                    return Outcome::Taken;
                }
                Err(CutFrame) => clock.repairs.count(RepairKind::AdtsFrameCut),
            }
        }
        if payload.is_empty() {
            clock.repairs.count(RepairKind::MessageMalformed);
        } else if AdtsFrame::parse(payload).is_some() {
            self.push_adts(timestamp_ms, payload, clock);
        } else if aac::is_loas(payload) {
            return Outcome::Loas;
        } else if self.is_unsupported {
            return Outcome::LeftOut;
        } else {
            self.add_aac(timestamp_ms, 1, Data::Frame(payload), clock);
        }
        Outcome::Taken
    }

    /// Takes a message that goes on with an ADTS frame, and the frames after it.
    fn go_on(&mut self, timestamp_ms: u32, continued: Continued<'a>, clock: &mut Clock<'_, 'a>) {
        match continued {
            Continued::Whole(partial, frame, rest) => {
                let begin_ms = partial.timestamp_ms;
                let header = partial.pieces()[0].get(..frame.header_size);
                let pieces = partial.without(if is_kept_whole(frame) { 0 } else { frame.header_size });
                self.add_adts(begin_ms, frame, header, Data::Pieces(pieces), clock);
                if !rest.is_empty() {
                    self.push_adts(timestamp_ms, rest, clock);
                }
            }
            Continued::Partial(partial) => self.partial = Some(partial),
        }
    }

    /// Takes the ADTS frames of a message. The second and later ones follow a frame's duration after each other.
    fn push_adts(&mut self, timestamp_ms: u32, mut rest: &'a [u8], clock: &mut Clock<'_, 'a>) {
        clock.repairs.count(RepairKind::AdtsHeader);
        while !rest.is_empty() {
            self.partial = PartialFrame::begin(rest, timestamp_ms);
            if self.partial.is_some() {
                return;
            }
            let Some(frame) = AdtsFrame::parse(rest) else {
                clock.repairs.count(RepairKind::AdtsFrameCut);
                return;
            };
            let (bytes, after) = rest.split_at(frame.frame_size);
            let (header, raw) = bytes.split_at(frame.header_size);
            let data = if is_kept_whole(frame) { bytes } else { raw };
            self.add_adts(timestamp_ms, frame, Some(header), Data::Frame(data), clock);
            rest = after;
        }
    }

    /// Takes an ADTS frame; `header` where it is in one piece.
    fn add_adts(
        &mut self,
        timestamp_ms: u32,
        frame: AdtsFrame,
        header: Option<&'a [u8]>,
        data: Data<'a>,
        clock: &mut Clock<'_, 'a>,
    ) {
        if self.take_adts_config(frame, header, clock.repairs) {
            self.add_aac(timestamp_ms, frame.raw_frames, data, clock);
        } else {
            clock.repairs.count(RepairKind::AdtsFrameCut);
        }
    }

    /// Takes the configuration of an ADTS header, unless the sequence header says the same and maybe more. `false` where
    /// it is another one and the header in pieces, so that it cannot be kept for the next chunk.
    fn take_adts_config(
        &mut self,
        frame: AdtsFrame,
        header: Option<&'a [u8]>,
        repairs: &mut Repairs,
    ) -> bool {
        if self.aac.is_some_and(|(in_use, _)| in_use.has_core_of(&frame.config)) {
            return true;
        }
        let Some(header) = header else { return false };
        repairs.count(RepairKind::ConfigurationFromAdts);
        self.set_aac(frame.config, header);
        true
    }

    fn set_aac(&mut self, config: AudioSpecificConfig, record: &'a [u8]) {
        self.aac = Some((config, record));
        self.raw_frame = None;
    }

    fn push_mp3(&mut self, timestamp_ms: u32, payload: &'a [u8], clock: &mut Clock<'_, 'a>) {
        match FrameHeader::parse(payload) {
            Ok(header) if payload.len() <= mpegts::MAX_AUDIO_SIZE => {
                let config = AudioConfig {
                    codec: AudioCodec::Mp3,
                    sample_rate_hz: header.sample_rate_hz,
                    channels: Some(header.channels),
                    frame_duration_90khz: frame_duration(header.samples, header.sample_rate_hz),
                    aac: None,
                    has_adts_headers: false,
                };
                let in_use = self.take_config(config, &[]);
                self.add(timestamp_ms, in_use, Data::Frame(payload), clock);
            }
            _ => clock.repairs.count(RepairKind::MessageMalformed),
        }
    }

    /// Takes a raw frame, or an ADTS frame of several.
    fn add_aac(&mut self, timestamp_ms: u32, raw_frames: u8, data: Data<'a>, clock: &mut Clock<'_, 'a>) {
        let size = data.size();
        if self.aac.is_none() {
            clock.repairs.count(RepairKind::SequenceHeaderMissing);
            return;
        }
        // An ADTS frame that is kept whole has told its own size.
        if size == 0 || raw_frames == 1 && size > aac::MAX_FRAME_SIZE as u64 {
            clock.repairs.count(RepairKind::MessageMalformed);
            return;
        }
        let known = self.raw_frame.filter(|_| raw_frames == 1);
        if let Some(in_use) = known.or_else(|| self.take_aac_config(raw_frames)) {
            self.add(timestamp_ms, in_use, data, clock);
        }
    }

    fn take_aac_config(&mut self, raw_frames: u8) -> Option<InUse> {
        let (aac, record) = self.aac?;
        let config = AudioConfig {
            codec: AudioCodec::Aac,
            sample_rate_hz: aac.sample_rate_hz(),
            channels: aac.channels(),
            frame_duration_90khz: frame_duration(
                u32::from(raw_frames) * AudioSpecificConfig::SAMPLES_PER_FRAME,
                aac.core_sample_rate_hz(),
            ),
            aac: Some(aac),
            has_adts_headers: raw_frames > 1,
        };
        let in_use = self.take_config(config, record);
        self.raw_frame = Some(in_use).filter(|_| raw_frames == 1);
        Some(in_use)
    }

    /// Puts a configuration into the track, unless it is the one in use.
    fn take_config(&mut self, config: AudioConfig, record: &'a [u8]) -> InUse {
        self.raw_frame = None;
        let frame_90khz = config.frame_duration_90khz;
        let configs = &mut self.track.configs;
        let kind = |config: &AudioConfig| (config.codec, config.has_adts_headers);
        let is_same_kind = configs.last().is_some_and(|last| kind(last) == kind(&config));
        if configs.last() != Some(&config) && (configs.len() < MAX_CONFIGS || !is_same_kind) {
            configs.push(config);
            self.records.push(record);
        }
        InUse { config: configs.len() as u32 - 1, frame_90khz }
    }

    fn add(&mut self, timestamp_ms: u32, in_use: InUse, data: Data<'a>, clock: &mut Clock<'_, 'a>) {
        let InUse { config, frame_90khz } = in_use;
        let dts_90khz = clock.audio(timestamp_ms, frame_90khz);
        self.track.units.push(AccessUnit {
            dts_90khz,
            pts_90khz: dts_90khz,
            random_access: true,
            config,
            data,
        });
    }
}

/// Whether an ADTS frame keeps its header: where one of several raw frames ends is known to decoders alone.
fn is_kept_whole(frame: AdtsFrame) -> bool {
    frame.raw_frames > 1
}

/// Samples at a rate on the 90 kHz clock, rounded.
fn frame_duration(samples: u32, sample_rate_hz: u32) -> u32 {
    (samples * 90_000 + sample_rate_hz / 2) / sample_rate_hz
}
