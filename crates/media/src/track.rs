//! Tracks and what they are made of.

use codec::aac::AudioSpecificConfig;

/// The two kinds of track that a recording can have, one of each at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrackKind {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

impl TrackKind {
    /// `video` or `audio`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Audio => "audio",
        }
    }

    /// The kind that this one is not.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Video => Self::Audio,
            Self::Audio => Self::Video,
        }
    }
}

/// A video codec that can be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VideoCodec {
    /// H.264, AVC.
    H264,
    /// H.265, HEVC.
    Hevc,
    /// MPEG-4 part 2.
    Mpeg4,
}

impl VideoCodec {
    /// `h264`, `hevc` or `mpeg4`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::H264 => "h264",
            Self::Hevc => "hevc",
            Self::Mpeg4 => "mpeg4",
        }
    }
}

/// An audio codec that can be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudioCodec {
    /// AAC in any of the profiles that ADTS can carry.
    Aac,
    /// MPEG audio layer 3.
    Mp3,
}

impl AudioCodec {
    /// `aac` or `mp3`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Aac => "aac",
            Self::Mp3 => "mp3",
        }
    }
}

/// Width and height of pictures, after cropping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureSize {
    /// Luma samples a row.
    pub width: u32,
    /// Rows a frame.
    pub height: u32,
}

/// What a decoder must know before a video track's access units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoConfig<'a> {
    /// The codec.
    pub codec: VideoCodec,
    /// The size of the pictures, where the stream tells it.
    pub size: Option<PictureSize>,
    /// Bytes of the length before each NAL unit of [`Data::Lengths`]: 1 to 4. Of no meaning for MPEG-4 part 2.
    pub length_size: u8,
    /// What stands before a picture that a decoder begins with, unless the picture brings it: parameter sets and SEI as
    /// NAL units (H.264, HEVC), or the bytes before the first VOP or group of VOPs (MPEG-4 part 2). Empty where only
    /// pictures bring it.
    pub headers: Vec<&'a [u8]>,
}

/// What a decoder must know before an audio track's access units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioConfig {
    /// The codec.
    pub codec: AudioCodec,
    /// Output sample rate in Hz, after spectral band replication where it is signalled.
    pub sample_rate_hz: u32,
    /// Output channels; `None` where the coded frames alone tell them.
    pub channels: Option<u32>,
    /// Length of one frame on the 90 kHz clock, rounded; of an ADTS frame that is kept whole, of all its raw frames.
    pub frame_duration_90khz: u32,
    /// What an AAC decoder must know; `None` for MP3.
    pub aac: Option<AudioSpecificConfig>,
    /// Access units are ADTS frames with their headers, each of several raw frames: nobody but a decoder can take them
    /// apart.
    pub has_adts_headers: bool,
}

/// The coded data of an access unit. Nothing of it is copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data<'a> {
    /// A frame in one piece.
    Frame(&'a [u8]),
    /// A frame in pieces that follow each other.
    Pieces(Vec<&'a [u8]>),
    /// NAL units behind lengths of [`VideoConfig::length_size`] bytes, as one message carried them.
    Lengths(&'a [u8]),
    /// The same, spread over several messages.
    LengthsInPieces(Vec<&'a [u8]>),
    /// NAL units by themselves, where they came in another framing.
    NalUnits(Vec<&'a [u8]>),
}

impl<'a> Data<'a> {
    /// The pieces in order, whatever they are.
    #[must_use]
    pub fn pieces(&self) -> &[&'a [u8]] {
        match self {
            Self::Frame(piece) | Self::Lengths(piece) => std::slice::from_ref(piece),
            Self::Pieces(pieces) | Self::LengthsInPieces(pieces) | Self::NalUnits(pieces) => pieces,
        }
    }

    /// Bytes of all pieces.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.pieces().iter().map(|piece| piece.len() as u64).sum()
    }
}

/// One picture with all that belongs to it, or one audio message (one frame, for MP3 maybe several).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessUnit<'a> {
    /// Decoding time. Unit: 1/90 000 s since the session's first access unit. Rises strictly within a track;
    /// a little below zero where the other track began before the first one.
    pub dts_90khz: i64,
    /// Presentation time on the same clock, at or after the decoding time.
    pub pts_90khz: i64,
    /// Decoding can begin here.
    pub random_access: bool,
    /// Index into the track's configurations.
    pub config: u32,
    /// The coded data: NAL units (H.264, HEVC), or the frame itself.
    pub data: Data<'a>,
}

/// One track of a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track<'a, C> {
    /// Configurations in order of use, at least one where there are access units.
    pub configs: Vec<C>,
    /// Access units in decoding order.
    pub units: Vec<AccessUnit<'a>>,
}

impl<C> Default for Track<'_, C> {
    fn default() -> Self {
        Self { configs: Vec::new(), units: Vec::new() }
    }
}

/// What a demuxer gives for one chunk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Media<'a> {
    /// Pictures; empty without a video track.
    pub video: Track<'a, VideoConfig<'a>>,
    /// Sound; empty without an audio track.
    pub audio: Track<'a, AudioConfig>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracks_and_codecs_have_the_names_that_answers_and_lists_use() {
        assert_eq!([TrackKind::Video, TrackKind::Audio].map(TrackKind::name), ["video", "audio"]);
        let codecs = [VideoCodec::H264, VideoCodec::Hevc, VideoCodec::Mpeg4];
        assert_eq!(codecs.map(VideoCodec::name), ["h264", "hevc", "mpeg4"]);
        assert_eq!([AudioCodec::Aac, AudioCodec::Mp3].map(AudioCodec::name), ["aac", "mp3"]);
    }

    #[test]
    fn coded_data_is_its_pieces_in_order_and_as_long_as_they_are_together() {
        let (one, two): (&[u8], &[u8]) = (&[1, 2, 3], &[4, 5]);
        for data in [Data::Frame(one), Data::Lengths(one)] {
            assert_eq!((data.pieces(), data.size()), (&[one][..], 3));
        }
        for of in [Data::Pieces, Data::LengthsInPieces, Data::NalUnits] {
            let data = of(vec![one, two]);
            assert_eq!((data.pieces(), data.size()), (&[one, two][..], 5));
        }
    }
}
