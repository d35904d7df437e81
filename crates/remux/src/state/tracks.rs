//! The tracks' part of a state: what a decoder has to know of them, and what goes before the next picture.

use media::VideoCodec;

use crate::adts::PartialFrame;

use super::{
    StateError,
    fields::{Fields, write_optional},
};

/// What is known of the video track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoState<'a> {
    /// The codec.
    pub codec: VideoCodec,
    /// Bytes of the lengths before NAL units, 1 to 4.
    pub length_size: u8,
    /// Fingerprint of the sequence header in use; `None` where there was none.
    pub header: Option<u64>,
    /// What tells the parameter sets in use from others, as far as a change of them is a discontinuity.
    pub identity: u64,
    /// What stands before a picture that a decoder begins with: see [`media::VideoConfig::headers`]. At most 1 280 bytes
    /// with three for each; where there are more they are not kept.
    pub headers: Vec<&'a [u8]>,
}

/// Bytes of headers that are kept for the next chunk.
const MAX_HEADERS_SIZE: usize = 1_280;

/// Bytes of a sequence header of AAC that are kept. Encoders write two to five, and twenty or thirty where no number
/// describes the channels.
pub(crate) const MAX_AUDIO_RECORD_SIZE: usize = 128;

/// Bytes of NAL units without a picture that are kept.
pub(crate) const MAX_LEADING_SIZE: usize = 2_048;

/// Bytes of the fields whose size does not vary.
pub(super) const TRACKS_SIZE: usize = 1 + 1 + 9 + 8;

/// The parts of a state whose size varies, each behind its kind and its length in two bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Header = 1,
    AudioRecord = 2,
    LeadingUnit = 3,
    AdtsFrame = 4,
}

/// Bytes of a part before its content.
const PART_HEADER_SIZE: usize = 3;

/// What the tracks leave to the next chunk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tracks<'a> {
    pub(super) video: Option<VideoState<'a>>,
    pub(super) audio_record: Option<&'a [u8]>,
    pub(super) leading_units: Vec<&'a [u8]>,
    pub(super) adts_frame: Option<PartialFrame<'a>>,
}

/// Appends the fields whose size does not vary.
pub(super) fn write_video(video: Option<&VideoState<'_>>, bytes: &mut Vec<u8>) {
    let codec = match video.map(|video| video.codec) {
        None => 0,
        Some(VideoCodec::H264) => 1,
        Some(VideoCodec::Hevc) => 2,
        Some(VideoCodec::Mpeg4) => 3,
    };
    bytes.extend_from_slice(&[codec, video.map_or(4, |video| video.length_size)]);
    write_optional(bytes, video.and_then(|video| video.header));
    bytes.extend_from_slice(&video.map_or(0, |video| video.identity).to_be_bytes());
}

pub(super) fn read_video<'a>(fields: &mut Fields<'_>) -> Result<Option<VideoState<'a>>, StateError> {
    let [codec, length_size] = fields.take();
    let header = fields.optional("sequence header")?;
    let identity = u64::from_be_bytes(fields.take());
    let codec = match codec {
        0 => None,
        1 => Some(VideoCodec::H264),
        2 => Some(VideoCodec::Hevc),
        3 => Some(VideoCodec::Mpeg4),
        _ => return Err(StateError::Field { field: "video codec" }),
    };
    if !(1..=4).contains(&length_size) {
        return Err(StateError::Field { field: "length size" });
    }
    Ok(codec.map(|codec| VideoState { codec, length_size, header, identity, headers: Vec::new() }))
}

/// Appends the parts whose size varies. Headers that are too long are left out.
pub(super) fn write_parts(
    video: Option<&VideoState<'_>>,
    audio_record: Option<&[u8]>,
    leading_units: &[&[u8]],
    adts_frame: Option<&PartialFrame<'_>>,
    bytes: &mut Vec<u8>,
) {
    let mut write = |part: Part, content: &[u8]| {
        bytes.push(part as u8);
        bytes.extend_from_slice(&(content.len() as u16).to_be_bytes());
        bytes.extend_from_slice(content);
    };
    let headers = video.map_or(&[][..], |video| &video.headers);
    if size_of(headers) <= MAX_HEADERS_SIZE {
        headers.iter().for_each(|header| write(Part::Header, header));
    }
    audio_record.iter().for_each(|record| write(Part::AudioRecord, record));
    leading_units.iter().for_each(|unit| write(Part::LeadingUnit, unit));
    if let Some(frame) = adts_frame {
        write(Part::AdtsFrame, &[&frame.timestamp_ms.to_be_bytes()[..], &frame.pieces().concat()].concat());
    }
}

/// Reads the parts whose size varies into `tracks`; `None` where they do not fill the bytes, or hold too much.
pub(super) fn read_parts<'a>(mut bytes: &'a [u8], tracks: &mut Tracks<'a>) -> Option<()> {
    while let Some((&[kind, high, low], rest)) = bytes.split_first_chunk() {
        let (content, rest) = rest.split_at_checked(u16::from_be_bytes([high, low]).into())?;
        bytes = rest;
        if content.is_empty() {
            return None;
        }
        match kind {
            kind if kind == Part::Header as u8 => tracks.video.as_mut()?.headers.push(content),
            kind if kind == Part::AudioRecord as u8 && tracks.audio_record.is_none() => {
                tracks.audio_record = Some(content);
            }
            kind if kind == Part::LeadingUnit as u8 => tracks.leading_units.push(content),
            kind if kind == Part::AdtsFrame as u8 && tracks.adts_frame.is_none() => {
                let (timestamp, frame) = content.split_first_chunk()?;
                tracks.adts_frame = Some(PartialFrame::begin(frame, u32::from_be_bytes(*timestamp))?);
            }
            _ => return None,
        }
    }
    let headers = tracks.video.as_ref().map_or(0, |video| size_of(&video.headers));
    let fits = headers <= MAX_HEADERS_SIZE
        && size_of(&tracks.leading_units) <= MAX_LEADING_SIZE
        && tracks.audio_record.is_none_or(|record| record.len() <= MAX_AUDIO_RECORD_SIZE);
    (bytes.is_empty() && fits).then_some(())
}

/// Bytes that parts take.
pub(crate) fn size_of(contents: &[&[u8]]) -> usize {
    contents.iter().map(|content| PART_HEADER_SIZE + content.len()).sum()
}
