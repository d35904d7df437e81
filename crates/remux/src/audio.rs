//! Audio messages to access units.

use codec::aac;
use codec::aac::AudioSpecificConfig;
use codec::mpa::FrameHeader;
use flv::{AudioPacket, AudioTagHeader};
use media::{AccessUnit, AudioCodec, AudioConfig, Data, RepairKind, Repairs, Track};

use crate::clock::Clock;

/// The audio track of a chunk as it is put together.
#[derive(Debug, Default)]
pub(crate) struct AudioAssembler<'a> {
    pub(crate) track: Track<'a, AudioConfig<'a>>,
    /// The last sequence header describes AAC that ADTS cannot carry.
    unsupported: bool,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is in the track, or was a sequence header, or was dropped and counted as a repair.
    Taken,
    /// Its profile has no place in a transport stream.
    LeftOut,
}

impl<'a> AudioAssembler<'a> {
    /// Takes a message of a codec that is recorded.
    pub(crate) fn push(
        &mut self,
        codec: AudioCodec,
        timestamp_ms: u32,
        message: &AudioTagHeader<'a>,
        clock: &mut Clock<'_, 'a>,
    ) -> Outcome {
        match (codec, message.packet) {
            (AudioCodec::Aac, AudioPacket::SequenceHeader) => {
                self.configure_aac(message.payload, clock.repairs)
            }
            (AudioCodec::Aac, AudioPacket::Frame) if self.unsupported => return Outcome::LeftOut,
            (AudioCodec::Aac, AudioPacket::Frame) => {
                if self.track.configs.last().is_none_or(|config| config.codec != codec) {
                    clock.repairs.count(RepairKind::SequenceHeaderMissing);
                } else if message.payload.is_empty() || message.payload.len() > aac::MAX_FRAME_SIZE {
                    clock.repairs.count(RepairKind::MessageMalformed);
                } else {
                    self.add(timestamp_ms, message.payload, clock);
                }
            }
            (AudioCodec::Mp3, AudioPacket::Frame) => match FrameHeader::parse(message.payload) {
                Ok(header) if message.payload.len() <= mpegts::MAX_AUDIO_SIZE => {
                    self.configure_mp3(&header);
                    self.add(timestamp_ms, message.payload, clock);
                }
                _ => clock.repairs.count(RepairKind::MessageMalformed),
            },
            _ => {}
        }
        Outcome::Taken
    }

    fn configure_aac(&mut self, record: &'a [u8], repairs: &mut Repairs) {
        match AudioSpecificConfig::parse(record) {
            Ok(config) => {
                self.unsupported = false;
                self.set(AudioConfig {
                    codec: AudioCodec::Aac,
                    sample_rate_hz: config.sample_rate_hz(),
                    channels: config.channels(),
                    frame_duration_90khz: frame_duration(
                        AudioSpecificConfig::SAMPLES_PER_FRAME,
                        config.core_sample_rate_hz(),
                    ),
                    record,
                });
            }
            Err(aac::Error::Truncated(_)) => repairs.count(RepairKind::SequenceHeaderMalformed),
            Err(_) => self.unsupported = true,
        }
    }

    fn configure_mp3(&mut self, header: &FrameHeader) {
        self.set(AudioConfig {
            codec: AudioCodec::Mp3,
            sample_rate_hz: header.sample_rate_hz,
            channels: header.channels,
            frame_duration_90khz: frame_duration(header.samples, header.sample_rate_hz),
            record: &[],
        });
    }

    fn set(&mut self, config: AudioConfig<'a>) {
        if self.track.configs.last() == Some(&config) {
            return;
        }
        // A configuration that no frame used leaves no trace.
        let used = self.track.units.last().map_or(0, |unit| unit.config as usize + 1);
        self.track.configs.truncate(used);
        self.track.configs.push(config);
    }

    fn add(&mut self, timestamp_ms: u32, frame: &'a [u8], clock: &mut Clock<'_, 'a>) {
        let Some(config) = self.track.configs.last() else { return };
        let dts_90khz = clock.audio(timestamp_ms, config.frame_duration_90khz);
        self.track.units.push(AccessUnit {
            dts_90khz,
            pts_90khz: dts_90khz,
            random_access: true,
            config: self.track.configs.len() as u32 - 1,
            data: Data::Whole(frame),
        });
    }
}

/// Samples at a rate on the 90 kHz clock, rounded.
fn frame_duration(samples: u32, sample_rate_hz: u32) -> u32 {
    (samples * 90_000 + sample_rate_hz / 2) / sample_rate_hz
}
