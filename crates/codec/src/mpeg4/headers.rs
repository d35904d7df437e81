//! What comes before the first picture: visual object sequence, visual object, video object layer.

use crate::{
    PixelAspect,
    bits::{BitReader, EndOfBits},
};

/// `visual_object_sequence_start_code` (14496-2 table 6-3).
const VISUAL_OBJECT_SEQUENCE: u8 = 0xb0;
/// `group_of_vop_start_code`.
const GROUP_OF_VOP: u8 = 0xb3;
/// `visual_object_start_code`.
const VISUAL_OBJECT: u8 = 0xb5;
/// `vop_start_code`.
const VOP: u8 = 0xb6;

/// `aspect_ratio_info` of a ratio that is written out.
const EXTENDED_PAR: u8 = 15;

/// The start codes before the first picture, each with the bytes after it.
fn start_codes(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let codes = bytes.windows(4).enumerate().filter(|(_, window)| window[..3] == [0, 0, 1]);
    codes
        .map(|(position, window)| (window[3], &bytes[position + 4..]))
        .take_while(|&(code, _)| !begins_picture(code))
}

/// What stands before the first picture: the headers of the stream, with their user data.
#[must_use]
pub fn before_first_picture(bytes: &[u8]) -> &[u8] {
    let is_picture = |window: &[u8]| window[..3] == [0, 0, 1] && begins_picture(window[3]);
    let picture = bytes.windows(4).position(is_picture);
    &bytes[..picture.unwrap_or(bytes.len())]
}

/// Whether a start code begins a picture: a VOP, or the group of VOPs that stands before an I-VOP.
///
/// A group is no header of the stream: its time code is another each time, and only an I-VOP may follow it.
#[must_use]
pub fn begins_picture(code: u8) -> bool {
    matches!(code, GROUP_OF_VOP | VOP)
}

/// Whether a start code begins a video object layer header, without which nothing can be decoded.
#[must_use]
pub fn is_video_object_layer(code: u8) -> bool {
    (0x20..=0x2f).contains(&code)
}

/// Whether a start code begins the headers of a stream rather than a picture.
#[must_use]
pub fn is_header(code: u8) -> bool {
    matches!(code, 0x00..=0x2f | VISUAL_OBJECT_SEQUENCE | VISUAL_OBJECT)
}

/// `profile_and_level_indication` (14496-2 §6.2.2), where the headers begin with a visual object sequence; their
/// first start code may lack its prefix.
#[must_use]
pub fn profile_and_level(headers: &[u8]) -> Option<u8> {
    match *headers {
        [0, 0, 1, VISUAL_OBJECT_SEQUENCE, found, ..] | [VISUAL_OBJECT_SEQUENCE, found, ..] => Some(found),
        _ => None,
    }
}

/// What a video object layer header says of the stream (14496-2 §6.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoObjectLayer {
    /// Luma samples a row; 0 where the object is not rectangular.
    pub width: u32,
    /// Rows a frame; 0 where the object is not rectangular.
    pub height: u32,
    /// The shape of a pixel, where the header says it.
    pub pixel_aspect: Option<PixelAspect>,
}

impl VideoObjectLayer {
    /// Reads the first video object layer before a picture; `None` where there is none.
    ///
    /// # Errors
    /// When it ends early.
    pub fn find(headers: &[u8]) -> Result<Option<Self>, EndOfBits> {
        start_codes(headers)
            .find(|&(code, _)| is_video_object_layer(code))
            .map(|(_, layer)| Self::parse(layer))
            .transpose()
    }

    /// Reads what follows the start code of a video object layer.
    ///
    /// # Errors
    /// When it ends early.
    pub fn parse(layer: &[u8]) -> Result<Self, EndOfBits> {
        let mut reader = BitReader::new(layer);
        reader.skip(1 + 8)?; // random_accessible_vol, video_object_type_indication
        let mut version = 1;
        if reader.flag()? {
            version = reader.bits(4)?;
            reader.skip(3)?; // video_object_layer_priority
        }
        let pixel_aspect = match reader.bits(4)? as u8 {
            EXTENDED_PAR => PixelAspect::new(reader.bits(8)? as u16, reader.bits(8)? as u16),
            // The first five ratios of AVC are these.
            ratio @ 1..=5 => PixelAspect::of_idc(ratio),
            _ => None,
        };
        if reader.flag()? {
            reader.skip(2 + 1)?; // chroma_format, low_delay
            if reader.flag()? {
                reader.skip(79)?; // vbv_parameters
            }
        }
        let shape = reader.bits(2)?;
        if shape == 3 && version != 1 {
            reader.skip(4)?; // video_object_layer_shape_extension
        }
        reader.skip(1)?; // marker
        let resolution = reader.bits(16)?;
        reader.skip(1)?; // marker
        if reader.flag()? {
            // fixed_vop_time_increment has as many bits as the resolution's largest value, at least one.
            reader.skip(u64::from(u32::BITS - resolution.saturating_sub(1).leading_zeros()).max(1))?;
        }
        if shape != 0 {
            return Ok(Self { width: 0, height: 0, pixel_aspect });
        }
        reader.skip(1)?; // marker
        let width = reader.bits(13)?;
        reader.skip(1)?; // marker
        Ok(Self { width, height: reader.bits(13)?, pixel_aspect })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits::bytes_of;

    /// What FFmpeg 5.1 writes for 320 × 240 at 25 frames a second.
    const HEADERS: &[u8] = &[
        0, 0, 1, 0xb0, 0x01, 0, 0, 1, 0xb5, 0x89, 0x13, 0, 0, 1, 0, 0, 0, 1, 0x20, 0, 0xc4, 0x8d, 0x88, 0,
        0xcd, 0x0a, 0x04, 0x1e, 0x14, 0x63,
    ];

    #[test]
    fn headers_tell_size_and_profile() {
        let layer = VideoObjectLayer::find(HEADERS).unwrap();
        assert_eq!(
            layer,
            Some(VideoObjectLayer { width: 320, height: 240, pixel_aspect: PixelAspect::new(1, 1) })
        );
        assert_eq!(profile_and_level(HEADERS), Some(1));
        assert_eq!(profile_and_level(&[0xb0, 0xf5, 0, 0, 1, 0xb5]), Some(0xf5));
        assert_eq!((profile_and_level(&HEADERS[5..]), profile_and_level(&HEADERS[..4])), (None, None));
        assert_eq!(VideoObjectLayer::find(&[&[0, 0, 1, 0xb6, 0x10], HEADERS].concat()), Ok(None));
        assert!(is_header(0xb0) && is_header(0x20) && !is_header(0xb3) && !is_header(0xb6));
    }

    #[test]
    fn headers_end_where_a_group_of_vops_or_a_vop_begins() {
        let told = [HEADERS, b"\0\0\x01\xb2told"].concat();
        let (vop, group) = (&[0, 0, 1, 0xb6, 0x10][..], &[0, 0, 1, 0xb3, 0, 0x10, 7][..]);
        for picture in [&[][..], vop, &[vop, vop].concat(), &[group, vop].concat(), &[vop, group].concat()] {
            assert_eq!(before_first_picture(&[HEADERS, picture].concat()), HEADERS);
            assert_eq!(before_first_picture(&[&told, picture].concat()), told);
            assert_eq!(before_first_picture(picture), []);
            // A layer that stands behind it is no header of the stream.
            let layer = VideoObjectLayer::find(&[picture, HEADERS].concat()).unwrap();
            assert_eq!(layer.is_some(), picture.is_empty(), "{picture:02x?}");
        }
    }

    /// The size that a layer says whose shape, resolution and increment are written so, behind `fields` that may miss.
    fn size(fields: &str, shape: &str, increment: &str) -> (u32, u32) {
        let size = "1 0000101000000 1 0000011110000 1"; // 320 × 240
        let layer = bytes_of(&format!("0 00000001 {fields} {shape} 1 {increment} {size}"));
        let layer = VideoObjectLayer::parse(&layer).unwrap();
        (layer.width, layer.height)
    }

    #[test]
    fn a_fixed_increment_has_as_many_bits_as_its_largest_value() {
        let plain = "0 0001 0";
        assert_eq!(size(plain, "00", &format!("{:016b} 1 0", 25)), (320, 240));
        for (resolution, bits) in
            [(1, 1), (2, 1), (3, 2), (25, 5), (32, 5), (33, 6), (30_000, 15), (65_535, 16)]
        {
            let increment = format!("{resolution:016b} 1 1 {}", "1".repeat(bits));
            assert_eq!(size(plain, "00", &increment), (320, 240), "{resolution}");
        }
    }

    #[test]
    fn the_size_lies_behind_fields_that_may_miss() {
        let increment = format!("{:016b} 1 0", 25);
        let vbv = "1".repeat(79);
        for fields in [
            // A version and a priority, an aspect ratio of its own, control parameters; all, with those of the buffer.
            "1 0010 001 0001 0",
            "0 1111 00001100 00001011 0",
            "0 0001 1 01 1 0",
            &format!("1 0010 001 1111 00001100 00001011 1 01 1 1 {vbv}"),
        ] {
            assert_eq!(size(fields, "00", &increment), (320, 240), "{fields}");
        }
        // A shape of its own, in the first version and the second, tells no size.
        assert_eq!(size("0 0001 0", "11", &increment), (0, 0));
        assert_eq!(size("1 0010 001 0001 0", "11 0000", &increment), (0, 0));
        // They are whole where the increment ends: that of the first version has no extension before it.
        for (fields, end) in [("0 0001 0 11", 5), ("1 0010 001 0001 0 11 0101", 7)] {
            let layer = bytes_of(&format!("0 00000001 {fields} 1 {:016b} 1 1 1111", 16));
            assert!(VideoObjectLayer::parse(&layer[..end]).is_ok(), "{fields}");
            assert!(VideoObjectLayer::parse(&layer[..end - 1]).is_err(), "{fields}");
        }
    }

    #[test]
    fn the_shape_of_a_pixel_is_a_code_or_two_sides() {
        for (bits, expected) in [
            ("0000", None),
            ("0001", PixelAspect::new(1, 1)),
            ("0101", PixelAspect::new(40, 33)),
            ("0110", None),
            ("1111 00001100 00001011", PixelAspect::new(12, 11)),
            ("1111 00001100 00000000", None),
        ] {
            let size = "1 0000101000000 1 0000011110000 1";
            let layer = bytes_of(&format!("0 00000001 0 {bits} 0 00 1 {:016b} 1 0 {size}", 25));
            assert_eq!(VideoObjectLayer::parse(&layer).unwrap().pixel_aspect, expected, "{bits}");
        }
    }

    #[test]
    fn every_cut_is_an_error_or_nothing() {
        for cut in 0..HEADERS.len() {
            let outcome = VideoObjectLayer::find(&HEADERS[..cut]);
            assert!(cut > 27 || !matches!(outcome, Ok(Some(_))), "cut at {cut}: {outcome:?}");
        }
    }
}
