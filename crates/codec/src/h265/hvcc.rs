//! `HEVCDecoderConfigurationRecord`: the sequence header of HEVC in FLV and MP4.

use std::ops::RangeInclusive;

use super::{Error, sps::SampleFormat};

/// The record (14496-15 §8.3.3.1), borrowing its parameter sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HevcDecoderConfigurationRecord<'a> {
    /// Bytes of the length before each NAL unit of a sample: 1 to 4.
    pub length_size: u8,
    /// Parameter sets and SEI in the record's order; maybe none, for some encoders send them in the stream alone.
    pub units: Vec<&'a [u8]>,
}

/// Bytes before the arrays.
const FIXED_SIZE: usize = 23;

/// Parameter sets and SEI that a record may hold: more than there are identifiers for sets, 16 + 16 + 64.
const MAX_UNITS: usize = 256;

impl<'a> HevcDecoderConfigurationRecord<'a> {
    /// Reads the record.
    ///
    /// The version is not checked: encoders were built against drafts that wrote 0.
    ///
    /// # Errors
    /// See [`Error`]; the content of parameter sets is not read.
    pub fn parse(record: &'a [u8]) -> Result<Self, Error> {
        let available = record.len();
        let mut position = 0;
        let mut take = |size: usize| -> Result<&'a [u8], Error> {
            let needed = position + size;
            let taken = record.get(position..needed).ok_or(Error::RecordTruncated { needed, available })?;
            position = needed;
            Ok(taken)
        };
        let fixed = take(FIXED_SIZE)?;
        let length_size = (fixed[21] & 3) + 1;
        let mut units = Vec::new();
        for _ in 0..fixed[22] {
            let header = take(3)?;
            for _ in 0..u16::from_be_bytes([header[1], header[2]]) {
                let size = take(2)?;
                let unit = take(usize::from(u16::from_be_bytes([size[0], size[1]])))?;
                if !unit.is_empty() {
                    units.push(unit);
                }
                if units.len() > MAX_UNITS {
                    return Err(Error::TooManyUnits { limit: MAX_UNITS });
                }
            }
        }
        Ok(Self { length_size, units })
    }
}

impl HevcDecoderConfigurationRecord<'_> {
    /// Appends the record. What it says of profile, level and format is taken from the first sequence parameter set;
    /// units stand in arrays by their kinds. `array_completeness` is as `hvc1` has it: 1 for parameter sets and 0 for SEI,
    /// which samples have too.
    ///
    /// Units longer than 65 535 bytes are left out, for lengths cannot say them.
    pub fn write(&self, out: &mut Vec<u8>) {
        let kind = |unit: &[u8]| unit[0] >> 1 & 0x3f;
        let units: Vec<&[u8]> =
            self.units.iter().copied().filter(|unit| unit.len() <= u16::MAX.into()).collect();
        let sps = units.iter().find(|unit| kind(unit) == SPS);
        let format = sps.and_then(|sps| SampleFormat::read(sps).ok()).unwrap_or_default();
        out.push(1);
        out.extend_from_slice(&format.profile_tier_level);
        // min_spatial_segmentation_idc and parallelismType: nothing is said.
        out.extend_from_slice(&[0xf0, 0, 0xfc]);
        out.extend_from_slice(&[0xfc | format.chroma_format_idc, 0xf8 | format.bit_depth_luma_minus8]);
        // avgFrameRate and constantFrameRate: neither.
        out.extend_from_slice(&[0xf8 | format.bit_depth_chroma_minus8, 0, 0]);
        let layers = format.max_sub_layers_minus1 + 1;
        let nesting = u8::from(format.temporal_id_nesting);
        out.push(layers << 3 | nesting << 2 | self.length_size.wrapping_sub(1) & 3);
        let mut kinds: Vec<u8> = units.iter().map(|unit| kind(unit)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        out.push(kinds.len() as u8);
        for array in kinds {
            let units = || units.iter().filter(|unit| kind(unit) == array).take(MAX_UNITS);
            out.push(u8::from(PARAMETER_SETS.contains(&array)) << 7 | array);
            out.extend_from_slice(&(units().count() as u16).to_be_bytes());
            for unit in units() {
                out.extend_from_slice(&(unit.len() as u16).to_be_bytes());
                out.extend_from_slice(unit);
            }
        }
    }
}

/// `nal_unit_type` of a sequence parameter set, and of those of all kinds.
const SPS: u8 = 33;
const PARAMETER_SETS: RangeInclusive<u8> = 32..=34;

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Vec<u8> {
        let mut record = vec![0; FIXED_SIZE];
        (record[0], record[21], record[22]) = (1, 0x0f, 3);
        for unit in [[0x40, 1, 0xaa], [0x42, 1, 0xbb], [0x44, 1, 0xcc]] {
            record.extend_from_slice(&[0x80 | unit[0] >> 1, 0, 1, 0, 3]);
            record.extend_from_slice(&unit);
        }
        record
    }

    #[test]
    fn a_record_gives_its_parameter_sets() {
        let record = record();
        let parsed = HevcDecoderConfigurationRecord::parse(&record).unwrap();
        assert_eq!(parsed.length_size, 4);
        assert_eq!(parsed.units, [[0x40, 1, 0xaa], [0x42, 1, 0xbb], [0x44, 1, 0xcc]]);
    }

    #[test]
    fn a_record_says_what_the_sequence_parameter_set_says() {
        // x265, Main profile, 320 by 180.
        let sps = &[
            0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03,
            0x00, 0x3c, 0xa0, 0x0a, 0x08, 0x0b, 0x9f, 0x79, 0x65, 0x66, 0x92, 0x4c, 0xaf, 0x01, 0x68, 0x08,
            0x00, 0x00, 0x03, 0x00, 0x08, 0x00, 0x00, 0x03, 0x00, 0xc8, 0x40,
        ][..];
        let units = vec![&[0x40, 1, 9][..], sps, &[0x44, 1, 8], &[0x44, 1, 7]];
        let mut written = Vec::new();
        HevcDecoderConfigurationRecord { length_size: 4, units: units.clone() }.write(&mut written);
        let profile_tier_level = [0x01, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 0x3c];
        assert_eq!(written[..13], [&[1][..], &profile_tier_level].concat());
        assert_eq!(written[13..23], [0xf0, 0, 0xfc, 0xfd, 0xf8, 0xf8, 0, 0, 0x0f, 3]);
        // Arrays of one kind, each complete.
        let sps = [&[0xa1, 0, 1, 0, sps.len() as u8][..], sps].concat();
        let pps = [0xa2, 0, 2, 0, 3, 0x44, 1, 8, 0, 3, 0x44, 1, 7];
        assert_eq!(written[23..], [&[0xa0, 0, 1, 0, 3, 0x40, 1, 9][..], &sps, &pps].concat());
        for length_size in 1..=4 {
            let mut written = Vec::new();
            HevcDecoderConfigurationRecord { length_size, units: units.clone() }.write(&mut written);
            let read = HevcDecoderConfigurationRecord::parse(&written).unwrap();
            assert_eq!((read.length_size, &read.units), (length_size, &units));
        }
        // A set that cannot be read, and none.
        for units in [vec![&[0x42, 1, 1][..]], Vec::new()] {
            let mut written = Vec::new();
            HevcDecoderConfigurationRecord { length_size: 4, units: units.clone() }.write(&mut written);
            assert_eq!(HevcDecoderConfigurationRecord::parse(&written).unwrap().units, units);
        }
    }

    #[test]
    fn arrays_of_parameter_sets_are_complete_and_no_others() {
        // VPS, SPS, PPS, and SEI before and after slices.
        let units = [[0x40, 1, 9], [0x42, 1, 1], [0x44, 1, 8], [0x4e, 1, 5], [0x50, 1, 6]];
        let units: Vec<&[u8]> = units.iter().map(|unit| &unit[..]).collect();
        let mut written = Vec::new();
        HevcDecoderConfigurationRecord { length_size: 4, units: units.clone() }.write(&mut written);
        let kinds: Vec<u8> = written[FIXED_SIZE..].as_chunks::<8>().0.iter().map(|array| array[0]).collect();
        assert_eq!(kinds, [0xa0, 0xa1, 0xa2, 39, 40]);
        assert_eq!(HevcDecoderConfigurationRecord::parse(&written).unwrap().units, units);
    }

    #[test]
    fn every_cut_is_an_error() {
        let record = record();
        for cut in 0..record.len() {
            let outcome = HevcDecoderConfigurationRecord::parse(&record[..cut]);
            assert!(matches!(outcome, Err(Error::RecordTruncated { .. })), "cut at {cut}: {outcome:?}");
        }
    }

    #[test]
    fn a_record_holds_so_many_units_and_no_more() {
        let record = |count: usize| {
            let mut record = vec![0; FIXED_SIZE];
            record[22] = 1;
            record.extend_from_slice(&[0xa2, (count >> 8) as u8, count as u8]);
            record.extend_from_slice(&[0, 3, 0x44, 1, 0xcc].repeat(count));
            record
        };
        let longest = record(MAX_UNITS);
        assert_eq!(HevcDecoderConfigurationRecord::parse(&longest).unwrap().units.len(), MAX_UNITS);
        let outcome = HevcDecoderConfigurationRecord::parse(&record(MAX_UNITS + 1)).map(|_| ());
        assert_eq!(outcome, Err(Error::TooManyUnits { limit: MAX_UNITS }));
    }
}
