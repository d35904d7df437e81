//! `HEVCDecoderConfigurationRecord`: the sequence header of HEVC in FLV and MP4.

use super::{Error, NalUnitType, SequenceParameterSet};

/// The record (14496-15 §8.3.3.1), borrowing its parameter sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HevcDecoderConfigurationRecord<'a> {
    /// Bytes of the length before each NAL unit of a sample: 1 to 4.
    pub length_size: u8,
    /// Parameter sets and SEI in the record's order, with at least one set of each kind.
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
        for (kind, missing) in [
            (NalUnitType::Vps, "video parameter set"),
            (NalUnitType::Sps, "sequence parameter set"),
            (NalUnitType::Pps, "picture parameter set"),
        ] {
            if !units.iter().any(|unit| NalUnitType::of(unit[0]) == kind) {
                return Err(Error::NoParameterSets { missing });
            }
        }
        Ok(Self { length_size, units })
    }

    /// The first sequence parameter set, read.
    ///
    /// # Errors
    /// See [`SequenceParameterSet::parse`].
    pub fn first_sps(&self) -> Result<SequenceParameterSet, Error> {
        let sps = self.units.iter().find(|unit| NalUnitType::of(unit[0]) == NalUnitType::Sps);
        SequenceParameterSet::parse(sps.ok_or(Error::NoParameterSets { missing: "sequence parameter set" })?)
    }
}

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
    fn every_cut_is_an_error() {
        let record = record();
        for cut in 0..record.len() {
            let outcome = HevcDecoderConfigurationRecord::parse(&record[..cut]);
            assert!(matches!(outcome, Err(Error::RecordTruncated { .. })), "cut at {cut}: {outcome:?}");
        }
    }

    #[test]
    fn a_record_without_a_kind_of_set_is_refused() {
        let mut record = record();
        record[22] = 2;
        let outcome = HevcDecoderConfigurationRecord::parse(&record);
        assert_eq!(outcome, Err(Error::NoParameterSets { missing: "picture parameter set" }));
    }
}
