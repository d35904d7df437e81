//! NAL unit types, and the delimiter between access units.

/// `nal_unit_type` (23008-2 table 7-1), as far as a muxer tells types apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NalUnitType {
    /// 0 to 15: a slice segment of a picture that decoding cannot begin with.
    Slice,
    /// 16 to 23: a slice segment of an intra random access point picture.
    IrapSlice,
    /// 32.
    Vps,
    /// 33.
    Sps,
    /// 34.
    Pps,
    /// 35: access unit delimiter.
    Aud,
    /// 39: supplemental enhancement information before the slices.
    PrefixSei,
    /// 41 to 44 and 48 to 55: further types that begin an access unit as the types before do.
    Prefix,
    /// Any other, such as supplemental enhancement information after the slices, filler data and the end of a sequence:
    /// it belongs to the picture before it (23008-2 §7.4.2.4.4).
    Suffix,
}

impl NalUnitType {
    /// The type of a NAL unit by its first byte.
    #[must_use]
    pub fn of(first_byte: u8) -> Self {
        match first_byte >> 1 & 0x3f {
            0..=15 => Self::Slice,
            16..=23 => Self::IrapSlice,
            32 => Self::Vps,
            33 => Self::Sps,
            34 => Self::Pps,
            35 => Self::Aud,
            39 => Self::PrefixSei,
            41..=44 | 48..=55 => Self::Prefix,
            _ => Self::Suffix,
        }
    }
}

/// An access unit delimiter that allows every slice type (23008-2 §7.3.2.5, `pic_type` 2).
///
/// Its temporal layer has to be that of the picture (23008-2 §7.4.2.2), so a slice of it is asked.
#[must_use]
pub fn aud(slice: &[u8]) -> [u8; 3] {
    let temporal_id_plus1 = slice.get(1).map_or(1, |byte| byte & 0x07).max(1);
    [35 << 1, temporal_id_plus1, 0x50]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delimiter_is_in_the_temporal_layer_of_its_picture() {
        assert_eq!(aud(&[0x26, 0x01, 0xaf]), [0x46, 0x01, 0x50]);
        assert_eq!(aud(&[0x02, 0x03, 0xd0]), [0x46, 0x03, 0x50]);
        assert_eq!(aud(&[]), [0x46, 0x01, 0x50]);
    }

    #[test]
    fn types_by_their_first_byte() {
        let types = [0x02, 0x26, 0x2a, 0x40, 0x42, 0x44, 0x46, 0x4e].map(NalUnitType::of);
        use NalUnitType::*;
        assert_eq!(types, [Slice, IrapSlice, IrapSlice, Vps, Sps, Pps, Aud, PrefixSei]);
    }
}
