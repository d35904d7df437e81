//! What the sequence header of H.264 or HEVC says, by meaning.

use super::{NalCodec, ParameterSets, SetKind, UnitRole};
use crate::{
    h264::AvcDecoderConfigurationRecord,
    h265::HevcDecoderConfigurationRecord,
    nal::{ByteStreamUnits, begins_with_start_code},
};

/// Supplemental enhancement information that is kept of a record. Encoders write one or two; each is held, and walked
/// over with each picture that a decoder begins with.
const MAX_SEI: usize = 64;

/// What the sequence header of H.264 or HEVC says.
///
/// Two are equal where they mean the same: the order of parameter sets, repeated ones, and fields that the sets say
/// again do not count.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NalConfiguration<'a> {
    /// Bytes of the length before each NAL unit of a message: 1 to 4.
    pub length_size: u8,
    /// The parameter sets, maybe none: some encoders send them in the stream alone.
    pub sets: ParameterSets<'a>,
    /// Supplemental enhancement information of the whole stream, such as its colours, which records of HEVC may hold;
    /// no more than any encoder writes.
    pub sei: Vec<&'a [u8]>,
}

impl NalCodec {
    /// Appends a configuration record (14496-15) with lengths of 4 bytes, and these parameter sets and SEI.
    ///
    /// What a record cannot say is left out: SEI for H.264, and sets that are too long or too many.
    pub fn write_record(self, units: &[&[u8]], out: &mut Vec<u8>) {
        let sets_of = |kind| {
            let is_it = move |unit: &&[u8]| self.role(unit) == UnitRole::ParameterSet(kind);
            units.iter().copied().filter(is_it).collect()
        };
        match self {
            Self::H264 => AvcDecoderConfigurationRecord {
                length_size: 4,
                sps: sets_of(SetKind::Sps),
                pps: sets_of(SetKind::Pps),
                sps_ext: sets_of(SetKind::SpsExtension),
            }
            .write(out),
            Self::Hevc => HevcDecoderConfigurationRecord { length_size: 4, units: units.to_vec() }.write(out),
        }
    }
}

impl<'a> NalConfiguration<'a> {
    /// Reads a configuration record (14496-15), or the parameter sets behind start codes that some encoders send in its
    /// place. `None` where it is neither, or cut.
    #[must_use]
    pub fn parse(codec: NalCodec, record: &'a [u8]) -> Option<Self> {
        let mut found = Self { length_size: 4, sets: ParameterSets::new(codec), sei: Vec::new() };
        if begins_with_start_code(record) {
            found.add(record);
            return found.sets.is_complete().then_some(found);
        }
        let (length_size, units) = match codec {
            NalCodec::H264 => {
                let record = AvcDecoderConfigurationRecord::parse(record).ok()?;
                (record.length_size, [record.sps, record.sps_ext, record.pps].concat())
            }
            NalCodec::Hevc => {
                let record = HevcDecoderConfigurationRecord::parse(record).ok()?;
                (record.length_size, record.units)
            }
        };
        found.length_size = length_size;
        units.into_iter().for_each(|unit| found.add(unit));
        Some(found)
    }

    /// Adds a unit, or those behind the start codes with which it begins.
    fn add(&mut self, unit: &'a [u8]) {
        if begins_with_start_code(unit) {
            ByteStreamUnits::new(unit).for_each(|unit| self.add_one(unit));
        } else {
            self.add_one(unit);
        }
    }

    fn add_one(&mut self, unit: &'a [u8]) {
        match self.sets.codec().role(unit) {
            UnitRole::ParameterSet(kind) => {
                let _ = self.sets.insert(kind, unit);
            }
            UnitRole::Sei if self.sei.len() < MAX_SEI => self.sei.push(unit),
            _ => {}
        }
    }

    /// Whether a decoder can begin with it: there is a parameter set of each kind that it needs, and the picture size
    /// can be read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.sets.is_complete() && self.sets.picture_size().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_is_written_says_the_sets_and_sei_that_it_can() {
        let h264 =
            [&[0x06, 5, 1, 7, 0x80][..], &[0x68, 0xce], &[0x67, 0x64, 0, 0x1e, 0xda], &[0x6d, 1, 0x80]];
        let hevc = [
            &[0x4e, 1, 5, 1, 7, 0x80][..],
            &[0x44, 1, 0xc0],
            &[0x40, 1, 0x0c],
            &[0x42, 1, 1],
            &[0x02, 1, 0x80],
        ];
        for (codec, units, sei) in
            [(NalCodec::H264, &h264[..], &[][..]), (NalCodec::Hevc, &hevc[..], &hevc[..1])]
        {
            let mut record = Vec::new();
            codec.write_record(units, &mut record);
            let mut sets = ParameterSets::new(codec);
            for unit in units {
                if let UnitRole::ParameterSet(kind) = codec.role(unit) {
                    sets.insert(kind, unit);
                }
            }
            let expected = NalConfiguration { length_size: 4, sets, sei: sei.to_vec() };
            assert_eq!(NalConfiguration::parse(codec, &record), Some(expected));
        }
    }

    #[test]
    fn of_sei_without_end_a_record_keeps_the_first() {
        let sets: &[u8] = b"\0\0\x01\x67\x64\0\x1e\xda\0\0\x01\x68\xce";
        let record = |count: u32| {
            let number = |number: u32| (0x0101_0101 + number).to_be_bytes();
            let sei = (0..count).flat_map(|sei| [&[0, 0, 1, 6, 5][..], &number(sei), &[0x80]].concat());
            sets.iter().copied().chain(sei).collect::<Vec<u8>>()
        };
        for (count, kept) in [(3, 3), (10_000, MAX_SEI)] {
            let record = record(count);
            let found = NalConfiguration::parse(NalCodec::H264, &record).unwrap();
            assert_eq!(found.sei.len(), kept);
            assert!(found.sets.is_complete() && found.sei[1].starts_with(&[6, 5, 1, 1, 1, 2]));
        }
    }
}
