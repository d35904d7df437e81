//! Sequence parameter sets, as far as the picture's size.

use bits::BitReader;

use crate::Error;

/// What a sequence parameter set says of the stream (23008-2 §7.3.2.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SequenceParameterSet {
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
        let rbsp = bits::unescape(unit, READ_LIMIT);
        let mut reader = BitReader::new(&rbsp);
        reader.skip(16 + 4)?; // NAL unit header, sps_video_parameter_set_id
        let max_sub_layers_minus1 = reader.bits(3)?;
        reader.skip(1)?; // sps_temporal_id_nesting_flag
        skip_profile_tier_level(&mut reader, max_sub_layers_minus1)?;
        reader.exp_golomb()?; // sps_seq_parameter_set_id
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
            width: cropped(width, unit_x, left, right)?,
            height: cropped(height, unit_y, top, bottom)?,
        })
    }
}

/// 23008-2 §7.3.3, with `profilePresentFlag` 1.
fn skip_profile_tier_level(reader: &mut BitReader<'_>, max_sub_layers_minus1: u32) -> Result<(), Error> {
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
