//! NAL unit types.

/// An access unit delimiter that allows every slice type (14496-10 §7.3.2.4, `primary_pic_type` 7).
pub const AUD: [u8; 2] = [0x09, 0xf0];

/// `nal_unit_type` (14496-10 table 7-1), as far as a muxer tells types apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NalUnitType {
    /// 1 and 2: a coded slice of a picture that is not IDR, or the first partition of one, which has its header.
    NonIdrSlice,
    /// 3 and 4: the other partitions of a coded slice.
    SlicePartition,
    /// 5: a coded slice of an IDR picture.
    IdrSlice,
    /// 6: supplemental enhancement information.
    Sei,
    /// 7: sequence parameter set.
    Sps,
    /// 8: picture parameter set.
    Pps,
    /// 9: access unit delimiter.
    Aud,
    /// 13: sequence parameter set extension.
    SpsExtension,
    /// 14 to 18: prefixes and further parameter sets, which begin an access unit as the types before do.
    Prefix,
    /// Any other, such as filler data, auxiliary slices and the end of a sequence: it belongs to the picture before
    /// it (14496-10 §7.4.1.2.3).
    Suffix,
}

impl NalUnitType {
    /// The type of a NAL unit by its first byte.
    #[must_use]
    pub fn of(first_byte: u8) -> Self {
        match first_byte & 0x1f {
            1 | 2 => Self::NonIdrSlice,
            3 | 4 => Self::SlicePartition,
            5 => Self::IdrSlice,
            6 => Self::Sei,
            7 => Self::Sps,
            8 => Self::Pps,
            9 => Self::Aud,
            13 => Self::SpsExtension,
            14..=18 => Self::Prefix,
            _ => Self::Suffix,
        }
    }
}
