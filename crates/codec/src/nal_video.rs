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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
mod tests;
