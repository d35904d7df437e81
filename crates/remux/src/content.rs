//! What a video message of NAL units holds, as far as access units are told apart by it.

use codec::{
    nal::NalUnits,
    nal_video::{NalCodec, SetKind, UnitRole},
};

/// NAL units of an access unit. No encoder comes near; a chunk of empty ones would be costly to hold.
pub(crate) const MAX_NAL_UNITS: usize = 8_192;

/// What one message of NAL units holds.
#[derive(Debug, Default)]
pub(crate) struct Content {
    pub(crate) units: usize,
    /// The picture size that a parameter set says.
    pub(crate) size: Option<(u32, u32)>,
    pub(crate) has_slice: bool,
    /// Its first slice is the first of a picture.
    pub(crate) starts_picture: bool,
    /// A slice of a picture that decoding can begin with.
    pub(crate) random_access: bool,
    /// Something other than slices and an end of sequence.
    pub(crate) has_companions: bool,
}

impl Content {
    /// What a message holds, or `None` when its framing is wrong or it holds too much.
    pub(crate) fn read(nal_codec: NalCodec, payload: &[u8], length_size: u8) -> Option<Self> {
        let mut content = Self::default();
        for unit in NalUnits::new(payload, length_size) {
            let unit = unit.ok()?;
            content.units += 1;
            if content.units > MAX_NAL_UNITS {
                return None;
            }
            content.size = picture_size(nal_codec, unit).or(content.size);
            let role = nal_codec.role(unit);
            let is_slice = role == UnitRole::CodedSlice;
            if is_slice && !content.has_slice {
                content.has_slice = true;
                content.starts_picture = nal_codec.begins_picture(unit);
            }
            content.random_access |= is_slice && nal_codec.is_entry(unit);
            content.has_companions |= !is_slice && role != UnitRole::Suffix;
        }
        Some(content)
    }
}

/// Width and height, where the unit is a sequence parameter set that can be read.
fn picture_size(codec: NalCodec, unit: &[u8]) -> Option<(u32, u32)> {
    match codec.role(unit) {
        UnitRole::ParameterSet(SetKind::Sps) => codec.picture_size(unit),
        _ => None,
    }
}
