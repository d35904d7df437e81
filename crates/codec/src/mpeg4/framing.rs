//! How FLV frames the parts of a picture: behind start codes, or behind lengths.
//!
//! FFmpeg's FLV muxer takes MPEG-4 for AVC where it has global headers, and then writes a 4-byte length in
//! place of each start code prefix. Other writers, and FFmpeg without global headers, leave the start codes.

use crate::nal::NalUnits;

/// `start_code_prefix` (14496-2 §6.2.1).
pub const START_CODE_PREFIX: &[u8] = &[0, 0, 1];

/// How a stream frames its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// As the standard has it.
    StartCodes,
    /// Behind lengths of 4 bytes.
    Lengths,
}

impl Framing {
    /// The framing of a frame; `last` is that of the frame before, which decides where both are possible.
    ///
    /// `None` when it is neither.
    #[must_use]
    pub fn of(frame: &[u8], last: Option<Self>) -> Option<Self> {
        let has_start_code = matches!(frame, [0, 0, 1, code, ..] if is_start_code(*code));
        match (has_start_code, split_lengths(frame).is_some()) {
            (true, true) => last.or(Some(Self::StartCodes)),
            (true, false) => Some(Self::StartCodes),
            (false, true) => Some(Self::Lengths),
            (false, false) => None,
        }
    }
}

/// Parts of a frame that are read at most; more are no frame.
const MAX_PARTS: usize = 8_192;

/// The parts of a frame behind lengths, each beginning with the value of its start code.
#[must_use]
pub fn split_lengths(frame: &[u8]) -> Option<Vec<&[u8]>> {
    let parts: Vec<&[u8]> = NalUnits::new(frame, 4).take(MAX_PARTS + 1).collect::<Result<_, _>>().ok()?;
    let is_valid = (1..=MAX_PARTS).contains(&parts.len()) && parts.iter().all(|part| is_start_code(part[0]));
    is_valid.then_some(parts)
}

/// Values of 14496-2 table 6-3 that video has: objects, layers, and those from the visual object sequence to
/// the video object plane.
fn is_start_code(code: u8) -> bool {
    matches!(code, 0x00..=0x2f | 0xb0..=0xb6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_tell_their_framing() {
        assert_eq!(Framing::of(&[0, 0, 1, 0xb6, 0x10], None), Some(Framing::StartCodes));
        assert_eq!(Framing::of(&[0, 0, 0, 2, 0xb6, 0x10], None), Some(Framing::Lengths));
        assert_eq!(Framing::of(&[0xb6, 0x10], None), None);
        assert_eq!(Framing::of(&[0, 0, 0, 9, 0xb6, 0x10], None), None);
    }

    #[test]
    fn parts_begin_with_start_codes_of_video() {
        for code in [0x00, 0x20, 0x2f, 0xb0, 0xb3, 0xb6] {
            assert_eq!(Framing::of(&[0, 0, 1, code, 0x10], None), Some(Framing::StartCodes), "{code:02x}");
            assert_eq!(Framing::of(&[0, 0, 0, 2, code, 0x10], None), Some(Framing::Lengths), "{code:02x}");
        }
        // Reserved ones, and those of systems and of other codecs.
        for code in [0x30, 0x65, 0xaf, 0xb7, 0xe0, 0xff] {
            assert_eq!(Framing::of(&[0, 0, 1, code, 0x10], None), None, "{code:02x}");
            assert_eq!(Framing::of(&[0, 0, 0, 2, code, 0x10], None), None, "{code:02x}");
        }
    }

    #[test]
    fn a_length_that_looks_like_a_start_code_is_told_by_the_frame_before() {
        let mut frame = vec![0; 4 + 0x1b6];
        frame[..5].copy_from_slice(&[0, 0, 1, 0xb6, 0xb6]);
        assert_eq!(Framing::of(&frame, Some(Framing::Lengths)), Some(Framing::Lengths));
        assert_eq!(Framing::of(&frame, Some(Framing::StartCodes)), Some(Framing::StartCodes));
    }

    #[test]
    fn more_parts_than_any_frame_has_are_none() {
        let frame = |parts: usize| [0, 0, 0, 1, 0xb6].repeat(parts);
        assert_eq!(split_lengths(&frame(MAX_PARTS)).map(|parts| parts.len()), Some(MAX_PARTS));
        assert_eq!(split_lengths(&frame(MAX_PARTS + 1)), None);
    }
}
