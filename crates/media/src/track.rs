//! Tracks and what they are made of.

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

/// What a decoder must know before a video track's access units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoConfig<'a> {
    /// Who coded it.
    pub codec: VideoCodec,
    /// Luma samples a row, after cropping; 0 where the stream does not tell.
    pub width: u32,
    /// Rows a frame, after cropping; 0 where the stream does not tell.
    pub height: u32,
    /// `avcC` or `hvcC` without box header (14496-15), or the headers before the first VOP.
    pub record: &'a [u8],
}

/// What a decoder must know before an audio track's access units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioConfig<'a> {
    /// Who coded it.
    pub codec: AudioCodec,
    /// Output sample rate in Hz, after spectral band replication where it is signalled.
    pub sample_rate_hz: u32,
    /// Output channels.
    pub channels: u32,
    /// Length of one frame on the 90 kHz clock, rounded.
    pub frame_duration_90khz: u32,
    /// `AudioSpecificConfig` (14496-3), or nothing for MP3.
    pub record: &'a [u8],
}

/// Coded data in one piece, or in several: where an encoder spread it over messages, or start codes go between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data<'a> {
    /// As one message carried it.
    Whole(&'a [u8]),
    /// The pieces in order, at least two.
    Pieces(Vec<&'a [u8]>),
}

impl<'a> Data<'a> {
    /// The pieces in order.
    #[must_use]
    pub fn pieces(&self) -> &[&'a [u8]] {
        match self {
            Self::Whole(piece) => std::slice::from_ref(piece),
            Self::Pieces(pieces) => pieces,
        }
    }

    /// Adds a piece at the end.
    pub fn append(&mut self, piece: &'a [u8]) {
        match self {
            Self::Whole(first) => *self = Self::Pieces(vec![first, piece]),
            Self::Pieces(pieces) => pieces.push(piece),
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
    /// The coded data: NAL units behind lengths (H.264, HEVC), or the frame itself.
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
    pub audio: Track<'a, AudioConfig<'a>>,
}
