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
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.size)]
    }
}

/// What an ADTS header that was received says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdtsFrame {
    /// The configuration that the header implies. Where its `channel_configuration` is 0, the frame itself begins with
    /// a program config element.
    pub config: AudioSpecificConfig,
    /// Bytes before the first raw frame: 7, with a CRC 9 and two more for each further raw frame.
    pub header_size: usize,
    /// Bytes of header and raw frames together, at least `header_size`.
    pub frame_size: usize,
    /// Raw frames behind the header (`raw_data_block`), 1 to 4. Where one ends is known to decoders alone, unless
    /// there is a CRC.
    pub raw_frames: u8,
}

impl AdtsFrame {
    /// Bytes that are read of a header.
    pub const READ_SIZE: usize = AdtsHeader::FIXED_SIZE;

    /// Reads the header at the start of `bytes`, which may end before the frame does. `None` where it is none.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let &[_, b1, b2, b3, b4, b5, b6] = bytes.first_chunk()?;
        if !Self::may_begin(bytes) {
            return None;
        }
        let raw_frames = (b6 & 0x03) + 1;
        // A CRC, and where the second and later raw frames begin.
        let check_size = if b1 & 0x01 == 0 { 2 * usize::from(raw_frames) } else { 0 };
        let header_size = AdtsHeader::FIXED_SIZE + check_size;
        let frame_size = usize::from(b3 & 0x03) << 11 | usize::from(b4) << 3 | usize::from(b5 >> 5);
        let config = AudioSpecificConfig::of_core(b2 >> 6, b2 >> 2 & 0x0f, (b2 & 0x01) << 2 | b3 >> 6)?;
        (frame_size >= header_size).then_some(Self { config, header_size, frame_size, raw_frames })
    }

    /// Whether a header may begin with `bytes`, of which there may be too few for one: as far as there are, they are the
    /// syncword and layer 0.
    #[must_use]
    pub fn may_begin(bytes: &[u8]) -> bool {
        match *bytes {
            [] => false,
            [b0] => b0 == 0xff,
            [b0, b1, ..] => b0 == 0xff && b1 & 0xf6 == 0xf0,
        }
    }
}

/// Whether a message of AAC is framed as LOAS (14496-3 §1.7.3): a syncword, and the length of what follows.
#[must_use]
pub fn is_loas(message: &[u8]) -> bool {
    let Some(&[b0, b1, b2]) = message.first_chunk() else { return false };
    let length = usize::from(b1 & 0x1f) << 8 | usize::from(b2);
    u16::from(b0) << 3 | u16::from(b1 >> 5) == 0x2b7 && message.len() == 3 + length
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

    #[test]
    fn a_header_that_was_written_is_read_back() {
        for record in [[0x12, 0x10], [0x11, 0xb0], [0x0c, 0x08]] {
            let config = AudioSpecificConfig::parse(&record).unwrap();
            for size in [1, 300, 2_041, 5_000, MAX_FRAME_SIZE] {
                let header = AdtsHeader::new(&config, size).unwrap();
                let expected = AdtsFrame { config, header_size: 7, frame_size: 7 + size, raw_frames: 1 };
                assert_eq!(AdtsFrame::parse(header.as_bytes()), Some(expected));
            }
        }
    }

    #[test]
    fn a_crc_makes_the_header_longer() {
        let frame = AdtsFrame::parse(&[0xff, 0xf8, 0x50, 0x80, 0x02, 0x1f, 0xfc, 0xab, 0xcd]).unwrap();
        assert_eq!((frame.header_size, frame.frame_size), (9, 16));
    }

    #[test]
    fn several_raw_frames_stand_behind_one_header() {
        let frame = AdtsFrame::parse(&[0xff, 0xf1, 0x50, 0x80, 0x3f, 0xff, 0xfd]).unwrap();
        assert_eq!((frame.header_size, frame.frame_size, frame.raw_frames), (7, 511, 2));
        let frame = AdtsFrame::parse(&[0xff, 0xf0, 0x50, 0x80, 0x3f, 0xff, 0xff]).unwrap();
        assert_eq!((frame.header_size, frame.raw_frames), (7 + 3 * 2 + 2, 4));
    }

    #[test]
    fn the_begin_of_a_header_is_told_by_as_much_as_there_is() {
        let header = [0xff, 0xf1, 0x50, 0x80, 0x3f, 0xff, 0xfc];
        assert!((1..=header.len()).all(|size| AdtsFrame::may_begin(&header[..size])));
        assert!(!AdtsFrame::may_begin(&[]) && !AdtsFrame::may_begin(&[0x21]));
        assert!(!AdtsFrame::may_begin(&[0xff, 0xe1]));
    }

    #[test]
    fn what_is_no_adts_frame_is_refused() {
        for bytes in [
            &[0xff, 0xf1, 0x50, 0x80, 0x3f, 0xff][..],   // cut
            &[0xff, 0xe1, 0x50, 0x80, 0x3f, 0xff, 0xfc], // no syncword
            &[0xff, 0xf3, 0x50, 0x80, 0x3f, 0xff, 0xfc], // layer 2, as MPEG audio has
            &[0xff, 0xf1, 0x74, 0x80, 0x3f, 0xff, 0xfc], // reserved sampling frequencies
            &[0xff, 0xf1, 0x78, 0x80, 0x3f, 0xff, 0xfc],
            &[0xff, 0xf1, 0x50, 0x80, 0x00, 0x7f, 0xfc], // a length of 3
            &[0x21, 0x10, 0x04, 0x60, 0x8c, 0x1c, 0x00], // a raw frame
        ] {
            assert_eq!(AdtsFrame::parse(bytes), None, "{bytes:02x?}");
        }
    }

    #[test]
    fn loas_is_told_by_its_syncword_and_length() {
        assert!(is_loas(&[0x56, 0xe0, 0x02, 1, 2]));
        assert!(is_loas(&[&[0x56, 0xf2, 0x34][..], &[1; 0x1234]].concat()));
        assert!(
            !is_loas(&[0x56, 0xe0, 0x02, 1, 2, 3])
                && !is_loas(&[0x56, 0xe0])
                && !is_loas(&[0x21, 0x10, 0x04])
        );
    }
}
