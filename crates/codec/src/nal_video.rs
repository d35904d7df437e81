//! Video made of NAL units: what H.264 and HEVC have in common for whoever puts access units together.

mod configuration;
mod framing;
mod parameter_sets;

pub use configuration::NalConfiguration;
pub use framing::{Framing, Message, Units};
pub use parameter_sets::{ParameterSets, SetChange, SetKey, SetKind};

use crate::{
    h264, h265,
    nal::{NalUnits, begins_with_start_code},
    sei,
};

/// A codec whose pictures are made of NAL units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NalCodec {
    /// H.264, AVC.
    H264,
    /// H.265, HEVC.
    Hevc,
}

/// What a NAL unit is to its access unit (14496-10 §7.4.1.2.3, 23008-2 §7.4.2.4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitRole {
    /// A coded slice, or a slice segment or a partition of one.
    CodedSlice,
    /// A parameter set. It begins an access unit, or stands before its first coded slice.
    ParameterSet(SetKind),
    /// An access unit delimiter, which begins an access unit.
    Delimiter,
    /// Supplemental enhancement information that stands before the coded slices.
    Sei,
    /// Anything else that begins an access unit or stands before its first coded slice.
    Prefix,
    /// What stands after the coded slices of an access unit, such as filler data or the end of a sequence.
    Suffix,
}

impl NalCodec {
    /// Bytes of a NAL unit's header.
    #[must_use]
    pub fn header_size(self) -> usize {
        match self {
            Self::H264 => 1,
            Self::Hevc => 2,
        }
    }

    /// The kinds of parameter set without which nothing can be decoded.
    #[must_use]
    pub fn needed_sets(self) -> &'static [SetKind] {
        match self {
            Self::H264 => &[SetKind::Sps, SetKind::Pps],
            Self::Hevc => &[SetKind::Vps, SetKind::Sps, SetKind::Pps],
        }
    }

    /// What a NAL unit, which is not empty, is to its access unit.
    #[must_use]
    pub fn role(self, unit: &[u8]) -> UnitRole {
        match self {
            Self::H264 => match h264::NalUnitType::of(unit[0]) {
                h264::NalUnitType::NonIdrSlice
                | h264::NalUnitType::SlicePartition
                | h264::NalUnitType::IdrSlice => UnitRole::CodedSlice,
                h264::NalUnitType::Sps => UnitRole::ParameterSet(SetKind::Sps),
                h264::NalUnitType::SpsExtension => UnitRole::ParameterSet(SetKind::SpsExtension),
                h264::NalUnitType::Pps => UnitRole::ParameterSet(SetKind::Pps),
                h264::NalUnitType::Aud => UnitRole::Delimiter,
                h264::NalUnitType::Sei => UnitRole::Sei,
                h264::NalUnitType::Prefix => UnitRole::Prefix,
                h264::NalUnitType::Suffix => UnitRole::Suffix,
            },
            Self::Hevc => match h265::NalUnitType::of(unit[0]) {
                h265::NalUnitType::Slice | h265::NalUnitType::IrapSlice => UnitRole::CodedSlice,
                h265::NalUnitType::Vps => UnitRole::ParameterSet(SetKind::Vps),
                h265::NalUnitType::Sps => UnitRole::ParameterSet(SetKind::Sps),
                h265::NalUnitType::Pps => UnitRole::ParameterSet(SetKind::Pps),
                h265::NalUnitType::Aud => UnitRole::Delimiter,
                h265::NalUnitType::PrefixSei => UnitRole::Sei,
                h265::NalUnitType::Prefix => UnitRole::Prefix,
                h265::NalUnitType::Suffix => UnitRole::Suffix,
            },
        }
    }

    /// Whether a decoder can begin with a picture that this NAL unit is part of: it is a coded slice of an IDR
    /// picture, for HEVC of any intra random access point, or SEI with a recovery point.
    #[must_use]
    pub fn is_entry(self, unit: &[u8]) -> bool {
        match (self, self.role(unit)) {
            (Self::H264, UnitRole::CodedSlice) => {
                h264::NalUnitType::of(unit[0]) == h264::NalUnitType::IdrSlice
            }
            (Self::Hevc, UnitRole::CodedSlice) => {
                h265::NalUnitType::of(unit[0]) == h265::NalUnitType::IrapSlice
            }
            (_, UnitRole::Sei) => sei::has_recovery_point(unit, self.header_size()),
            _ => false,
        }
    }

    /// Whether a coded slice is the first of its picture as far as it tells by itself: `first_mb_in_slice` is 0, or
    /// `first_slice_segment_in_pic_flag` is 1.
    ///
    /// A slice that is cut before the field begins one. H.264 with slices in any order needs
    /// [`h264::SliceHeader::is_same_picture`].
    #[must_use]
    pub fn begins_picture(self, slice: &[u8]) -> bool {
        match self {
            // ue(v) 0 is the single bit 1. Partitions 3 and 4 follow the partition with the header.
            Self::H264 => {
                h264::NalUnitType::of(slice[0]) != h264::NalUnitType::SlicePartition
                    && slice.get(1).is_none_or(|byte| byte & 0x80 != 0)
            }
            Self::Hevc => slice.get(2).is_none_or(|byte| byte & 0x80 != 0),
        }
    }

    /// Width and height of the pictures, after cropping, that a sequence parameter set says; `None` where it cannot be
    /// read.
    #[must_use]
    pub fn picture_size(self, sps: &[u8]) -> Option<(u32, u32)> {
        match self {
            Self::H264 => h264::SequenceParameterSet::parse(sps).ok().map(|sps| (sps.width, sps.height)),
            Self::Hevc => h265::SequenceParameterSet::parse(sps).ok().map(|sps| (sps.width, sps.height)),
        }
    }

    /// Whether the bytes can begin a NAL unit of a stream: its forbidden bit is 0 and its type has a meaning.
    #[must_use]
    pub fn is_plausible(self, unit: &[u8]) -> bool {
        match (self, unit) {
            (Self::H264, [first, ..]) => first & 0x80 == 0 && (1..=23).contains(&(first & 0x1f)),
            // Types above 47 are for applications; `nuh_temporal_id_plus1` is not 0.
            (Self::Hevc, [first, second, ..]) => first & 0x80 == 0 && first >> 1 < 48 && second & 0x07 != 0,
            _ => false,
        }
    }

    /// Whether a message of coded video begins a picture.
    ///
    /// `false` only where its first coded slice is not the first of its picture. A message without a coded slice, and
    /// one that cannot be read, begins one. `length_size` is that of the configuration record.
    #[must_use]
    pub fn message_begins_picture(self, payload: &[u8], length_size: u8) -> bool {
        if !begins_with_start_code(payload) {
            // Lengths nearly always lead to a slice; what follows it tells nothing.
            let units = NalUnits::new(payload, length_size).map_while(Result::ok);
            let mut units = units.take_while(|unit| self.is_plausible(unit));
            if let Some(slice) = units.find(|unit| self.role(unit) == UnitRole::CodedSlice) {
                return self.begins_picture(slice);
            }
        }
        let Some(message) = Message::read(self, payload, Framing::Lengths(length_size)) else { return true };
        let slice = message.units().find(|unit| self.role(unit) == UnitRole::CodedSlice);
        slice.is_none_or(|slice| self.begins_picture(slice))
    }

    /// Width and height of the pictures, after cropping, that a message of coded video says by a sequence parameter set
    /// before its first coded slice; `None` where it has none that can be read. `length_size` is that of the
    /// configuration record.
    #[must_use]
    pub fn message_picture_size(self, payload: &[u8], length_size: u8) -> Option<(u32, u32)> {
        let is_sps = |unit: &&[u8]| self.role(unit) == UnitRole::ParameterSet(SetKind::Sps);
        let is_slice = |unit: &&[u8]| self.role(unit) == UnitRole::CodedSlice;
        if !begins_with_start_code(payload) {
            // As above.
            let units = NalUnits::new(payload, length_size).map_while(Result::ok);
            let mut units = units.take_while(|unit| self.is_plausible(unit));
            match units.find(|unit| is_sps(unit) || is_slice(unit)) {
                Some(unit) if is_slice(&unit) => return None,
                Some(sps) if units.any(|unit| is_slice(&unit)) => return self.picture_size(sps),
                _ => {}
            }
        }
        let message = Message::read(self, payload, Framing::Lengths(length_size))?;
        let sps = message.units().take_while(|unit| !is_slice(unit)).find(is_sps)?;
        self.picture_size(sps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_of_h264_units() {
        let role = |first| NalCodec::H264.role(&[first]);
        for slice in [0x41, 0x01, 0x02, 0x03, 0x04, 0x65] {
            assert_eq!(role(slice), UnitRole::CodedSlice, "{slice:02x}");
        }
        assert_eq!(role(0x67), UnitRole::ParameterSet(SetKind::Sps));
        assert_eq!(role(0x6d), UnitRole::ParameterSet(SetKind::SpsExtension));
        assert_eq!(role(0x68), UnitRole::ParameterSet(SetKind::Pps));
        assert_eq!(
            (role(0x09), role(0x06), role(0x0e)),
            (UnitRole::Delimiter, UnitRole::Sei, UnitRole::Prefix)
        );
        for suffix in [0x0a, 0x0b, 0x0c, 0x13, 0x14, 0x1f, 0x00] {
            assert_eq!(role(suffix), UnitRole::Suffix, "{suffix:02x}");
        }
    }

    #[test]
    fn roles_of_hevc_units() {
        let role = |kind: u8| NalCodec::Hevc.role(&[kind << 1, 1]);
        for slice in [0, 1, 8, 9, 16, 19, 20, 21] {
            assert_eq!(role(slice), UnitRole::CodedSlice, "{slice}");
        }
        assert_eq!(role(32), UnitRole::ParameterSet(SetKind::Vps));
        assert_eq!(role(33), UnitRole::ParameterSet(SetKind::Sps));
        assert_eq!(role(34), UnitRole::ParameterSet(SetKind::Pps));
        assert_eq!(
            (role(35), role(39), role(41), role(48)),
            (UnitRole::Delimiter, UnitRole::Sei, UnitRole::Prefix, UnitRole::Prefix)
        );
        for suffix in [36, 37, 38, 40, 45, 47, 56, 63] {
            assert_eq!(role(suffix), UnitRole::Suffix, "{suffix}");
        }
    }

    #[test]
    fn decoding_begins_with_intra_pictures_and_recovery_points() {
        let (h264, hevc) = (NalCodec::H264, NalCodec::Hevc);
        assert!(
            h264.is_entry(&[0x65, 0x88]) && !h264.is_entry(&[0x41, 0x9a]) && !h264.is_entry(&[0x67, 0x42])
        );
        assert!(
            h264.is_entry(&[0x06, 0x06, 0x01, 0xc4, 0x80]) && !h264.is_entry(&[0x06, 0x01, 0x01, 0x04, 0x80])
        );
        // BLA, IDR and CRA pictures; a trailing picture; a recovery point.
        for kind in [16, 17, 18, 19, 20, 21] {
            assert!(hevc.is_entry(&[kind << 1, 1, 0x80]), "{kind}");
        }
        assert!(!hevc.is_entry(&[0x02, 1, 0x80]) && hevc.is_entry(&[0x4e, 1, 0x06, 0x01, 0xc4, 0x80]));
    }

    #[track_caller]
    fn check(codec: NalCodec, message: &[u8], expected: bool) {
        assert_eq!(codec.message_begins_picture(message, 4), expected, "{message:02x?}");
    }

    #[test]
    fn a_message_begins_a_picture_unless_its_first_slice_does_not() {
        check(NalCodec::H264, &[0, 0, 0, 2, 0x65, 0x88], true);
        check(NalCodec::H264, &[0, 0, 0, 3, 0x65, 0x00, 0x73], false);
        check(NalCodec::H264, &[0, 0, 0, 2, 0x06, 0x05, 0, 0, 0, 3, 0x41, 0x00, 0x73], false);
        check(NalCodec::H264, &[0, 0, 0, 1, 0x65, 0x00, 0x73], false);
        check(NalCodec::H264, &[0, 0, 0, 2, 0x03, 0x88], false);
        check(NalCodec::H264, &[0, 0, 0, 2, 0x06, 0x05], true);
        check(NalCodec::H264, &[0, 0, 9, 9, 0x65], true);
        check(NalCodec::H264, &[], true);
        check(NalCodec::Hevc, &[0, 0, 0, 3, 0x26, 0x01, 0xaf], true);
        check(NalCodec::Hevc, &[0, 0, 0, 3, 0x26, 0x01, 0x2f], false);
    }

    #[test]
    fn a_header_that_can_begin_a_unit() {
        let (h264, hevc) = (NalCodec::H264, NalCodec::Hevc);
        assert!([0x01, 0x65, 0x17].iter().all(|&first| h264.is_plausible(&[first])));
        assert!(hevc.is_plausible(&[0x00, 0x01]) && hevc.is_plausible(&[47 << 1, 0x07]));
        // Forbidden bits, types that mean nothing in a stream, no temporal layer, and no second byte.
        assert!([0xe5, 0x00, 0x60, 0x18, 0x1f].iter().all(|&first| !h264.is_plausible(&[first])));
        for unit in [&[0xa6, 0x01][..], &[48 << 1, 0x01], &[0x26, 0x00], &[0x26, 0xf8], &[0x26]] {
            assert!(!hevc.is_plausible(unit), "{unit:02x?}");
        }
    }

    #[test]
    fn a_message_says_its_size_before_its_first_slice() {
        const SPS: &[u8] = &[
            0x67, 0x4d, 0x40, 0x1e, 0xec, 0xa0, 0x50, 0x31, 0xf9, 0xf0, 0x11, 0x00, 0x00, 0x03, 0x00, 0x01,
            0x00, 0x00, 0x03, 0x00, 0x32, 0x1f, 0x14, 0x29, 0x96,
        ];
        const IDR: &[u8] = &[0x65, 0x88, 0x84, 0x21];
        let lengths = |size: usize, units: &[&[u8]]| -> Vec<u8> {
            let framed = |unit: &&[u8]| [&(unit.len() as u32).to_be_bytes()[4 - size..], *unit].concat();
            units.iter().flat_map(framed).collect()
        };
        let size = |message: &[u8], length_size| NalCodec::H264.message_picture_size(message, length_size);
        assert_eq!(size(&lengths(4, &[SPS, IDR]), 4), Some((640, 360)));
        assert_eq!(size(&lengths(4, &[SPS]), 4), Some((640, 360)));
        assert_eq!(size(&lengths(4, &[IDR, SPS]), 4), None);
        assert_eq!(size(&lengths(4, &[IDR]), 4), None);
        let stream = [&[0, 0, 0, 1][..], SPS, &[0, 0, 1], IDR].concat();
        assert_eq!(size(&stream, 4), Some((640, 360)));
        // By lengths of one byte, these of two begin with a unit of one byte: it looks like another set.
        let sei = [&[0x06][..], &[0xff; 0x106]].concat();
        assert_eq!(size(&lengths(2, &[&sei, SPS, IDR]), 1), Some((640, 360)));
    }
}
