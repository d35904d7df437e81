//! `HEVCDecoderConfigurationRecord`: the sequence header of HEVC in FLV and MP4.

use super::Error;

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
}
