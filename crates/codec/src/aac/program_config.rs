//! `program_config_element` (14496-3 §4.5.1.2): channels that no configuration number describes.

use super::Error;
use crate::bits::BitReader;

/// The element as it goes before the first element of a raw frame.
///
/// ADTS has no other place for it: a decoder that begins with any frame needs it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProgramConfig {
    bytes: [u8; Self::MAX_SIZE],
    size: u8,
    /// Output channels.
    pub channels: u8,
}

impl ProgramConfig {
    /// Bytes of the longest element that is taken: room for ten channel elements.
    pub const MAX_SIZE: usize = 12;

    /// Reads the element of an `AudioSpecificConfig`. Its comment is not kept.
    pub(crate) fn parse(reader: &mut BitReader<'_>) -> Result<Self, Error> {
        let mut writer = BitWriter::default();
        writer.put(ID_PCE, 3);
        for width in [4, 2, 4] {
            writer.copy(reader, width)?; // element_instance_tag, object_type, sampling_frequency_index
        }
        let mut counts = [0; 6];
        for (count, width) in counts.iter_mut().zip([4, 4, 4, 2, 3, 4]) {
            *count = writer.copy(reader, width)?;
        }
        // Mono and stereo mixdown, and the matrix mixdown with its surround flag.
        for width in [4, 4, 3] {
            if writer.copy(reader, 1)? == 1 {
                writer.copy(reader, width)?;
            }
        }
        let [front, side, back, low_frequency, data, coupling] = counts;
        let mut channels = low_frequency;
        for _ in 0..front + side + back {
            channels += 1 + writer.copy(reader, 1)?; // a channel pair element, or a single one
            writer.copy(reader, 4)?;
        }
        for _ in 0..low_frequency + data {
            writer.copy(reader, 4)?;
        }
        for _ in 0..coupling {
            writer.copy(reader, 5)?;
        }
        // In the configuration the comment follows at a byte of its own; in the frame it is left empty.
        reader.skip((8 - reader.position() % 8) % 8)?;
        let comment_size = reader.bits(8)?;
        reader.skip(u64::from(comment_size) * 8)?;
        let limit = Self::MAX_SIZE as u64 * 8 - 8;
        if writer.position > limit {
            return Err(Error::ProgramConfig { bits: writer.position, limit });
        }
        let size = writer.position.div_ceil(8) as u8 + 1;
        Ok(Self { bytes: writer.bytes, size, channels: channels as u8 })
    }

    /// The element, from its identifier to its empty comment.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.size)]
    }
}

/// `id_syn_ele` of a program config element.
const ID_PCE: u32 = 5;

/// Bits from the most significant on; those past the end are counted and lost.
#[derive(Default)]
struct BitWriter {
    bytes: [u8; ProgramConfig::MAX_SIZE],
    position: u64,
}

impl BitWriter {
    fn put(&mut self, value: u32, width: u32) {
        for bit in (0..width).rev() {
            if let Some(byte) = self.bytes.get_mut((self.position / 8) as usize) {
                *byte |= ((value >> bit & 1) as u8) << (7 - self.position % 8);
            }
            self.position += 1;
        }
    }

    fn copy(&mut self, reader: &mut BitReader<'_>, width: u32) -> Result<u32, Error> {
        let value = reader.bits(width)?;
        self.put(value, width);
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        aac::{AdtsHeader, AudioSpecificConfig, Error, MAX_FRAME_SIZE, ProgramConfig},
        bits::bytes_of,
    };

    /// What FFmpeg 5.1 writes for 5.1 with side channels at 48 kHz.
    const RECORD: &[u8] = &[
        0x11, 0x80, 0x04, 0xc8, 0x44, 0x00, 0x20, 0x00, 0xc4, 0x0d, 0x4c, 0x61, 0x76, 0x63, 0x35, 0x39, 0x2e,
        0x33, 0x37, 0x2e, 0x31, 0x30, 0x30, 0x56, 0xe5, 0x00,
    ];

    #[test]
    fn the_element_goes_before_each_frame() {
        let config = AudioSpecificConfig::parse(RECORD).unwrap();
        assert_eq!((config.channel_configuration, config.channels()), (0, Some(6)));
        let program_config = config.program_config.unwrap();
        assert_eq!(program_config.as_bytes()[0] >> 5, 5);
        assert_eq!(program_config.as_bytes().last(), Some(&0));
        let header = AdtsHeader::new(&config, 100).unwrap();
        let size = 7 + program_config.as_bytes().len();
        assert_eq!(header.as_bytes().len(), size);
        assert_eq!(header.as_bytes()[7..], *program_config.as_bytes());
        let length =
            u32::from_be_bytes([0, header.as_bytes()[3] & 3, header.as_bytes()[4], header.as_bytes()[5]])
                >> 5;
        assert_eq!(length as usize, size + 100);
    }

    #[test]
    fn channel_elements_of_every_kind_are_kept() {
        // A pair in front, a single one at the side, a pair at the back, one for low frequencies, two of data, and one
        // that is coupled.
        let element = "0000 01 0011 0001 0001 0001 01 010 0001 0 0 0 \
                       10000 00001 10010 0011 0100 0101 10110";
        let record = [bytes_of(&format!("00010 0011 0000 000 {element}")), vec![0]].concat();
        let found = AudioSpecificConfig::parse(&record).unwrap().program_config.unwrap();
        let expected = [bytes_of(&format!("101 {element}")), vec![0]].concat();
        assert_eq!((found.channels, found.as_bytes()), (6, expected.as_slice()));
    }

    #[test]
    fn every_cut_of_the_element_is_an_error() {
        let end = (3..RECORD.len()).find(|&end| AudioSpecificConfig::parse(&RECORD[..end]).is_ok());
        assert!(end.is_none_or(|end| end > 10), "{end:?}");
    }

    #[test]
    fn more_elements_than_any_layout_are_refused() {
        // 15 front, side and back elements each.
        let record = [&[0x11, 0x80, 0x04, 0xff, 0xf8][..], &[0; 64]].concat();
        let outcome = AudioSpecificConfig::parse(&record);
        assert!(matches!(outcome, Err(Error::ProgramConfig { .. })), "{outcome:?}");
    }

    /// An element of so many single channels in front and elements of data, as it stands in a record and in a frame.
    fn element(front: usize, data: usize) -> String {
        let rest = format!("{}{}", "00000".repeat(front), "0000".repeat(data));
        format!("0000 01 0110 {front:04b} 0000 0000 00 {data:03b} 0000 0 0 0 {rest}")
    }

    #[test]
    fn a_comment_at_a_byte_of_its_own_is_passed_over() {
        // Elements that end at each bit of a byte, and behind the comment SBR to 48 kHz.
        for front in 1..=8 {
            for comment in [&b""[..], b"abc"] {
                let config = bytes_of(&format!("00010 0110 0000 000 {}", element(front, 0)));
                let extension = bytes_of("01010110111 00101 1 0011");
                let record = [&config[..], &[comment.len() as u8], comment, &extension].concat();
                let found = AudioSpecificConfig::parse(&record).unwrap();
                assert_eq!(
                    (found.channels(), found.sample_rate_hz()),
                    (Some(front as u32), 48_000),
                    "{front}"
                );
            }
        }
    }

    #[test]
    fn an_element_is_taken_up_to_its_limit() {
        let parse = |front, data| {
            let config = bytes_of(&format!("00010 0110 0000 000 {}", element(front, data)));
            AudioSpecificConfig::parse(&[&config[..], &[0]].concat())
        };
        let config = parse(7, 4).unwrap();
        let longest = config.program_config.unwrap();
        assert_eq!(longest.as_bytes(), [bytes_of(&format!("101 {}", element(7, 4))), vec![0]].concat());
        assert_eq!(longest.as_bytes().len(), ProgramConfig::MAX_SIZE);
        assert_eq!(parse(8, 3), Err(Error::ProgramConfig { bits: 89, limit: 88 }));
        assert_eq!(parse(10, 0).unwrap().channels(), Some(10));
        // Behind it the longest frame fills the length, which has 13 bits.
        let header = AdtsHeader::new(&config, MAX_FRAME_SIZE).unwrap();
        assert_eq!(header.as_bytes().len() + MAX_FRAME_SIZE, 0x1fff);
        assert_eq!((header.as_bytes()[3] & 3, header.as_bytes()[4], header.as_bytes()[5]), (3, 0xff, 0xff));
    }
}
