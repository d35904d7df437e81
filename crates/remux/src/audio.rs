//! Audio messages to access units.

use codec::{
    Configuration,
    aac::{self, AdtsFrame, AudioSpecificConfig},
    mpa::FrameHeader,
};
use flv::{AudioPacket, AudioTagHeader};
use media::{AccessUnit, AudioCodec, AudioConfig, Data, RepairKind, Repairs, Track};

use crate::{adts::PartialFrame, clock::Clock, state::MAX_AUDIO_RECORD_SIZE};

/// Configurations of a track in one chunk. A chunk with more is hostile: each is held until the chunk is written.
const MAX_CONFIGS: usize = 256;

/// The audio track of a chunk as it is put together.
#[derive(Debug, Default)]
pub(crate) struct AudioAssembler<'a> {
    pub(crate) track: Track<'a, AudioConfig>,
    /// The AAC configuration in use, and the sequence header or the ADTS header that says it.
    aac: Option<(AudioSpecificConfig, &'a [u8])>,
    /// The last sequence header describes AAC that ADTS cannot carry.
    is_unsupported: bool,
    /// An ADTS frame that goes on in the next message.
    partial: Option<PartialFrame<'a>>,
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
    /// Goes on where the chunk before ended, with the record that it left.
    pub(crate) fn resume(record: Option<&'a [u8]>) -> Self {
        let mut assembler = Self::default();
        if let Some(record) = record
            && let Some(Configuration::Aac(config)) = Configuration::aac(record)
        {
            assembler.aac = Some((config, record));
        }
        assembler
    }

    /// What the next chunk has to know: the record of the AAC configuration in use, unless it is too long.
    pub(crate) fn record(&self) -> Option<&'a [u8]> {
        self.aac.map(|(_, record)| record).filter(|record| record.len() <= MAX_AUDIO_RECORD_SIZE)
    }

    /// The chunk ends.
    pub(crate) fn finish(&mut self, repairs: &mut Repairs) {
        if self.partial.take().is_some() {
            repairs.count(RepairKind::AdtsFrameCut);
        }
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
                    self.aac = Some((config, record));
                }
            }
            Some(_) => self.is_unsupported = true,
            None => repairs.count(RepairKind::SequenceHeaderMalformed),
        }
    }

    fn push_aac(&mut self, timestamp_ms: u32, payload: &'a [u8], clock: &mut Clock<'_, 'a>) -> Outcome {
        let rest = match self.partial.take() {
            Some(partial) => self.go_on(partial, payload, clock),
            None => payload,
        };
        if rest.is_empty() {
            if payload.is_empty() {
                clock.repairs.count(RepairKind::MessageMalformed);
            }
        } else if AdtsFrame::parse(rest).is_some() {
            clock.repairs.count(RepairKind::AdtsHeader);
            self.push_adts(timestamp_ms, rest, clock);
        } else if aac::is_loas(rest) {
            return Outcome::Loas;
        } else if self.is_unsupported {
            return Outcome::LeftOut;
        } else {
            self.add_aac(timestamp_ms, Data::Frame(rest), clock);
        }
        Outcome::Taken
    }

    /// Goes on with an ADTS frame that the message before began; what is left of the message then.
    fn go_on(&mut self, partial: PartialFrame<'a>, payload: &'a [u8], clock: &mut Clock<'_, 'a>) -> &'a [u8] {
        match partial.go_on(payload) {
            Ok((partial, rest)) if partial.is_whole() => {
                self.take_adts_config(partial.frame, partial.header, clock.repairs);
                self.add_aac(partial.timestamp_ms, Data::Pieces(partial.pieces), clock);
                rest
            }
            Ok((partial, _)) => {
                self.partial = Some(partial);
                &[]
            }
            Err(payload) => {
                clock.repairs.count(RepairKind::AdtsFrameCut);
                payload
            }
        }
    }

    /// Takes the ADTS frames of a message. The second and later ones follow a frame's duration after each other.
    fn push_adts(&mut self, timestamp_ms: u32, mut rest: &'a [u8], clock: &mut Clock<'_, 'a>) {
        while !rest.is_empty() {
            let Some(frame) = AdtsFrame::parse(rest).filter(|frame| frame.header_size <= rest.len()) else {
                clock.repairs.count(RepairKind::AdtsFrameCut);
                return;
            };
            let header = &rest[..frame.header_size];
            let Some((bytes, after)) = rest.split_at_checked(frame.frame_size) else {
                self.partial = Some(PartialFrame::begin(frame, rest, timestamp_ms));
                return;
            };
            rest = after;
            self.take_adts_config(frame, header, clock.repairs);
            self.add_aac(timestamp_ms, Data::Frame(&bytes[frame.header_size..]), clock);
        }
    }

    /// Takes the configuration of an ADTS header, unless the sequence header says the same and maybe more.
    fn take_adts_config(&mut self, frame: AdtsFrame, header: &'a [u8], repairs: &mut Repairs) {
        let is_known = self.aac.is_some_and(|(in_use, _)| in_use.has_core_of(&frame.config));
        if !is_known {
            repairs.count(RepairKind::ConfigurationFromAdts);
            self.aac = Some((frame.config, header));
        }
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
                };
                self.add(timestamp_ms, config, Data::Frame(payload), clock);
            }
            _ => clock.repairs.count(RepairKind::MessageMalformed),
        }
    }

    fn add_aac(&mut self, timestamp_ms: u32, data: Data<'a>, clock: &mut Clock<'_, 'a>) {
        let size = data.size();
        let Some((aac, _)) = self.aac else {
            clock.repairs.count(RepairKind::SequenceHeaderMissing);
            return;
        };
        if size == 0 || size > aac::MAX_FRAME_SIZE as u64 {
            clock.repairs.count(RepairKind::MessageMalformed);
            return;
        }
        let config = AudioConfig {
            codec: AudioCodec::Aac,
            sample_rate_hz: aac.sample_rate_hz(),
            channels: aac.channels(),
            frame_duration_90khz: frame_duration(
                AudioSpecificConfig::SAMPLES_PER_FRAME,
                aac.core_sample_rate_hz(),
            ),
            aac: Some(aac),
        };
        self.add(timestamp_ms, config, data, clock);
    }

    fn add(&mut self, timestamp_ms: u32, config: AudioConfig, data: Data<'a>, clock: &mut Clock<'_, 'a>) {
        let frame_duration_90khz = config.frame_duration_90khz;
        let configs = &mut self.track.configs;
        let is_same_codec = configs.last().is_some_and(|last| last.codec == config.codec);
        if configs.last() != Some(&config) && (configs.len() < MAX_CONFIGS || !is_same_codec) {
            configs.push(config);
        }
        let config = configs.len() as u32 - 1;
        let dts_90khz = clock.audio(timestamp_ms, frame_duration_90khz);
        self.track.units.push(AccessUnit {
            dts_90khz,
            pts_90khz: dts_90khz,
            random_access: true,
            config,
            data,
        });
    }
}

/// Samples at a rate on the 90 kHz clock, rounded.
fn frame_duration(samples: u32, sample_rate_hz: u32) -> u32 {
    (samples * 90_000 + sample_rate_hz / 2) / sample_rate_hz
}
