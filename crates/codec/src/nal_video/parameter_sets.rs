//! The parameter sets that hold at one point of a stream, told apart by kind and identifier.

use super::NalCodec;
use crate::{
    bits::{BitReader, EndOfBits},
    h264::{self, SliceHeader},
    h265, nal,
};

/// The kinds of parameter set, in the order in which they stand before a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SetKind {
    /// Video parameter set, which HEVC has.
    Vps,
    /// Sequence parameter set.
    Sps,
    /// Sequence parameter set extension, which H.264 has.
    SpsExtension,
    /// Picture parameter set.
    Pps,
}

/// What tells a parameter set from others: a later one with the same key takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SetKey {
    /// Its kind.
    pub kind: SetKind,
    /// Its identifier, which counts for each kind.
    pub id: u8,
}

/// What a parameter set was to those that held before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetChange {
    /// It is the one that holds, byte by byte.
    None,
    /// It holds from now on, in another's place or beside the others.
    Taken,
    /// It cannot be read, or there are too many: it is not kept.
    Refused,
}

/// The parameter sets that hold. Two are equal where they hold the same sets, in whatever order they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterSets<'a> {
    codec: NalCodec,
    /// In the order of their keys.
    sets: Vec<(SetKey, &'a [u8])>,
    /// How many of them are picture parameter sets of H.264 that announce redundant slices: hardly ever any. Known here,
    /// so that no slice header has to be read for it.
    announcing_redundant: usize,
}

impl<'a> ParameterSets<'a> {
    /// Sets that are kept at most. Encoders use three to ten; this bounds what a hostile stream makes of them.
    pub const MAX_COUNT: usize = 64;

    /// None yet.
    #[must_use]
    pub fn new(codec: NalCodec) -> Self {
        Self { codec, sets: Vec::new(), announcing_redundant: 0 }
    }

    /// The codec whose sets these are.
    #[must_use]
    pub fn codec(&self) -> NalCodec {
        self.codec
    }

    /// Takes a NAL unit that is a parameter set of this kind.
    ///
    /// One that is cut does not take the place of a whole one. Where there is none of its kind it is kept all the same:
    /// what is odd to this reader may not be to a decoder.
    pub fn insert(&mut self, kind: SetKind, unit: &'a [u8]) -> SetChange {
        let id = match read_id(self.codec, kind, unit) {
            Ok(id) => id,
            Err(_) if self.sets.iter().all(|(key, _)| key.kind != kind) => 0,
            Err(_) => return SetChange::Refused,
        };
        match self.sets.binary_search_by_key(&SetKey { kind, id }, |(key, _)| *key) {
            Ok(at) if self.sets[at].1 == unit => return SetChange::None,
            Ok(at) if kind == SetKind::Sps && self.is_worse_sps(unit, self.sets[at].1) => {
                return SetChange::Refused;
            }
            Ok(at) => {
                let before = std::mem::replace(&mut self.sets[at].1, unit);
                self.announcing_redundant -= usize::from(self.announces_redundant(kind, before));
            }
            Err(_) if self.sets.len() >= Self::MAX_COUNT => return SetChange::Refused,
            Err(at) => self.sets.insert(at, (SetKey { kind, id }, unit)),
        }
        self.announcing_redundant += usize::from(self.announces_redundant(kind, unit));
        SetChange::Taken
    }

    /// The NAL units of the sets, in the order in which they stand before a picture.
    pub fn units(&self) -> impl Iterator<Item = &'a [u8]> {
        self.sets.iter().map(|(_, unit)| *unit)
    }

    /// Whether there is a set of each kind without which nothing can be decoded.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.codec.needed_sets().iter().all(|needed| self.sets.iter().any(|(key, _)| key.kind == *needed))
    }

    /// Width and height of the pictures, after cropping, by the first sequence parameter set; `None` where there is none
    /// or it cannot be read.
    #[must_use]
    pub fn picture_size(&self) -> Option<(u32, u32)> {
        let (_, sps) = self.sets.iter().find(|(key, _)| key.kind == SetKind::Sps)?;
        self.codec.picture_size(sps)
    }

    /// Whether two coded slices of H.264 belong to one picture by their headers (14496-10 §7.4.1.2.4); `None` where the
    /// sets that tell how to read them are not here, and for HEVC, whose slices tell by themselves.
    #[must_use]
    pub fn is_same_picture(&self, one: &[u8], other: &[u8]) -> Option<bool> {
        if self.codec != NalCodec::H264 {
            return None;
        }
        self.slice_header(one)?.is_same_picture(&self.slice_header(other)?)
    }

    /// Whether a coded slice of H.264 codes again what the picture of `primary` has coded: it is part of that access
    /// unit, although it may begin with the first macroblock.
    #[must_use]
    pub fn is_redundant_to(&self, primary: &[u8], slice: &[u8]) -> bool {
        self.announcing_redundant > 0
            && self.slice_header(slice).is_some_and(|slice| {
                slice.is_redundant
                    && self.slice_header(primary).is_some_and(|primary| slice.is_redundant_to(&primary))
            })
    }

    fn announces_redundant(&self, kind: SetKind, unit: &[u8]) -> bool {
        self.codec == NalCodec::H264
            && kind == SetKind::Pps
            && h264::PictureParameterSet::parse(unit).is_ok_and(|pps| pps.redundant_pic_cnt_present)
    }

    fn is_worse_sps(&self, unit: &[u8], held: &[u8]) -> bool {
        self.codec.picture_size(unit).is_none() && self.codec.picture_size(held).is_some()
    }

    fn slice_header(&self, slice: &[u8]) -> Option<SliceHeader> {
        if h264::NalUnitType::of(slice[0]) == h264::NalUnitType::SlicePartition {
            return None;
        }
        let pps_id = SliceHeader::pps_id(slice).ok()?;
        let pps = h264::PictureParameterSet::parse(self.find(SetKind::Pps, pps_id)?).ok()?;
        let sps = h264::SequenceParameterSet::parse(self.find(SetKind::Sps, pps.sps_id)?).ok()?;
        SliceHeader::parse(slice, Some((&sps, &pps))).ok()
    }

    fn find(&self, kind: SetKind, id: u32) -> Option<&'a [u8]> {
        let key = SetKey { kind, id: u8::try_from(id).ok()? };
        let at = self.sets.binary_search_by_key(&key, |(key, _)| *key).ok()?;
        Some(self.sets[at].1)
    }
}

/// Bytes of a parameter set that hold its identifier. Those of HEVC's sub-layers are the most that stand before it.
const READ_LIMIT: usize = 128;

/// The identifier of a parameter set.
fn read_id(codec: NalCodec, kind: SetKind, unit: &[u8]) -> Result<u8, EndOfBits> {
    let rbsp = nal::unescape(unit, READ_LIMIT);
    let mut reader = BitReader::new(&rbsp);
    reader.skip(codec.header_size() as u64 * 8)?;
    let id = match (codec, kind) {
        (NalCodec::H264, SetKind::Sps) => {
            reader.skip(24)?; // profile_idc, constraint flags, level_idc
            reader.exp_golomb()?
        }
        (NalCodec::H264, _) | (NalCodec::Hevc, SetKind::Pps) => reader.exp_golomb()?,
        (NalCodec::Hevc, SetKind::Vps) => reader.bits(4)?,
        (NalCodec::Hevc, _) => {
            reader.skip(4)?; // sps_video_parameter_set_id
            let max_sub_layers_minus1 = reader.bits(3)?;
            reader.skip(1)?; // sps_temporal_id_nesting_flag
            h265::skip_profile_tier_level(&mut reader, max_sub_layers_minus1)?;
            reader.exp_golomb()?
        }
    };
    u8::try_from(id).map_err(|_| EndOfBits { position: reader.position() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits::bytes_of;

    const SPS: &[u8] = &[
        0x67, 0x42, 0xc0, 0x28, 0xda, 0x01, 0xe0, 0x08, 0x9f, 0x97, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10,
        0x00, 0x00, 0x03, 0x03, 0x20, 0xf1, 0x83, 0x2a,
    ];
    const PPS: &[u8] = &[0x68, 0xce, 0x0f, 0xc8];
    /// A picture parameter set with the identifier 1.
    const PPS_1: &[u8] = &[0x68, 0x5f, 0x0f, 0xc8];

    #[test]
    fn sets_stand_in_their_order_and_later_ones_take_the_place_of_earlier_ones() {
        let mut sets = ParameterSets::new(NalCodec::H264);
        assert_eq!(sets.insert(SetKind::Pps, PPS_1), SetChange::Taken);
        assert_eq!(sets.insert(SetKind::Pps, PPS), SetChange::Taken);
        assert!(!sets.is_complete());
        assert_eq!(sets.insert(SetKind::Sps, SPS), SetChange::Taken);
        assert!(sets.is_complete());
        assert_eq!(sets.units().collect::<Vec<_>>(), [SPS, PPS, PPS_1]);
        assert_eq!(sets.picture_size(), Some((1920, 1080)));
        assert_eq!(sets.insert(SetKind::Pps, PPS), SetChange::None);
        let changed = &[0x68, 0xce, 0x3c, 0x80];
        assert_eq!(sets.insert(SetKind::Pps, changed), SetChange::Taken);
        assert_eq!(sets.units().collect::<Vec<_>>(), [SPS, changed, PPS_1]);
    }

    #[test]
    fn a_cut_set_does_not_take_the_place_of_a_whole_one() {
        let mut sets = ParameterSets::new(NalCodec::H264);
        assert_eq!(sets.insert(SetKind::Sps, &[0x67, 0x42]), SetChange::Taken);
        assert_eq!(sets.insert(SetKind::Sps, SPS), SetChange::Taken);
        for cut in [1, 4, 6] {
            assert_eq!(sets.insert(SetKind::Sps, &SPS[..cut]), SetChange::Refused, "cut at {cut}");
        }
        assert_eq!(sets.units().collect::<Vec<_>>(), [SPS]);
    }

    #[test]
    fn a_changed_set_takes_the_place_of_the_one_before() {
        let mut other_level = SPS.to_vec();
        other_level[3] = 0x29;
        let mut sets = ParameterSets::new(NalCodec::H264);
        // One whose size cannot be read, in the place of another.
        for unit in [&SPS[..5], &SPS[..6], SPS, &other_level, SPS] {
            assert_eq!(sets.insert(SetKind::Sps, unit), SetChange::Taken, "{unit:02x?}");
            assert_eq!(sets.units().collect::<Vec<_>>(), [unit]);
        }
    }

    #[test]
    fn slices_are_redundant_where_a_set_announces_it() {
        // Of one type and with the first macroblock: what the set says of identifiers, then frame_num, and
        // redundant_pic_cnt where it is there.
        let slice = |bits| [vec![0x41], bytes_of(&format!("1 00110 {bits} 1111 1111"))].concat();
        let announcing = [vec![0x68], bytes_of("1 1 0 0 1 1 1 0 00 1 1 1 0 0 1 1")].concat();
        let (primary, redundant) = (slice("1 0001 1"), slice("1 0001 010"));
        let mut sets = ParameterSets::new(NalCodec::H264);
        sets.insert(SetKind::Sps, SPS);
        sets.insert(SetKind::Pps, &announcing);
        assert!(sets.is_redundant_to(&primary, &redundant));
        assert!(!sets.is_redundant_to(&primary, &primary));
        assert!(!sets.is_redundant_to(&slice("1 0010 1"), &redundant), "it is of another picture");
        // Another set beside it changes nothing, and one in its place takes it back.
        sets.insert(SetKind::Pps, PPS_1);
        assert!(sets.is_redundant_to(&primary, &redundant));
        sets.insert(SetKind::Pps, PPS);
        assert!(!sets.is_redundant_to(&primary, &redundant));
        assert_eq!(sets.is_same_picture(&primary, &redundant), Some(true));
    }

    #[test]
    fn sets_are_equal_whatever_their_order() {
        let (mut one, mut two) = (ParameterSets::new(NalCodec::H264), ParameterSets::new(NalCodec::H264));
        for (kind, unit) in [(SetKind::Sps, SPS), (SetKind::Pps, PPS), (SetKind::Pps, PPS_1)] {
            one.insert(kind, unit);
        }
        for (kind, unit) in
            [(SetKind::Pps, PPS_1), (SetKind::Sps, SPS), (SetKind::Pps, PPS), (SetKind::Sps, SPS)]
        {
            two.insert(kind, unit);
        }
        assert_eq!(one, two);
    }

    #[test]
    fn a_stream_of_many_sets_is_bounded() {
        let units: Vec<Vec<u8>> =
            (0..=255).map(|id: u32| vec![0x44, 0x01, 0, 0, (id + 1) as u8 | 1, 0x80]).collect();
        let mut sets = ParameterSets::new(NalCodec::Hevc);
        for id in 0..200_u32 {
            let _ = sets.insert(SetKind::Pps, &units[id as usize]);
        }
        assert!(sets.units().count() <= ParameterSets::MAX_COUNT);
    }
}
