//! The parameter sets that hold at one point of a stream, told apart by kind and identifier.

mod held;

use std::hash::{Hash, Hasher};

use super::NalCodec;
use crate::{
    bits::{BitReader, EndOfBits},
    h264::{self, SliceHeader},
    h265, nal,
};
use held::Held;

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
    sets: Vec<Held<'a>>,
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
    /// what is odd to this reader may not be to a decoder. The work is that of reading this unit, whatever holds.
    pub fn insert(&mut self, kind: SetKind, unit: &'a [u8]) -> SetChange {
        let id = match read_id(self.codec, kind, unit) {
            Ok(id) => id,
            Err(_) if self.sets.iter().all(|held| held.key.kind != kind) => 0,
            Err(_) => return SetChange::Refused,
        };
        let key = SetKey { kind, id };
        let place = self.sets.binary_search_by_key(&key, |held| held.key);
        match place {
            Ok(at) if self.sets[at].unit == unit => return SetChange::None,
            Err(_) if self.sets.len() >= Self::MAX_COUNT => return SetChange::Refused,
            _ => {}
        }
        let set = Held::read(self.codec, key, unit);
        match place {
            Ok(at) if set.picture_size().is_none() && self.sets[at].picture_size().is_some() => {
                return SetChange::Refused;
            }
            Ok(at) => {
                let before = std::mem::replace(&mut self.sets[at], set);
                self.announcing_redundant -= usize::from(before.announces_redundant());
            }
            Err(at) => self.sets.insert(at, set),
        }
        self.announcing_redundant += usize::from(set.announces_redundant());
        SetChange::Taken
    }

    /// The NAL units of the sets, in the order in which they stand before a picture.
    pub fn units(&self) -> impl Iterator<Item = &'a [u8]> {
        self.sets.iter().map(|held| held.unit)
    }

    /// Whether there is a set of each kind without which nothing can be decoded.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.codec.needed_sets().iter().all(|needed| self.sets.iter().any(|held| held.key.kind == *needed))
    }

    /// Width and height of the pictures, after cropping, by the first sequence parameter set; `None` where there is none
    /// or it cannot be read.
    #[must_use]
    pub fn picture_size(&self) -> Option<(u32, u32)> {
        self.sets.iter().find(|held| held.key.kind == SetKind::Sps)?.picture_size()
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

    fn slice_header(&self, slice: &[u8]) -> Option<SliceHeader> {
        if h264::NalUnitType::of(slice[0]) == h264::NalUnitType::SlicePartition {
            return None;
        }
        let pps_id = SliceHeader::pps_id(slice).ok()?;
        let pps = self.find(SetKind::Pps, pps_id)?.h264_pps()?;
        let sps = self.find(SetKind::Sps, pps.sps_id)?.h264_sps()?;
        SliceHeader::parse(slice, Some((sps, pps))).ok()
    }

    fn find(&self, kind: SetKind, id: u32) -> Option<&Held<'a>> {
        let key = SetKey { kind, id: u8::try_from(id).ok()? };
        let at = self.sets.binary_search_by_key(&key, |held| held.key).ok()?;
        Some(&self.sets[at])
    }
}

impl Hash for ParameterSets<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.codec.hash(state);
        // All else follows from these.
        self.sets.len().hash(state);
        self.units().for_each(|unit| unit.hash(state));
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
