//! ADTS headers (14496-3 §1.A.2).

use super::{AudioSpecificConfig, ProgramConfig};

/// Bytes of the longest raw frame that an ADTS header can carry: 13 bits less the longest header.
pub const MAX_FRAME_SIZE: usize = (1 << 13) - 1 - AdtsHeader::MAX_SIZE;

/// What goes before each AAC frame: seven bytes without CRC, and the channels where no number describes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdtsHeader {
    bytes: [u8; Self::MAX_SIZE],
    size: u8,
}

impl AdtsHeader {
    /// Bytes of a header without a program config element.
    const FIXED_SIZE: usize = 7;

    /// Bytes of the longest header.
    pub const MAX_SIZE: usize = Self::FIXED_SIZE + ProgramConfig::MAX_SIZE;

    /// The header of a raw frame of `size` bytes, or `None` past [`MAX_FRAME_SIZE`].
    ///
    /// Spectral band replication and parametric stereo are not named: decoders find them in the frame.
    pub fn new(config: &AudioSpecificConfig, size: usize) -> Option<Self> {
        if size > MAX_FRAME_SIZE {
            return None;
        }
        let program_config = config.program_config.as_ref().map_or(&[][..], ProgramConfig::as_bytes);
        let header_size = Self::FIXED_SIZE + program_config.len();
        let length = (size + header_size) as u16;
        let profile = config.object_type - 1;
        let channels = config.channel_configuration;
        let mut bytes = [0; Self::MAX_SIZE];
        bytes[..Self::FIXED_SIZE].copy_from_slice(&[
            0xff,
            0xf1, // MPEG-4, layer 0, no CRC
            profile << 6 | config.sampling_frequency_index << 2 | channels >> 2,
            channels << 6 | (length >> 11) as u8,
            (length >> 3) as u8,
            (length << 5) as u8 | 0x1f, // a buffer fullness of all ones: variable rate
            0xfc,                       // one raw data block
        ]);
        bytes[Self::FIXED_SIZE..header_size].copy_from_slice(program_config);
        Some(Self { bytes, size: header_size as u8 })
    }

    /// The header.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.size)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_names_profile_rate_channels_and_length() {
        let config = AudioSpecificConfig::parse(&[0x12, 0x10]).unwrap();
        let header = AdtsHeader::new(&config, 0x1ff - 7).unwrap();
        assert_eq!(header.as_bytes(), [0xff, 0xf1, 0x50, 0x80, 0x3f, 0xff, 0xfc]);
        assert!(AdtsHeader::new(&config, MAX_FRAME_SIZE).is_some());
        assert_eq!(AdtsHeader::new(&config, MAX_FRAME_SIZE + 1), None);
    }

    #[test]
    fn five_point_one_spreads_over_two_bytes() {
        let config = AudioSpecificConfig::parse(&[0x11, 0xb0]).unwrap();
        let header = AdtsHeader::new(&config, 1).unwrap();
        assert_eq!(header.as_bytes()[2..4], [0x4d, 0x80]);
    }
}
