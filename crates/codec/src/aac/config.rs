//! `AudioSpecificConfig` (14496-3 §1.6.2.1).

use super::{Error, ProgramConfig};
use crate::bits::{BitReader, EndOfBits};

/// What a muxer must know of an AAC stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AudioSpecificConfig {
    /// Audio object type of the core coder: 1 to 4 (2 is AAC LC).
    pub object_type: u8,
    /// Index of the core coder's sampling frequency: 0 to 12.
    pub sampling_frequency_index: u8,
    /// 1 to 7; 6 is 5.1, 7 is 7.1. 0 where [`program_config`](Self::program_config) says instead.
    pub channel_configuration: u8,
    /// The channels, where no configuration number has them: FFmpeg's 5.1 with side channels, for one.
    pub program_config: Option<ProgramConfig>,
    /// Output sample rate where spectral band replication is signalled explicitly, in Hz.
    pub extension_sample_rate_hz: Option<u32>,
    /// Parametric stereo is signalled explicitly.
    pub parametric_stereo: bool,
}

/// 14496-3 table 1.18.
const SAMPLING_FREQUENCIES_HZ: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

const SBR: u32 = 5;
const PS: u32 = 29;

impl AudioSpecificConfig {
    /// Samples a frame of the core coder.
    pub const SAMPLES_PER_FRAME: u32 = 1024;

    /// Reads the configuration.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn parse(record: &[u8]) -> Result<Self, Error> {
        let mut reader = BitReader::new(record);
        let mut object_type = read_object_type(&mut reader)?;
        let sampling_frequency_hz = read_sampling_frequency(&mut reader)?;
        let channel_configuration = reader.bits(4)?;
        let mut extension_sample_rate_hz = None;
        let parametric_stereo = object_type == PS;
        if object_type == SBR || object_type == PS {
            extension_sample_rate_hz = Some(read_sampling_frequency(&mut reader)?);
            object_type = read_object_type(&mut reader)?;
        }
        if !(1..=4).contains(&object_type) {
            return Err(Error::ObjectType { found: object_type });
        }
        if reader.flag()? {
            return Err(Error::ShortFrames);
        }
        let sampling_frequency_index = SAMPLING_FREQUENCIES_HZ
            .iter()
            .position(|&known| known == sampling_frequency_hz)
            .ok_or(Error::SamplingFrequency { found: sampling_frequency_hz })?;
        if channel_configuration > 7 {
            return Err(Error::ChannelConfiguration { found: channel_configuration });
        }
        if reader.flag()? {
            reader.skip(14)?; // coreCoderDelay
        }
        let extension_flag = reader.flag()?;
        let program_config = match channel_configuration {
            0 => Some(ProgramConfig::parse(&mut reader)?),
            _ => None,
        };
        let mut config = Self {
            object_type: object_type as u8,
            sampling_frequency_index: sampling_frequency_index as u8,
            channel_configuration: channel_configuration as u8,
            program_config,
            extension_sample_rate_hz,
            parametric_stereo,
        };
        // An extensionFlag of 1 has no meaning for object types 1 to 4.
        if extension_sample_rate_hz.is_none() && !extension_flag {
            // The extension at the end is optional: what cannot be read is not there.
            let _ = config.read_backward_compatible_extension(&mut reader);
        }
        Ok(config)
    }

    /// The configuration of a core coder without extensions, as an ADTS header says it; `None` for a reserved
    /// sampling frequency.
    pub(super) fn of_core(
        profile: u8,
        sampling_frequency_index: u8,
        channel_configuration: u8,
    ) -> Option<Self> {
        (usize::from(sampling_frequency_index) < SAMPLING_FREQUENCIES_HZ.len()).then_some(Self {
            object_type: profile + 1,
            sampling_frequency_index,
            channel_configuration,
            program_config: None,
            extension_sample_rate_hz: None,
            parametric_stereo: false,
        })
    }

    /// The configuration of the core coder as a record, for frames that came without one.
    ///
    /// Spectral band replication and parametric stereo are not named: decoders find them in the frame. Neither is a
    /// program config element, which the frame has where the channel configuration is 0.
    #[must_use]
    pub fn core_record(&self) -> [u8; 2] {
        let fields = u16::from(self.object_type) << 11
            | u16::from(self.sampling_frequency_index) << 7
            | u16::from(self.channel_configuration) << 3;
        fields.to_be_bytes()
    }

    /// SBR and PS signalled behind the core's configuration, so that old decoders pass over them.
    fn read_backward_compatible_extension(&mut self, reader: &mut BitReader<'_>) -> Result<(), Error> {
        if reader.bits(11)? != 0x2b7 || read_object_type(reader)? != SBR || !reader.flag()? {
            return Ok(());
        }
        self.extension_sample_rate_hz = Some(read_sampling_frequency(reader)?);
        self.parametric_stereo = reader.bits(11)? == 0x548 && reader.flag()?;
        Ok(())
    }

    /// The core coder's sample rate in Hz.
    #[must_use]
    pub fn core_sample_rate_hz(&self) -> u32 {
        SAMPLING_FREQUENCIES_HZ[usize::from(self.sampling_frequency_index)]
    }

    /// The output sample rate in Hz, after spectral band replication where it is signalled.
    #[must_use]
    pub fn sample_rate_hz(&self) -> u32 {
        self.extension_sample_rate_hz.unwrap_or_else(|| self.core_sample_rate_hz())
    }

    /// Output channels; `None` where the coded frames alone tell them.
    #[must_use]
    pub fn channels(&self) -> Option<u32> {
        if let Some(program_config) = &self.program_config {
            return Some(program_config.channels.into());
        }
        match self.channel_configuration {
            0 => None,
            1 if self.parametric_stereo => Some(2),
            7 => Some(8),
            channels => Some(channels.into()),
        }
    }

    /// Whether the core coder is that of a configuration that an ADTS header says, so that its frames can stand behind
    /// headers of this one. Where a frame itself tells the channels, this one must not tell them too.
    #[must_use]
    pub fn has_core_of(&self, adts: &Self) -> bool {
        self.object_type == adts.object_type
            && self.sampling_frequency_index == adts.sampling_frequency_index
            && self.channel_configuration == adts.channel_configuration
            && self.program_config == adts.program_config
    }
}

fn read_object_type(reader: &mut BitReader<'_>) -> Result<u32, EndOfBits> {
    match reader.bits(5)? {
        31 => Ok(32 + reader.bits(6)?),
        object_type => Ok(object_type),
    }
}

fn read_sampling_frequency(reader: &mut BitReader<'_>) -> Result<u32, EndOfBits> {
    match reader.bits(4)? {
        15 => reader.bits(24),
        index => Ok(SAMPLING_FREQUENCIES_HZ.get(index as usize).copied().unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(record: &[u8], object_type: u8, core_hz: u32, output_hz: u32, channels: u32) {
        let config = AudioSpecificConfig::parse(record).unwrap();
        let found = (
            config.object_type,
            config.core_sample_rate_hz(),
            config.sample_rate_hz(),
            config.channels().unwrap(),
        );
        assert_eq!(found, (object_type, core_hz, output_hz, channels));
    }

    #[test]
    fn configurations_of_common_encoders() {
        check(&[0x12, 0x10], 2, 44_100, 44_100, 2);
        check(&[0x11, 0x90, 0x56, 0xe5, 0x00], 2, 48_000, 48_000, 2);
        check(&[0x11, 0xb0], 2, 48_000, 48_000, 6);
        // HE-AAC, explicit and hierarchical: SBR over LC, 24 kHz core, 48 kHz output.
        check(&[0x2b, 0x11, 0x88, 0x00], 2, 24_000, 48_000, 2);
        // HE-AAC v2: PS over mono.
        check(&[0xeb, 0x09, 0x88, 0x00], 2, 24_000, 48_000, 2);
        // HE-AAC, explicit and backward compatible.
        check(&[0x13, 0x10, 0x56, 0xe5, 0x98], 2, 24_000, 48_000, 2);
        // HE-AAC v2, explicit and backward compatible; the same without PS, and with another syncword before it.
        check(&[0x13, 0x08, 0x56, 0xe5, 0x9d, 0x48, 0x80], 2, 24_000, 48_000, 2);
        check(&[0x13, 0x08, 0x56, 0xe5, 0x9d, 0x48, 0x00], 2, 24_000, 48_000, 1);
        check(&[0x13, 0x08, 0x56, 0xe5, 0x9d, 0x49, 0x80], 2, 24_000, 48_000, 1);
        // The frequency itself in place of an index.
        check(&[0x17, 0x80, 0x56, 0x22, 0x10], 2, 44_100, 44_100, 2);
    }

    #[test]
    fn an_extension_is_looked_for_behind_a_plain_core_alone() {
        // SBR to 96 kHz behind a core over which SBR to 48 kHz is signalled already.
        check(&[0x2b, 0x11, 0x88, 0x2b, 0x72, 0xc0], 2, 24_000, 48_000, 2);
        // SBR to 48 kHz where an extensionFlag of 1 says that other fields follow.
        check(&[0x13, 0x10, 0x56, 0xe5, 0x98], 2, 24_000, 48_000, 2);
        check(&[0x13, 0x11, 0x56, 0xe5, 0x98], 2, 24_000, 24_000, 2);
    }

    #[test]
    fn a_core_is_that_of_an_adts_header_whatever_extends_it() {
        let parse = |record: &[u8]| AudioSpecificConfig::parse(record).unwrap();
        let adts = AudioSpecificConfig::of_core(1, 6, 2).unwrap();
        for record in [&[0x13, 0x10][..], &[0x2b, 0x11, 0x88, 0x00], &[0x13, 0x10, 0x56, 0xe5, 0x98]] {
            assert!(parse(record).has_core_of(&adts), "{record:02x?}");
        }
        // Another object type, another frequency, other channels.
        for record in [[0x0b, 0x10], [0x12, 0x10], [0x13, 0x08]] {
            assert!(!parse(&record).has_core_of(&adts), "{record:02x?}");
        }
        // Channels that a record's program config element tells, and those that a frame tells.
        let frame_tells = AudioSpecificConfig::of_core(1, 6, 0).unwrap();
        let record = [&[0x13, 0x00, 0x05, 0x88, 0x00, 0x00], &[0; 8][..]].concat();
        assert!(parse(&record).program_config.is_some() && !parse(&record).has_core_of(&frame_tells));
    }

    #[test]
    fn the_core_of_a_configuration_is_written_as_it_is_read() {
        for record in [[0x12, 0x10], [0x11, 0xb0], [0x0a, 0x08], [0x25, 0xb8]] {
            assert_eq!(AudioSpecificConfig::parse(&record).unwrap().core_record(), record);
        }
    }

    #[test]
    fn what_adts_cannot_carry_is_refused() {
        assert_eq!(AudioSpecificConfig::parse(&[0x12]), Err(EndOfBits { position: 5 }.into()));
        assert_eq!(AudioSpecificConfig::parse(&[0xb9, 0x90]), Err(Error::ObjectType { found: 23 }));
        // xHE-AAC: the object type 42 is written as 31 and 10.
        assert_eq!(AudioSpecificConfig::parse(&[0xf9, 0x46, 0x40]), Err(Error::ObjectType { found: 42 }));
        assert_eq!(AudioSpecificConfig::parse(&[0x12, 0x14]), Err(Error::ShortFrames));
        assert_eq!(AudioSpecificConfig::parse(&[0x16, 0x90]), Err(Error::SamplingFrequency { found: 0 }));
        assert_eq!(AudioSpecificConfig::parse(&[0x12, 0x40]), Err(Error::ChannelConfiguration { found: 8 }));
    }
}
