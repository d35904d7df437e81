//! Sequence parameter sets, as far as the picture's size and shape and what reading a slice header needs.

use super::Error;
use crate::{
    PixelAspect,
    bits::{BitReader, EndOfBits},
    nal,
};

/// What a sequence parameter set says of the stream (14496-10 §7.3.2.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SequenceParameterSet {
    /// `seq_parameter_set_id`: 0 to 31.
    pub id: u32,
    /// `profile_idc`.
    pub profile_idc: u8,
    /// `level_idc`.
    pub level_idc: u8,
    /// Luma samples a row, after cropping.
    pub width: u32,
    /// Rows a frame, after cropping.
    pub height: u32,
    /// The shape of a pixel, where the set says it.
    pub pixel_aspect: Option<PixelAspect>,
    /// What reading a slice header needs.
    pub slice_fields: SliceFields,
}

/// The fields of a sequence parameter set by which slice headers are read (14496-10 §7.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceFields {
    /// `separate_colour_plane_flag`.
    pub separate_colour_planes: bool,
    /// Bits of `frame_num`: 4 to 16.
    pub frame_num_bits: u32,
    /// `frame_mbs_only_flag`.
    pub frame_mbs_only: bool,
    /// How picture order counts are coded.
    pub picture_order_count: PictureOrderCount,
}

/// `pic_order_cnt_type` and what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureOrderCount {
    /// Type 0: each slice has `pic_order_cnt_lsb`.
    Lsb {
        /// Bits of the field: 4 to 16.
        bits: u32,
    },
    /// Type 1: slices have differences from an expected count.
    Delta {
        /// `delta_pic_order_always_zero_flag`: they leave them out.
        always_zero: bool,
    },
    /// Type 2: the count follows from `frame_num`.
    FrameNum,
}

/// Far more than any parameter set needs before its picture size: scaling lists included.
const READ_LIMIT: usize = 4096;

impl SequenceParameterSet {
    /// Reads the NAL unit of a sequence parameter set, its header byte included.
    ///
    /// # Errors
    /// [`Error::Sps`] when it ends early, [`Error::SpsRange`] when a field cannot be.
    pub fn parse(unit: &[u8]) -> Result<Self, Error> {
        let rbsp = nal::unescape(unit, READ_LIMIT);
        let mut reader = BitReader::new(&rbsp);
        reader.skip(8)?;
        let profile_idc = reader.bits(8)? as u8;
        reader.skip(8)?;
        let level_idc = reader.bits(8)? as u8;
        let id = limited("seq_parameter_set_id", reader.exp_golomb()?, 31)?;
        let mut chroma_format_idc = 1;
        let mut separate_colour_planes = false;
        if matches!(profile_idc, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135) {
            chroma_format_idc = limited("chroma_format_idc", reader.exp_golomb()?, 3)?;
            if chroma_format_idc == 3 {
                separate_colour_planes = reader.flag()?;
            }
            reader.exp_golomb()?; // bit_depth_luma_minus8
            reader.exp_golomb()?; // bit_depth_chroma_minus8
            reader.skip(1)?; // qpprime_y_zero_transform_bypass_flag
            if reader.flag()? {
                skip_scaling_lists(&mut reader, if chroma_format_idc == 3 { 12 } else { 8 })?;
            }
        }
        let frame_num_bits = limited("log2_max_frame_num_minus4", reader.exp_golomb()?, 12)? + 4;
        let picture_order_count = read_picture_order_count(&mut reader)?;
        reader.exp_golomb()?; // max_num_ref_frames
        reader.skip(1)?; // gaps_in_frame_num_value_allowed_flag
        let width_in_mbs = limited("pic_width_in_mbs_minus1", reader.exp_golomb()?, MAX_MBS)? + 1;
        let height_in_map_units =
            limited("pic_height_in_map_units_minus1", reader.exp_golomb()?, MAX_MBS)? + 1;
        let frame_mbs_only = reader.flag()?;
        if !frame_mbs_only {
            reader.skip(1)?; // mb_adaptive_frame_field_flag
        }
        reader.skip(1)?; // direct_8x8_inference_flag
        let crop = if reader.flag()? {
            [reader.exp_golomb()?, reader.exp_golomb()?, reader.exp_golomb()?, reader.exp_golomb()?]
        } else {
            [0; 4]
        };
        let fields = if frame_mbs_only { 1 } else { 2 };
        let chroma_array_type = if separate_colour_planes { 0 } else { chroma_format_idc };
        let crop_unit_x = if matches!(chroma_array_type, 1 | 2) { 2 } else { 1 };
        let crop_unit_y = if chroma_array_type == 1 { 2 } else { 1 } * fields;
        let width = cropped("frame_crop_offset", width_in_mbs * 16, crop_unit_x, crop[0], crop[1])?;
        let height =
            cropped("frame_crop_offset", height_in_map_units * 16 * fields, crop_unit_y, crop[2], crop[3])?;
        // What a set says of its use may be cut off: nothing else needs it.
        let pixel_aspect = read_pixel_aspect(&mut reader).unwrap_or_default();
        let slice_fields =
            SliceFields { separate_colour_planes, frame_num_bits, frame_mbs_only, picture_order_count };
        Ok(Self { id, profile_idc, level_idc, width, height, pixel_aspect, slice_fields })
    }
}

/// `aspect_ratio_idc` of a ratio that is written out.
const EXTENDED_SAR: u8 = 255;

/// The begin of the video usability information (14496-10 §E.1.1).
fn read_pixel_aspect(reader: &mut BitReader<'_>) -> Result<Option<PixelAspect>, EndOfBits> {
    let is_said = reader.flag()? && reader.flag()?; // vui_parameters_present_flag, aspect_ratio_info_present_flag
    if !is_said {
        return Ok(None);
    }
    Ok(match reader.bits(8)? as u8 {
        EXTENDED_SAR => PixelAspect::new(reader.bits(16)? as u16, reader.bits(16)? as u16),
        idc => PixelAspect::of_idc(idc),
    })
}

/// Level 6.2 allows rows of 1055 macroblocks; this leaves room and keeps every product in 32 bits.
const MAX_MBS: u32 = 4095;

fn limited(field: &'static str, found: u32, limit: u32) -> Result<u32, Error> {
    if found > limit { Err(Error::SpsRange { field, found, limit }) } else { Ok(found) }
}

fn cropped(field: &'static str, size: u32, unit: u32, before: u32, after: u32) -> Result<u32, Error> {
    let found = before.saturating_add(after);
    let limit = (size - 1) / unit;
    Ok(size - limited(field, found, limit)? * unit)
}

fn skip_scaling_lists(reader: &mut BitReader<'_>, count: u32) -> Result<(), Error> {
    for index in 0..count {
        if !reader.flag()? {
            continue;
        }
        let (mut last, mut next) = (8_i32, 8_i32);
        for _ in 0..if index < 6 { 16 } else { 64 } {
            if next != 0 {
                next = last.wrapping_add(reader.signed_exp_golomb()?) & 0xff;
            }
            last = if next == 0 { last } else { next };
        }
    }
    Ok(())
}

fn read_picture_order_count(reader: &mut BitReader<'_>) -> Result<PictureOrderCount, Error> {
    Ok(match limited("pic_order_cnt_type", reader.exp_golomb()?, 2)? {
        0 => {
            let field = "log2_max_pic_order_cnt_lsb_minus4";
            PictureOrderCount::Lsb { bits: limited(field, reader.exp_golomb()?, 12)? + 4 }
        }
        1 => {
            let always_zero = reader.flag()?;
            reader.signed_exp_golomb()?; // offset_for_non_ref_pic
            reader.signed_exp_golomb()?; // offset_for_top_to_bottom_field
            let count = limited("num_ref_frames_in_pic_order_cnt_cycle", reader.exp_golomb()?, 255)?;
            for _ in 0..count {
                reader.signed_exp_golomb()?; // offset_for_ref_frame
            }
            PictureOrderCount::Delta { always_zero }
        }
        _ => PictureOrderCount::FrameNum,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits::bytes_of;

    #[track_caller]
    fn check(unit: &[u8], profile_idc: u8, level_idc: u8, width: u32, height: u32) {
        let found = SequenceParameterSet::parse(unit).unwrap();
        let fields = (found.profile_idc, found.level_idc, found.width, found.height);
        assert_eq!(fields, (profile_idc, level_idc, width, height));
    }

    #[test]
    fn sizes_of_streams_that_x264_made() {
        check(
            &[
                0x67, 0x42, 0xc0, 0x28, 0xda, 0x01, 0xe0, 0x08, 0x9f, 0x97, 0x01, 0x10, 0x00, 0x00, 0x03,
                0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0x20, 0xf1, 0x83, 0x2a,
            ],
            66,
            40,
            1920,
            1080,
        );
        check(
            &[
                0x67, 0x4d, 0x40, 0x1e, 0xec, 0xa0, 0x50, 0x31, 0xf9, 0xf0, 0x11, 0x00, 0x00, 0x03, 0x00,
                0x01, 0x00, 0x00, 0x03, 0x00, 0x32, 0x1f, 0x14, 0x29, 0x96,
            ],
            77,
            30,
            640,
            360,
        );
        check(
            &[
                0x67, 0xf4, 0x00, 0x0d, 0x91, 0x9b, 0x28, 0x2a, 0x33, 0xc7, 0xc5, 0xe0, 0x22, 0x00, 0x00,
                0x03, 0x00, 0x02, 0x00, 0x00, 0x03, 0x00, 0x64, 0x1e, 0x28, 0x53, 0x2c,
            ],
            244,
            13,
            322,
            182,
        );
        check(
            &[
                0x67, 0x64, 0x00, 0x0c, 0xac, 0xd9, 0x41, 0x41, 0x9f, 0x9f, 0x01, 0x10, 0x00, 0x00, 0x03,
                0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0x20, 0xf1, 0x42, 0x99, 0x60,
            ],
            100,
            12,
            320,
            180,
        );
    }

    #[test]
    fn the_shape_of_a_pixel_is_read_where_it_is_said() {
        let ratio = PixelAspect::new;
        for (bits, expected) in [
            ("0", None),
            ("1 0", None),
            ("1 1 00000100", ratio(16, 11)),
            ("1 1 00000000", None),
            ("1 1 11111111 0000000001000000 0000000000101101", ratio(64, 45)),
            ("1 1 11111111 0000000001000000 0000000000000000", None),
            // Cut off.
            ("1 1 11111111 00000000", None),
        ] {
            // 40 by 23 macroblocks.
            let fields = format!("1 1 1 1 010 0 00000101000 000010111 1 1 0 {bits}");
            let unit = [&[0x67, 0x42, 0xc0, 0x1e], bytes_of(&fields).as_slice()].concat();
            assert_eq!(SequenceParameterSet::parse(&unit).unwrap().pixel_aspect, expected, "{bits}");
        }
    }

    #[test]
    fn every_cut_is_an_error() {
        let unit = &[
            0x67, 0x42, 0xc0, 0x28, 0xda, 0x01, 0xe0, 0x08, 0x9f, 0x97, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00,
            0x10, 0x00, 0x00, 0x03, 0x03, 0x20, 0xf1, 0x83, 0x2a,
        ];
        let end = (0..unit.len()).find(|&end| SequenceParameterSet::parse(&unit[..end]).is_ok());
        assert!(end.is_some_and(|end| end > 8), "size is read from {end:?} bytes");
    }

    #[test]
    fn picture_order_counts_of_every_type_lie_before_the_size() {
        use PictureOrderCount::*;
        for (bits, expected) in [
            ("1 00101", Lsb { bits: 8 }),
            // Two offsets, and three more in a cycle.
            ("010 0 1 011 00100 010 00101 1", Delta { always_zero: false }),
            ("010 1 1 1 1", Delta { always_zero: true }),
            ("011", FrameNum),
        ] {
            // frame_num of 6 bits before it, one reference frame and 40 by 23 macroblocks behind it.
            let fields = format!("1 011 {bits} 010 0 00000101000 000010111 1 1 0 0 1");
            let unit = [&[0x67, 0x42, 0xc0, 0x1e], bytes_of(&fields).as_slice()].concat();
            check(&unit, 66, 30, 640, 368);
            let found = SequenceParameterSet::parse(&unit).unwrap().slice_fields;
            assert_eq!((found.frame_num_bits, found.picture_order_count), (6, expected));
        }
    }

    #[test]
    fn a_crop_of_the_whole_picture_is_refused() {
        assert_eq!(cropped("frame_crop_offset", 32, 2, 8, 7), Ok(2));
        let error = Error::SpsRange { field: "frame_crop_offset", found: 16, limit: 15 };
        assert_eq!(cropped("frame_crop_offset", 32, 2, 8, 8), Err(error));
        assert!(cropped("frame_crop_offset", 32, 2, u32::MAX, u32::MAX).is_err());
    }

    #[test]
    fn scaling_lists_of_every_form_lie_before_the_size() {
        let (flat, long) = (format!("1 {}", "1".repeat(16)), format!("1 {}", "1".repeat(64)));
        // The default list: a difference of -8 leads to 0 at once. The same later, from 9 on, and past 255 from there.
        let (default, later) = ("1 000010001", "1 010 000010011");
        let past = format!("1 010 00000000{:b}", 2 * 247);
        let of_8 =
            |lists: &[&str]| format!("010 1 1 0 1 {} {}", lists.join(" "), "0".repeat(8 - lists.len()));
        let of_12 =
            |lists: &[&str]| format!("00100 0 1 1 0 1 {} {}", lists.join(" "), "0".repeat(12 - lists.len()));
        let none = ["0"; 6];
        for format in [
            of_8(&[]),
            of_8(&[&flat, "0", default, later, &past, &flat]),
            of_8(&[&none[..], &[&long, "0"]].concat()),
            of_12(&[]),
            of_12(&[&none[..], &[&long, later, "0", &long, default, &long]].concat()),
        ] {
            // A frame_num of 4 bits and no picture order count; 40 by 23 macroblocks.
            let fields = format!("1 {format} 1 011 010 0 00000101000 000010111 1 1 0 0 1");
            let unit = [&[0x67, 244, 0, 0x1e], bytes_of(&fields).as_slice()].concat();
            check(&unit, 244, 30, 640, 368);
        }
    }
}
