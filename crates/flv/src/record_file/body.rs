//! Tags of a file, and what their bodies begin with.

use media::{AudioCodec, VideoCodec};
use sample_table::{AudioEntry, SampleEntry, VideoEntry};

use crate::{TAG_HEADER_SIZE, TagKind};

/// Bytes of the longest header of a tag's body: one byte, a FourCC, a composition time.
const MAX_HEADER_SIZE: usize = 8;

/// Bytes of a tag's longest body: their number has 24 bits.
pub(super) const MAX_BODY_SIZE: usize = (1 << 24) - 1;

/// Bytes of a tag beside its body.
pub(super) const AROUND_BODY: usize = TAG_HEADER_SIZE + 4;

/// One tag of a file.
#[derive(Clone, Debug)]
pub(super) struct PlannedTag<'a> {
    pub(super) kind: TagKind,
    /// Unit: milliseconds of the file.
    pub(super) time_ms: u64,
    header: [u8; MAX_HEADER_SIZE],
    header_size: usize,
    pub(super) payload: Payload<'a>,
    /// A player can begin here: with a picture, or with the headers right before it.
    pub(super) is_entry: bool,
}

/// What follows the header of a tag's body.
#[derive(Clone, Copy, Debug)]
pub(super) enum Payload<'a> {
    /// A configuration record, or script data.
    Bytes(&'a [u8]),
    /// A sample of so many bytes.
    Sample(u32),
}

impl<'a> PlannedTag<'a> {
    pub(super) fn new(kind: TagKind, time_ms: u64, parts: &[&[u8]], payload: Payload<'a>) -> Self {
        let (mut header, mut header_size) = ([0; MAX_HEADER_SIZE], 0);
        for part in parts {
            header[header_size..header_size + part.len()].copy_from_slice(part);
            header_size += part.len();
        }
        Self { kind, time_ms, header, header_size, payload, is_entry: false }
    }

    pub(super) fn header(&self) -> &[u8] {
        &self.header[..self.header_size]
    }

    pub(super) fn body_size(&self) -> usize {
        let payload = match self.payload {
            Payload::Bytes(bytes) => bytes.len(),
            Payload::Sample(size) => size as usize,
        };
        self.header_size + payload
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum VideoPacket {
    SequenceHeader,
    /// With its composition time in milliseconds.
    Frame(u32),
}

/// The header of a video tag's body (FLV 10.1 §E.4.3.1; E-RTMP v2).
pub(super) fn video_header(
    entry: &VideoEntry<'_>,
    is_enhanced: bool,
    is_key: bool,
    packet: VideoPacket,
) -> Vec<u8> {
    let frame_type: u8 = if is_key { 1 } else { 2 };
    let (packet_type, offset_ms) = match packet {
        VideoPacket::SequenceHeader => (0, None),
        VideoPacket::Frame(offset_ms) => (1, Some(offset_ms)),
    };
    let (codec_id, four_cc) = match entry.codec {
        VideoCodec::H264 => (7, Some(b"avc1")),
        VideoCodec::Hevc => (12, Some(b"hvc1")),
        VideoCodec::Mpeg4 => (9, None),
    };
    let offset = offset_ms.map(u32::to_be_bytes);
    match four_cc.filter(|_| is_enhanced) {
        Some(four_cc) => {
            let first = 0x80 | frame_type << 4 | packet_type;
            [&[first][..], four_cc, offset.as_ref().map_or(&[][..], |offset| &offset[1..])].concat()
        }
        None => {
            let offset = offset.unwrap_or_default();
            [&[frame_type << 4 | codec_id, packet_type][..], &offset[1..]].concat()
        }
    }
}

/// Whether a tag can hold a sample of so many bytes.
pub(super) fn holds(entry: &SampleEntry<'_>, is_enhanced: bool, size: u32) -> bool {
    if size as usize <= MAX_BODY_SIZE - MAX_HEADER_SIZE {
        return true;
    }
    let header = match entry {
        SampleEntry::Video(entry) => video_header(entry, is_enhanced, true, VideoPacket::Frame(0)),
        SampleEntry::Audio(entry) => audio_header(entry, is_enhanced, 1),
    };
    size as usize <= MAX_BODY_SIZE - header.len()
}

/// The header of an audio tag's body (FLV 10.1 §E.4.2.1; E-RTMP v2). Packet type 0 is a sequence header, 1 a frame.
pub(super) fn audio_header(entry: &AudioEntry<'_>, is_enhanced: bool, packet_type: u8) -> Vec<u8> {
    match (entry.codec, is_enhanced) {
        (AudioCodec::Aac, true) => [&[0x90 | packet_type][..], b"mp4a"].concat(),
        (AudioCodec::Mp3, true) => [&[0x90 | packet_type][..], b".mp3"].concat(),
        // Rate, size and channels of AAC are constants.
        (AudioCodec::Aac, false) => vec![0xaf, packet_type],
        (AudioCodec::Mp3, false) => {
            let (format, rate) = match entry.sample_rate_hz {
                8_000 => (14, 0),
                0..=10_999 => (2, 0),
                11_000..=15_999 => (2, 1),
                16_000..=31_999 => (2, 2),
                // There is no number for 48 kHz, and readers go by the frames.
                _ => (2, 3),
            };
            vec![format << 4 | rate << 2 | 1 << 1 | u8::from(entry.channels != 1)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(codec: AudioCodec, sample_rate_hz: u32, channels: u8, is_enhanced: bool) -> Vec<u8> {
        let entry =
            AudioEntry { codec, sample_rate_hz, channels, frame_samples: 1_152, in_adts: false, record: &[] };
        audio_header(&entry, is_enhanced, 1)
    }

    #[test]
    fn sound_is_named_by_codec_rate_and_channels() {
        // Format, rate, 16 bits, stereo: 14 is MP3 of 8 kHz, and 2 that of any other rate, by the nearest below it.
        for (rate_hz, first) in [
            (8_000, 0b1110_0011),
            (7_350, 0b0010_0011),
            (11_025, 0b0010_0111),
            (12_000, 0b0010_0111),
            (16_000, 0b0010_1011),
            (22_050, 0b0010_1011),
            (24_000, 0b0010_1011),
            (32_000, 0b0010_1111),
            (44_100, 0b0010_1111),
            (48_000, 0b0010_1111),
        ] {
            assert_eq!(header(AudioCodec::Mp3, rate_hz, 2, false), [first], "{rate_hz}");
            assert_eq!(header(AudioCodec::Mp3, rate_hz, 1, false), [first & 0xfe], "{rate_hz}");
            assert_eq!(header(AudioCodec::Mp3, rate_hz, 2, true), b"\x91.mp3");
            assert_eq!(header(AudioCodec::Aac, rate_hz, 1, false), [0xaf, 1]);
            assert_eq!(header(AudioCodec::Aac, rate_hz, 1, true), b"\x91mp4a");
        }
    }
}
