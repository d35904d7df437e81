//! Slice headers, as far as they tell one picture from the next.

use super::{NalUnitType, PictureOrderCount, PictureParameterSet, SequenceParameterSet};
use crate::{
    bits::{BitReader, EndOfBits},
    nal,
};

/// Bytes that hold every field read here: twelve codes of at most 32 bits each.
const READ_LIMIT: usize = 64;

/// The fields of a slice header that differ between two primary coded pictures (14496-10 §7.4.1.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceHeader {
    /// `first_mb_in_slice`: 0 where the slice begins a picture, unless slices come in any order.
    pub first_mb: u32,
    /// `pic_parameter_set_id`.
    pub pps_id: u32,
    /// What follows in the header; `None` where the parameter sets that tell how to read it are not known.
    pub picture: Option<PictureFields>,
    /// `redundant_pic_cnt` is not 0: the slice codes again what the picture before it in the access unit has coded.
    pub is_redundant: bool,
}

/// The fields of a slice header that follow `pic_parameter_set_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureFields {
    is_reference: bool,
    frame_num: u32,
    field_pic: bool,
    bottom_field: bool,
    /// `idr_pic_id` of an IDR picture.
    idr_pic_id: Option<u32>,
    pic_order_cnt_lsb: u32,
    delta_pic_order_cnt_bottom: i32,
    delta_pic_order_cnt: [i32; 2],
}

impl SliceHeader {
    /// The identifier of a slice's picture parameter set, by which the sets to [`parse`](Self::parse) it are found.
    ///
    /// # Errors
    /// When the unit ends early.
    pub fn pps_id(unit: &[u8]) -> Result<u32, EndOfBits> {
        Ok(Self::parse(unit, None)?.pps_id)
    }

    /// Reads the header of a coded slice, its NAL unit header included.
    ///
    /// # Errors
    /// When the unit ends early.
    pub fn parse(
        unit: &[u8],
        sets: Option<(&SequenceParameterSet, &PictureParameterSet)>,
    ) -> Result<Self, EndOfBits> {
        let rbsp = nal::unescape(unit, READ_LIMIT);
        let mut reader = BitReader::new(&rbsp);
        reader.skip(1)?; // forbidden_zero_bit
        let is_reference = reader.bits(2)? != 0;
        let is_idr = NalUnitType::of(reader.bits(5)? as u8) == NalUnitType::IdrSlice;
        let first_mb = reader.exp_golomb()?;
        reader.exp_golomb()?; // slice_type
        let pps_id = reader.exp_golomb()?;
        let Some((sps, pps)) = sets else {
            return Ok(Self { first_mb, pps_id, picture: None, is_redundant: false });
        };
        let fields = &sps.slice_fields;
        reader.skip(if fields.separate_colour_planes { 2 } else { 0 })?; // colour_plane_id
        let frame_num = reader.bits(fields.frame_num_bits)?;
        let field_pic = !fields.frame_mbs_only && reader.flag()?;
        let bottom_field = field_pic && reader.flag()?;
        let idr_pic_id = if is_idr { Some(reader.exp_golomb()?) } else { None };
        let has_bottom = pps.bottom_field_pic_order_in_frame_present && !field_pic;
        let (mut lsb, mut delta_bottom, mut delta) = (0, 0, [0; 2]);
        match fields.picture_order_count {
            PictureOrderCount::Lsb { bits } => {
                lsb = reader.bits(bits)?;
                delta_bottom = if has_bottom { reader.signed_exp_golomb()? } else { 0 };
            }
            PictureOrderCount::Delta { always_zero: false } => {
                delta[0] = reader.signed_exp_golomb()?;
                delta[1] = if has_bottom { reader.signed_exp_golomb()? } else { 0 };
            }
            PictureOrderCount::Delta { always_zero: true } | PictureOrderCount::FrameNum => {}
        }
        let is_redundant = pps.redundant_pic_cnt_present && reader.exp_golomb()? > 0;
        let picture = PictureFields {
            is_reference,
            frame_num,
            field_pic,
            bottom_field,
            idr_pic_id,
            pic_order_cnt_lsb: lsb,
            delta_pic_order_cnt_bottom: delta_bottom,
            delta_pic_order_cnt: delta,
        };
        Ok(Self { first_mb, pps_id, picture: Some(picture), is_redundant })
    }

    /// Whether this slice codes again what the picture of `primary` has coded: it is redundant, and numbered the same.
    /// Both are in one access unit (14496-10 §3).
    #[must_use]
    pub fn is_redundant_to(&self, primary: &Self) -> bool {
        self.is_redundant && self.picture == primary.picture
    }

    /// Whether both slices belong to one primary coded picture (14496-10 §7.4.1.2.4), or `None` where the headers
    /// were not read far enough.
    ///
    /// Pictures of encoders that number nothing, such as IDR pictures that all have one `idr_pic_id`, look alike.
    #[must_use]
    pub fn is_same_picture(&self, other: &Self) -> Option<bool> {
        let (one, two) = (self.picture?, other.picture?);
        // 14496-10 asks for differing `nal_ref_idc` of which one is 0, which `is_reference` is, and for differing
        // `IdrPicFlag`, which `idr_pic_id` holds too.
        Some(self.pps_id == other.pps_id && one == two)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{bits::bytes_of, h264::SliceFields};

    /// Sets that x264 made: `frame_num` has 4 bits, and picture order counts follow from it.
    const SPS: &[u8] = &[
        0x67, 0x42, 0xc0, 0x28, 0xda, 0x01, 0xe0, 0x08, 0x9f, 0x97, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10,
        0x00, 0x00, 0x03, 0x03, 0x20, 0xf1, 0x83, 0x2a,
    ];
    const PPS: &[u8] = &[0x68, 0xce, 0x0f, 0xc8];

    /// The beginning of a slice that refers to these sets: of an IDR picture where it has an `idr_pic_id`.
    fn slice(header: u8, first_mb: u32, frame_num: u32, idr_pic_id: Option<u32>) -> Vec<u8> {
        let mut bits = String::new();
        let code = |value: u32, bits: &mut String| {
            let binary = format!("{:b}", value + 1);
            bits.push_str(&"0".repeat(binary.len() - 1));
            bits.push_str(&binary);
        };
        code(first_mb, &mut bits);
        code(if idr_pic_id.is_some() { 7 } else { 5 }, &mut bits);
        code(0, &mut bits);
        bits.push_str(&format!("{frame_num:04b}"));
        if let Some(id) = idr_pic_id {
            code(id, &mut bits);
        }
        bits.push_str(&"1".repeat(8 - bits.len() % 8));
        let bytes =
            bits.as_bytes().chunks(8).map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | (bit & 1)));
        [header].into_iter().chain(bytes).collect()
    }

    #[track_caller]
    fn check(one: &[u8], two: &[u8], expected: bool) {
        let sets = (SequenceParameterSet::parse(SPS).unwrap(), PictureParameterSet::parse(PPS).unwrap());
        let read = |unit| SliceHeader::parse(unit, Some((&sets.0, &sets.1))).unwrap();
        assert_eq!(read(one).is_same_picture(&read(two)), Some(expected), "{one:02x?} {two:02x?}");
        assert_eq!(read(one).is_same_picture(&SliceHeader::parse(two, None).unwrap()), None);
    }

    #[test]
    fn pictures_are_told_apart_by_their_slices() {
        check(&slice(0x65, 0, 0, Some(0)), &slice(0x65, 460, 0, Some(0)), true);
        check(&slice(0x65, 0, 0, Some(0)), &slice(0x65, 0, 0, Some(1)), false);
        check(&slice(0x65, 0, 0, Some(0)), &slice(0x41, 0, 1, None), false);
        check(&slice(0x41, 0, 1, None), &slice(0x41, 460, 1, None), true);
        check(&slice(0x41, 460, 1, None), &slice(0x41, 0, 1, None), true);
        check(&slice(0x41, 0, 1, None), &slice(0x41, 460, 2, None), false);
        // A picture that others refer to, and one of the same number that none does.
        check(&slice(0x41, 0, 1, None), &slice(0x01, 460, 1, None), false);
    }

    /// Whether two slices of one `first_mb`, type and set belong to one picture, by what follows in their headers.
    fn is_same(count: PictureOrderCount, one: &str, two: &str) -> bool {
        let sps = SequenceParameterSet::parse(SPS).unwrap();
        let pps = PictureParameterSet::parse(PPS).unwrap();
        let fields = SliceFields { frame_mbs_only: false, picture_order_count: count, ..sps.slice_fields };
        let sps = SequenceParameterSet { slice_fields: fields, ..sps };
        let pps = PictureParameterSet { bottom_field_pic_order_in_frame_present: true, ..pps };
        let read = |bits: &str| {
            let unit = [vec![0x41], bytes_of(&format!("1 00110 1 {bits} 1111 1111"))].concat();
            SliceHeader::parse(&unit, Some((&sps, &pps))).unwrap()
        };
        read(one).is_same_picture(&read(two)).unwrap()
    }

    #[test]
    fn fields_and_picture_order_counts_tell_pictures_apart() {
        let (lsb, delta) =
            (PictureOrderCount::Lsb { bits: 4 }, PictureOrderCount::Delta { always_zero: false });
        // Frames: frame_num, no field_pic_flag, the count, and how much later the bottom field is.
        assert!(is_same(lsb, "0001 0 0010 00100", "0001 0 0010 00100"));
        assert!(!is_same(lsb, "0001 0 0010 00100", "0001 0 0011 00100"));
        assert!(!is_same(lsb, "0001 0 0010 00100", "0001 0 0010 00101"));
        assert!(!is_same(delta, "0001 0 010 1", "0001 0 011 1"));
        assert!(!is_same(delta, "0001 0 010 1", "0001 0 010 011"));
        // Fields: each is a picture, and of a bottom field nothing else is said.
        for count in [(lsb, "0010"), (delta, "010")] {
            let field = |bottom, next| format!("0001 1{bottom} {} {next}", count.1);
            assert!(!is_same(count.0, &field(0, 1), &field(1, 1)));
            assert!(is_same(count.0, &field(1, 1), &field(1, 0)));
        }
        // The same frame_num of a frame and of a field.
        assert!(!is_same(lsb, "0001 0 0010 1", "0001 10 0010 1"));
    }

    #[test]
    fn a_slice_names_its_parameter_set_and_place() {
        let header = SliceHeader::parse(&slice(0x41, 460, 3, None), None).unwrap();
        assert_eq!((header.first_mb, header.pps_id, header.picture), (460, 0, None));
        assert!(SliceHeader::pps_id(&[0x41]).is_err());
        assert!(SliceHeader::pps_id(&[]).is_err());
    }
}
