//! ADTS headers (14496-3 §1.A.2).

use crate::AudioSpecificConfig;

/// Bytes of the longest raw frame that an ADTS header can carry: 13 bits less the header.
pub const MAX_FRAME_SIZE: usize = (1 << 13) - 1 - AdtsHeader::SIZE;

/// The seven bytes before each AAC frame, without CRC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdtsHeader(pub [u8; Self::SIZE]);

impl AdtsHeader {
    /// Bytes of a header.
    pub const SIZE: usize = 7;

    /// The header of a raw frame of `size` bytes, or `None` past [`MAX_FRAME_SIZE`].
    ///
    /// Spectral band replication and parametric stereo are not named: decoders find them in the frame.
    pub fn new(config: &AudioSpecificConfig, size: usize) -> Option<Self> {
        if size > MAX_FRAME_SIZE {
            return None;
        }
        let length = (size + Self::SIZE) as u16;
        let profile = config.object_type - 1;
        let channels = config.channel_configuration;
        Some(Self([
            0xff,
            0xf1, // MPEG-4, layer 0, no CRC
            profile << 6 | config.sampling_frequency_index << 2 | channels >> 2,
            channels << 6 | (length >> 11) as u8,
            (length >> 3) as u8,
            (length << 5) as u8 | 0x1f, // a buffer fullness of all ones: variable rate
            0xfc,                       // one raw data block
        ]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_names_profile_rate_channels_and_length() {
        let config = AudioSpecificConfig::parse(&[0x12, 0x10]).unwrap();
        let header = AdtsHeader::new(&config, 0x1ff - 7).unwrap();
        assert_eq!(header.0, [0xff, 0xf1, 0x50, 0x80, 0x3f, 0xff, 0xfc]);
        assert!(AdtsHeader::new(&config, 8184).is_some());
        assert_eq!(AdtsHeader::new(&config, 8185), None);
    }

    #[test]
    fn five_point_one_spreads_over_two_bytes() {
        let config = AudioSpecificConfig::parse(&[0x11, 0xb0]).unwrap();
        let header = AdtsHeader::new(&config, 1).unwrap();
        assert_eq!(header.0[2..4], [0x4d, 0x80]);
    }
}
