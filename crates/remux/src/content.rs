//! What a video message of NAL units holds, as far as access units are told apart by it.

use codec::nal::NalUnits;
use codec::{h264, h265};
use media::VideoCodec;

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
    pub(crate) fn read(codec: VideoCodec, payload: &[u8], length_size: u8) -> Option<Self> {
        let mut content = Self::default();
        for unit in NalUnits::new(payload, length_size) {
            let unit = unit.ok()?;
            content.units += 1;
            if content.units > MAX_NAL_UNITS {
                return None;
            }
            content.size = picture_size(codec, unit).or(content.size);
            let (is_slice, is_random_access, starts_picture, is_end) = match codec {
                VideoCodec::H264 => {
                    let kind = h264::NalUnitType::of(unit[0]);
                    let is_idr = kind == h264::NalUnitType::IdrSlice;
                    (kind.is_slice(), is_idr, h264::starts_picture(unit), kind == h264::NalUnitType::End)
                }
                _ => {
                    let kind = h265::NalUnitType::of(unit[0]);
                    let is_irap = kind == h265::NalUnitType::IrapSlice;
                    (kind.is_slice(), is_irap, h265::starts_picture(unit), kind == h265::NalUnitType::End)
                }
            };
            if is_slice && !content.has_slice {
                content.has_slice = true;
                content.starts_picture = starts_picture;
            }
            content.random_access |= is_random_access;
            content.has_companions |= !is_slice && !is_end;
        }
        Some(content)
    }
}

/// Width and height, where the unit is a sequence parameter set that can be read.
fn picture_size(codec: VideoCodec, unit: &[u8]) -> Option<(u32, u32)> {
    match codec {
        VideoCodec::H264 if h264::NalUnitType::of(unit[0]) == h264::NalUnitType::Sps => {
            h264::SequenceParameterSet::parse(unit).ok().map(|sps| (sps.width, sps.height))
        }
        VideoCodec::Hevc if h265::NalUnitType::of(unit[0]) == h265::NalUnitType::Sps => {
            h265::SequenceParameterSet::parse(unit).ok().map(|sps| (sps.width, sps.height))
        }
        _ => None,
    }
}
