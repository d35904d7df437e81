//! What the sequence header of H.264 or HEVC says, by meaning.

use super::{NalCodec, ParameterSets, UnitRole};
use crate::{
    h264::AvcDecoderConfigurationRecord,
    h265::HevcDecoderConfigurationRecord,
    nal::{ByteStreamUnits, begins_with_start_code},
};

/// What the sequence header of H.264 or HEVC says.
///
/// Two are equal where they mean the same: the order of parameter sets, repeated ones, and fields that the sets say
/// again do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NalConfiguration<'a> {
    /// Bytes of the length before each NAL unit of a message: 1 to 4.
    pub length_size: u8,
    /// The parameter sets, maybe none: some encoders send them in the stream alone.
    pub sets: ParameterSets<'a>,
}

impl<'a> NalConfiguration<'a> {
    /// Reads a configuration record (14496-15), or the parameter sets behind start codes that some encoders send in its
    /// place. `None` where it is neither, or cut.
    #[must_use]
    pub fn parse(codec: NalCodec, record: &'a [u8]) -> Option<Self> {
        let mut sets = ParameterSets::new(codec);
        if begins_with_start_code(record) {
            add(&mut sets, record);
            return sets.is_complete().then_some(Self { length_size: 4, sets });
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
        units.into_iter().for_each(|unit| add(&mut sets, unit));
        Some(Self { length_size, sets })
    }

    /// Whether a decoder can begin with it: there is a parameter set of each kind that it needs, and the picture size
    /// can be read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.sets.is_complete() && self.sets.picture_size().is_some()
    }
}

/// Adds a unit where it is a parameter set, or those behind the start codes with which it begins.
fn add<'a>(sets: &mut ParameterSets<'a>, unit: &'a [u8]) {
    let codec = sets.codec();
    let mut add_one = |unit: &'a [u8]| {
        if let UnitRole::ParameterSet(kind) = codec.role(unit) {
            let _ = sets.insert(kind, unit);
        }
    };
    if begins_with_start_code(unit) { ByteStreamUnits::new(unit).for_each(add_one) } else { add_one(unit) }
}
