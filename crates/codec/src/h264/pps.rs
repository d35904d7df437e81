//! Picture parameter sets, as far as reading a slice header needs.

use crate::{
    bits::{BitReader, EndOfBits},
    nal,
};

/// Bytes that hold every field read here.
const READ_LIMIT: usize = 32;

/// What a picture parameter set says (14496-10 §7.3.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureParameterSet {
    /// `pic_parameter_set_id`.
    pub id: u32,
    /// `seq_parameter_set_id`: the sequence parameter set that it refers to.
    pub sps_id: u32,
    /// `bottom_field_pic_order_in_frame_present_flag`.
    pub bottom_field_pic_order_in_frame_present: bool,
}

impl PictureParameterSet {
    /// Reads the NAL unit of a picture parameter set, its header byte included.
    ///
    /// # Errors
    /// When it ends early.
    pub fn parse(unit: &[u8]) -> Result<Self, EndOfBits> {
        let rbsp = nal::unescape(unit, READ_LIMIT);
        let mut reader = BitReader::new(&rbsp);
        reader.skip(8)?;
        let (id, sps_id) = (reader.exp_golomb()?, reader.exp_golomb()?);
        reader.skip(1)?; // entropy_coding_mode_flag
        Ok(Self { id, sps_id, bottom_field_pic_order_in_frame_present: reader.flag()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_names_itself_and_its_sequence() {
        let found = PictureParameterSet::parse(&[0x68, 0xce, 0x0f, 0xc8]);
        let set = PictureParameterSet { id: 0, sps_id: 0, bottom_field_pic_order_in_frame_present: false };
        assert_eq!(found, Ok(set));
        // 010 011 1 1: identifiers 1 and 2, CABAC, field order present.
        let found = PictureParameterSet::parse(&[0x68, 0b0100_1111]);
        let set = PictureParameterSet { id: 1, sps_id: 2, bottom_field_pic_order_in_frame_present: true };
        assert_eq!(found, Ok(set));
        assert!(PictureParameterSet::parse(&[0x68]).is_err());
    }
}
