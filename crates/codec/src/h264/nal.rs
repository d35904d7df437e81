//! NAL unit types and the few bits of slices that separate pictures.

/// An access unit delimiter that allows every slice type (14496-10 §7.3.2.4, `primary_pic_type` 7).
pub const AUD: [u8; 2] = [0x09, 0xf0];

/// `nal_unit_type` (14496-10 table 7-1), as far as a muxer tells types apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NalUnitType {
    /// 1 to 4: a coded slice, or a partition of one, of a picture that is not IDR.
    NonIdrSlice,
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
    /// 10 and 11: end of sequence, end of stream.
    End,
    /// 12: filler data.
    Filler,
    /// Any other, such as extensions of parameter sets and auxiliary slices.
    Other(u8),
}

impl NalUnitType {
    /// The type of a NAL unit by its first byte.
    pub fn of(first_byte: u8) -> Self {
        match first_byte & 0x1f {
            1..=4 => Self::NonIdrSlice,
            5 => Self::IdrSlice,
            6 => Self::Sei,
            7 => Self::Sps,
            8 => Self::Pps,
            9 => Self::Aud,
            10 | 11 => Self::End,
            12 => Self::Filler,
            other => Self::Other(other),
        }
    }

    /// Whether it belongs to a primary coded picture.
    pub fn is_slice(self) -> bool {
        matches!(self, Self::NonIdrSlice | Self::IdrSlice)
    }
}

/// Whether a slice's `first_mb_in_slice` is 0, so that it begins a picture.
///
/// Holds for every profile without arbitrary slice order, which live encoders do not use.
pub fn starts_picture(slice: &[u8]) -> bool {
    // ue(v) 0 is the single bit 1.
    slice.get(1).is_some_and(|byte| byte & 0x80 != 0)
}
