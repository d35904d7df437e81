//! A parameter set that holds, and what it says.

use super::{NalCodec, SetKey, SetKind};
use crate::{h264, h265};

/// A parameter set that holds.
///
/// What it says is read once, when it comes: it may be long, and it is asked for with each message, and with each set that
/// would take its place, which may be short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held<'a> {
    pub(super) key: SetKey,
    pub(super) unit: &'a [u8],
    fields: Fields,
}

/// What is asked of a parameter set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fields {
    H264Sps(h264::SequenceParameterSet),
    H264Pps(h264::PictureParameterSet),
    HevcSps(h265::SequenceParameterSet),
    /// Nothing is asked of its kind, or it cannot be read.
    None,
}

impl<'a> Held<'a> {
    pub(super) fn read(codec: NalCodec, key: SetKey, unit: &'a [u8]) -> Self {
        let fields = match (codec, key.kind) {
            (NalCodec::H264, SetKind::Sps) => {
                h264::SequenceParameterSet::parse(unit).ok().map(Fields::H264Sps)
            }
            (NalCodec::H264, SetKind::Pps) => {
                h264::PictureParameterSet::parse(unit).ok().map(Fields::H264Pps)
            }
            (NalCodec::Hevc, SetKind::Sps) => {
                h265::SequenceParameterSet::parse(unit).ok().map(Fields::HevcSps)
            }
            _ => None,
        };
        Self { key, unit, fields: fields.unwrap_or(Fields::None) }
    }

    /// Width and height of the pictures, after cropping, where it is a sequence parameter set that can be read.
    pub(super) fn picture_size(&self) -> Option<(u32, u32)> {
        match &self.fields {
            Fields::H264Sps(sps) => Some((sps.width, sps.height)),
            Fields::HevcSps(sps) => Some((sps.width, sps.height)),
            Fields::H264Pps(_) | Fields::None => None,
        }
    }

    /// Whether it is a picture parameter set of H.264 that announces redundant slices.
    pub(super) fn announces_redundant(&self) -> bool {
        self.h264_pps().is_some_and(|pps| pps.redundant_pic_cnt_present)
    }

    pub(super) fn h264_sps(&self) -> Option<&h264::SequenceParameterSet> {
        if let Fields::H264Sps(sps) = &self.fields { Some(sps) } else { None }
    }

    pub(super) fn h264_pps(&self) -> Option<&h264::PictureParameterSet> {
        if let Fields::H264Pps(pps) = &self.fields { Some(pps) } else { None }
    }
}
