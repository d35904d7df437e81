//! What a decoder must know before samples.

use media::{AudioCodec, VideoCodec};

use crate::{
    Error,
    fields::{Fields, write_bytes, write_number},
};

/// Sample entries of a table, at most: as many configurations as the remuxer takes of both tracks.
pub const MAX_ENTRIES: usize = 512;

/// The longest record: no less than what the parameter sets of HEVC's longest record take.
const MAX_RECORD_SIZE: usize = 1 << 25;

/// What a decoder must know before samples of a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleEntry<'a> {
    /// Of pictures.
    Video(VideoEntry<'a>),
    /// Of sound.
    Audio(AudioEntry<'a>),
}

/// What a decoder must know before pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoEntry<'a> {
    /// The codec.
    pub codec: VideoCodec,
    /// Luma samples a row after cropping; 0 where the stream does not tell.
    pub width: u16,
    /// Rows a frame after cropping; 0 where the stream does not tell.
    pub height: u16,
    /// `AVCDecoderConfigurationRecord` or `HEVCDecoderConfigurationRecord` with lengths of 4 bytes, or what stands
    /// before the first VOP or group of VOPs (MPEG-4 part 2).
    pub record: &'a [u8],
}

/// What a decoder must know before sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioEntry<'a> {
    /// The codec.
    pub codec: AudioCodec,
    /// Output sample rate in Hz, after spectral band replication where it is signalled.
    pub sample_rate_hz: u32,
    /// Output channels; 0 where the coded frames alone tell them.
    pub channels: u8,
    /// Output samples of a frame.
    pub frame_samples: u16,
    /// Samples are ADTS frames of several raw frames each, which no MP4 file can hold.
    pub in_adts: bool,
    /// `AudioSpecificConfig` of AAC; empty for MP3.
    pub record: &'a [u8],
}

const H264: u8 = 1;
const HEVC: u8 = 2;
const MPEG4: u8 = 3;
const AAC: u8 = 0x81;
const MP3: u8 = 0x82;
const AAC_IN_ADTS: u8 = 0x83;

impl<'a> SampleEntry<'a> {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Video(entry) => {
                out.push(match entry.codec {
                    VideoCodec::H264 => H264,
                    VideoCodec::Hevc => HEVC,
                    VideoCodec::Mpeg4 => MPEG4,
                });
                write_number(out, entry.width.into());
                write_number(out, entry.height.into());
                write_bytes(out, entry.record);
            }
            Self::Audio(entry) => {
                out.push(match (entry.codec, entry.in_adts) {
                    (AudioCodec::Aac, false) => AAC,
                    (AudioCodec::Aac, true) => AAC_IN_ADTS,
                    (AudioCodec::Mp3, _) => MP3,
                });
                write_number(out, entry.sample_rate_hz.into());
                out.push(entry.channels);
                write_number(out, entry.frame_samples.into());
                write_bytes(out, entry.record);
            }
        }
    }

    pub(crate) fn read(fields: &mut Fields<'a>) -> Result<Self, Error> {
        let offset = fields.offset();
        let code = fields.byte("codec")?;
        Ok(match code {
            H264 | HEVC | MPEG4 => Self::Video(VideoEntry {
                codec: match code {
                    H264 => VideoCodec::H264,
                    HEVC => VideoCodec::Hevc,
                    _ => VideoCodec::Mpeg4,
                },
                width: fields.number("width", u16::MAX.into())? as u16,
                height: fields.number("height", u16::MAX.into())? as u16,
                record: read_record(fields)?,
            }),
            AAC | MP3 | AAC_IN_ADTS => Self::Audio(AudioEntry {
                codec: if code == MP3 { AudioCodec::Mp3 } else { AudioCodec::Aac },
                sample_rate_hz: read_sample_rate(fields)?,
                channels: fields.byte("channels")?,
                frame_samples: fields.number("frame samples", u16::MAX.into())? as u16,
                in_adts: code == AAC_IN_ADTS,
                record: read_record(fields)?,
            }),
            _ => return Err(Error::Range { field: "codec", offset }),
        })
    }
}

fn read_sample_rate(fields: &mut Fields<'_>) -> Result<u32, Error> {
    let offset = fields.offset();
    match fields.number("sample rate", u32::MAX.into())? {
        0 => Err(Error::Range { field: "sample rate", offset }),
        rate => Ok(rate as u32),
    }
}

fn read_record<'a>(fields: &mut Fields<'a>) -> Result<&'a [u8], Error> {
    let offset = fields.offset();
    let record = fields.bytes("record")?;
    if record.len() > MAX_RECORD_SIZE { Err(Error::Range { field: "record", offset }) } else { Ok(record) }
}
