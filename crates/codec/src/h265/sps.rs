//! Sequence parameter sets, as far as the picture's size.

use super::Error;
use crate::{
    bits::{BitReader, EndOfBits},
    nal,
};

/// What a sequence parameter set says of the stream (23008-2 §7.3.2.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SequenceParameterSet {
    /// `sps_seq_parameter_set_id`: 0 to 15.
    pub id: u32,
    /// Luma samples a row, after the conformance window.
    pub width: u32,
    /// Rows a picture, after the conformance window.
    pub height: u32,
}

/// Far more than any parameter set needs before its picture size.
const READ_LIMIT: usize = 1024;

/// Level 6.2 allows 16888 samples; this leaves room and keeps every product in 32 bits.
const MAX_SIZE: u32 = 65_535;

impl SequenceParameterSet {
    /// Reads the NAL unit of a sequence parameter set, its two header bytes included.
    ///
    /// # Errors
    /// [`Error::Sps`] when it ends early, [`Error::SpsRange`] when a field cannot be.
    pub fn parse(unit: &[u8]) -> Result<Self, Error> {
        let rbsp = nal::unescape(unit, READ_LIMIT);
        let mut reader = BitReader::new(&rbsp);
        reader.skip(16 + 4)?; // NAL unit header, sps_video_parameter_set_id
        let max_sub_layers_minus1 = reader.bits(3)?;
        reader.skip(1)?; // sps_temporal_id_nesting_flag
        skip_profile_tier_level(&mut reader, max_sub_layers_minus1)?;
        let id = limited("sps_seq_parameter_set_id", reader.exp_golomb()?, 15)?;
        let chroma_format_idc = limited("chroma_format_idc", reader.exp_golomb()?, 3)?;
        if chroma_format_idc == 3 {
            reader.skip(1)?; // separate_colour_plane_flag
        }
        let width = limited("pic_width_in_luma_samples", reader.exp_golomb()?, MAX_SIZE)?;
        let height = limited("pic_height_in_luma_samples", reader.exp_golomb()?, MAX_SIZE)?;
        let [left, right, top, bottom] = if reader.flag()? {
            [reader.exp_golomb()?, reader.exp_golomb()?, reader.exp_golomb()?, reader.exp_golomb()?]
        } else {
            [0; 4]
        };
        let unit_x = if matches!(chroma_format_idc, 1 | 2) { 2 } else { 1 };
        let unit_y = if chroma_format_idc == 1 { 2 } else { 1 };
        Ok(Self {
            id,
            width: cropped(width, unit_x, left, right)?,
            height: cropped(height, unit_y, top, bottom)?,
        })
    }
}

/// What a configuration record says of the stream beside its sets (23008-2 §7.3.2.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SampleFormat {
    /// `general_profile_space` to `general_level_idc`, as they stand.
    pub(super) profile_tier_level: [u8; 12],
    pub(super) max_sub_layers_minus1: u8,
    pub(super) temporal_id_nesting: bool,
    pub(super) chroma_format_idc: u8,
    pub(super) bit_depth_luma_minus8: u8,
    pub(super) bit_depth_chroma_minus8: u8,
}

impl SampleFormat {
    /// Reads the NAL unit of a sequence parameter set.
    pub(super) fn read(unit: &[u8]) -> Result<Self, EndOfBits> {
        let rbsp = nal::unescape(unit, READ_LIMIT);
        let mut reader = BitReader::new(&rbsp);
        reader.skip(16 + 4)?; // NAL unit header, sps_video_parameter_set_id
        let max_sub_layers_minus1 = reader.bits(3)?;
        let temporal_id_nesting = reader.flag()?;
        // Two bytes of header and one of the fields just read stand before.
        let profile_tier_level = rbsp.get(3..15).and_then(|bytes| bytes.try_into().ok());
        let profile_tier_level = profile_tier_level.ok_or(EndOfBits { position: 24 })?;
        skip_profile_tier_level(&mut reader, max_sub_layers_minus1)?;
        reader.exp_golomb()?; // sps_seq_parameter_set_id
        let chroma_format_idc = reader.exp_golomb()?.min(3);
        if chroma_format_idc == 3 {
            reader.skip(1)?; // separate_colour_plane_flag
        }
        reader.exp_golomb()?; // pic_width_in_luma_samples
        reader.exp_golomb()?; // pic_height_in_luma_samples
        if reader.flag()? {
            for _ in 0..4 {
                reader.exp_golomb()?; // conformance window
            }
        }
        Ok(Self {
            profile_tier_level,
            max_sub_layers_minus1: max_sub_layers_minus1.min(6) as u8,
            temporal_id_nesting,
            chroma_format_idc: chroma_format_idc as u8,
            bit_depth_luma_minus8: reader.exp_golomb()?.min(7) as u8,
            bit_depth_chroma_minus8: reader.exp_golomb()?.min(7) as u8,
        })
    }
}

/// 23008-2 §7.3.3, with `profilePresentFlag` 1.
pub(crate) fn skip_profile_tier_level(
    reader: &mut BitReader<'_>,
    max_sub_layers_minus1: u32,
) -> Result<(), EndOfBits> {
    reader.skip(88 + 8)?; // general profile, tier, constraints, and level
    let mut present = Vec::new();
    for _ in 0..max_sub_layers_minus1 {
        present.push((reader.flag()?, reader.flag()?));
    }
    if max_sub_layers_minus1 > 0 {
        reader.skip(2 * u64::from(8 - max_sub_layers_minus1))?; // reserved_zero_2bits
    }
    for (profile, level) in present {
        reader.skip(if profile { 88 } else { 0 })?;
        reader.skip(if level { 8 } else { 0 })?;
    }
    Ok(())
}

fn limited(field: &'static str, found: u32, limit: u32) -> Result<u32, Error> {
    if found > limit { Err(Error::SpsRange { field, found, limit }) } else { Ok(found) }
}

fn cropped(size: u32, unit: u32, before: u32, after: u32) -> Result<u32, Error> {
    let found = before.saturating_add(after);
    Ok(size - limited("conf_win_offset", found, size.saturating_sub(1) / unit)? * unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits::bytes_of;

    #[track_caller]
    fn check(unit: &[u8], width: u32, height: u32) {
        let expected = SequenceParameterSet { id: 0, width, height };
        assert_eq!(SequenceParameterSet::parse(unit), Ok(expected));
    }

    #[test]
    fn sizes_of_streams_that_x265_made() {
        check(
            &[
                0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00,
                0x03, 0x00, 0x78, 0xa0, 0x03, 0xc0, 0x80, 0x10, 0xe5, 0x96, 0x56, 0x69, 0x24, 0xca, 0xf0,
                0x16, 0x80, 0x80, 0x00, 0x00, 0x03, 0x00, 0x80, 0x00, 0x00, 0x0c, 0x84,
            ],
            1920,
            1080,
        );
        check(
            &[
                0x42, 0x01, 0x01, 0x04, 0x08, 0x00, 0x00, 0x03, 0x00, 0x9e, 0x08, 0x00, 0x00, 0x03, 0x00,
                0x00, 0x3c, 0x90, 0x01, 0x49, 0x01, 0x73, 0x9e, 0xf2, 0xca, 0xcd, 0x24, 0x99, 0x5e, 0x02,
                0xd0, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x01, 0x90, 0x80,
            ],
            322,
            182,
        );
        check(
            &[
                0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00,
                0x03, 0x00, 0x3c, 0xa0, 0x0a, 0x08, 0x0b, 0x9f, 0x79, 0x65, 0x66, 0x92, 0x4c, 0xaf, 0x01,
                0x68, 0x08, 0x00, 0x00, 0x03, 0x00, 0x08, 0x00, 0x00, 0x03, 0x00, 0xc8, 0x40,
            ],
            320,
            180,
        );
    }

    #[test]
    fn every_cut_is_an_error() {
        let unit = &[
            0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03,
            0x00, 0x78, 0xa0, 0x03, 0xc0, 0x80, 0x10, 0xe5, 0x96, 0x56, 0x69, 0x24, 0xca, 0xf0, 0x16, 0x80,
            0x80, 0x00, 0x00, 0x03, 0x00, 0x80, 0x00, 0x00, 0x0c, 0x84,
        ];
        let end = (0..unit.len()).find(|&end| SequenceParameterSet::parse(&unit[..end]).is_ok());
        assert!(end.is_some_and(|end| end > 15), "size is read from {end:?} bytes");
    }

    #[test]
    fn a_window_of_the_whole_picture_is_refused() {
        let error = Error::SpsRange { field: "conf_win_offset", found: 16, limit: 15 };
        assert_eq!(cropped(32, 2, 8, 8), Err(error));
        assert!(cropped(0, 2, 0, 1).is_err());
    }

    #[test]
    fn sub_layers_lie_before_the_size() {
        for more_layers in 0..=6_usize {
            for (flags, size) in [("00", 0), ("10", 88), ("01", 8), ("11", 96)] {
                let reserved = if more_layers > 0 { 8 - more_layers } else { 0 };
                let layers =
                    [flags.repeat(more_layers), "00".repeat(reserved), "1".repeat(size * more_layers)];
                // The identifier 3, 4:2:0, 64 by 36 samples.
                let fields = "00100 010 0000001000001 00000100101 0";
                let general = "1".repeat(96);
                let bits = format!("0000 {more_layers:03b} 1 {general} {} {fields}", layers.concat());
                let unit = [&[0x42, 0x01][..], &bytes_of(&bits)].concat();
                let expected = SequenceParameterSet { id: 3, width: 64, height: 36 };
                assert_eq!(SequenceParameterSet::parse(&unit), Ok(expected), "{more_layers} of {flags}");
            }
        }
    }
}
