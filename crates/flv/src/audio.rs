//! The header of an audio tag's body: legacy (FLV 10.1 §E.4.2.1) and enhanced (E-RTMP v2).

use crate::{Error, FourCc, enhanced::HeaderReader};

/// The codec as the FLV names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudioCodec {
    /// Sound format 10, or FourCC `mp4a`.
    Aac,
    /// Sound format 2, 14 (8 kHz), or FourCC `.mp3`.
    Mp3,
    /// Any other sound format.
    Legacy(u8),
    /// Any other FourCC.
    Enhanced(FourCc),
}

impl AudioCodec {
    /// A short name: `aac`, `mp3`, `speex`, `pcma`, or the FourCC.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Aac => "aac".into(),
            Self::Mp3 => "mp3".into(),
            Self::Legacy(0 | 3) => "pcm".into(),
            Self::Legacy(1) => "adpcm".into(),
            Self::Legacy(4..=6) => "nellymoser".into(),
            Self::Legacy(7) => "pcma".into(),
            Self::Legacy(8) => "pcmu".into(),
            Self::Legacy(11) => "speex".into(),
            Self::Legacy(id) => format!("sound-format-{id}"),
            Self::Enhanced(four_cc) => four_cc.to_string(),
        }
    }
}

/// What the body carries after its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudioPacket {
    /// The codec's configuration record.
    SequenceHeader,
    /// Coded data.
    Frame,
    /// The coded sequence ended; nothing follows.
    SequenceEnd,
    /// How many channels the track has and where they stand (E-RTMP v2).
    MultichannelConfig,
    /// A packet type that neither standard gives a meaning that is used here.
    Other(u8),
}

/// An audio tag's body: its header, decoded, and the bytes after it.
///
/// The rate, size and channel bits of a legacy header are not kept: for AAC they are constants, and an MP3
/// frame says better itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioTagHeader<'a> {
    /// The codec.
    pub codec: AudioCodec,
    /// What follows.
    pub packet: AudioPacket,
    /// Track number; 0 unless the message is multitrack.
    pub track: u8,
    /// The header is one of Enhanced RTMP.
    pub is_enhanced: bool,
    /// The bytes after the header.
    pub payload: &'a [u8],
}

impl<'a> AudioTagHeader<'a> {
    /// Reads the header at the start of an audio tag's body.
    ///
    /// # Errors
    /// [`Error::MessageTruncated`] when the body ends inside its header.
    pub fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let mut reader = HeaderReader::new("audio", body);
        let first = reader.byte()?;
        let codec = match first >> 4 {
            9 => return Self::parse_enhanced(first, reader),
            10 => AudioCodec::Aac,
            2 | 14 => AudioCodec::Mp3,
            format => AudioCodec::Legacy(format),
        };
        let packet = match codec {
            AudioCodec::Aac => match reader.byte()? {
                0 => AudioPacket::SequenceHeader,
                1 => AudioPacket::Frame,
                other => AudioPacket::Other(other),
            },
            _ => AudioPacket::Frame,
        };
        Ok(Self { codec, packet, track: 0, is_enhanced: false, payload: reader.rest() })
    }

    fn parse_enhanced(first: u8, mut reader: HeaderReader<'a>) -> Result<Self, Error> {
        let packet_type = reader.skip_mod_ex(first & 0x0f)?;
        let (packet_type, four_cc, track) = reader.track(packet_type, MULTITRACK)?;
        let codec = match &four_cc.0 {
            b"mp4a" => AudioCodec::Aac,
            b".mp3" => AudioCodec::Mp3,
            _ => AudioCodec::Enhanced(four_cc),
        };
        let packet = match packet_type {
            0 => AudioPacket::SequenceHeader,
            1 => AudioPacket::Frame,
            2 => AudioPacket::SequenceEnd,
            MULTICHANNEL_CONFIG => AudioPacket::MultichannelConfig,
            other => AudioPacket::Other(other),
        };
        Ok(Self { codec, packet, track, is_enhanced: true, payload: reader.rest() })
    }

    /// Whether this is the codec's configuration record.
    #[must_use]
    pub fn is_sequence_header(&self) -> bool {
        self.packet == AudioPacket::SequenceHeader
    }
}

const MULTICHANNEL_CONFIG: u8 = 4;
const MULTITRACK: u8 = 5;

#[cfg(test)]
mod tests;
