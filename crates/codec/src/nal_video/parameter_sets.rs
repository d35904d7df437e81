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
mod tests;
