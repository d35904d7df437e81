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
    /// `redundant_pic_cnt_present_flag`. Not read behind slice groups, and taken for 0 in a set that is cut.
    pub redundant_pic_cnt_present: bool,
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
        Ok(Self {
            id,
            sps_id,
            bottom_field_pic_order_in_frame_present: reader.flag()?,
            redundant_pic_cnt_present: read_redundant_pic_cnt_present(&mut reader).unwrap_or(false),
        })
    }
}

fn read_redundant_pic_cnt_present(reader: &mut BitReader<'_>) -> Result<bool, EndOfBits> {
    if reader.exp_golomb()? > 0 {
        return Ok(false); // slice groups
    }
    reader.exp_golomb()?; // num_ref_idx_l0_default_active_minus1
    reader.exp_golomb()?; // num_ref_idx_l1_default_active_minus1
    reader.skip(1 + 2)?; // weighted_pred_flag, weighted_bipred_idc
    reader.signed_exp_golomb()?; // pic_init_qp_minus26
    reader.signed_exp_golomb()?; // pic_init_qs_minus26
    reader.signed_exp_golomb()?; // chroma_qp_index_offset
    reader.skip(1 + 1)?; // deblocking_filter_control_present_flag, constrained_intra_pred_flag
    reader.flag()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_names_itself_and_its_sequence() {
        let found = PictureParameterSet::parse(&[0x68, 0xce, 0x0f, 0xc8]);
        let set = PictureParameterSet {
            id: 0,
            sps_id: 0,
            bottom_field_pic_order_in_frame_present: false,
            redundant_pic_cnt_present: false,
        };
        assert_eq!(found, Ok(set));
        // 010 011 1 1: identifiers 1 and 2, CABAC, field order present.
        let found = PictureParameterSet::parse(&[0x68, 0b0100_1111]);
        let set = PictureParameterSet {
            id: 1,
            sps_id: 2,
            bottom_field_pic_order_in_frame_present: true,
            redundant_pic_cnt_present: false,
        };
        assert_eq!(found, Ok(set));
        assert!(PictureParameterSet::parse(&[0x68]).is_err());
    }

    #[test]
    fn redundant_pictures_are_announced_at_its_end() {
        // The last bit before the stop bit is the flag; two slice groups in the third set.
        for (bytes, expected) in [
            ([0x68, 0b1100_1110, 0b0011_1001, 0x80], true),
            ([0x68, 0b1100_1110, 0b0011_1000, 0x80], false),
            ([0x68, 0b1100_0101, 0xff, 0xff], false),
        ] {
            let set = PictureParameterSet::parse(&bytes);
            assert_eq!(set.map(|set| set.redundant_pic_cnt_present), Ok(expected));
        }
    }
}
