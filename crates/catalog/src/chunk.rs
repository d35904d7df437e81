//! What a committed chunk is: a slice, a gap, or nothing.

use serde::{Deserialize, Serialize};

/// A video codec that is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum VideoCodec {
    /// ITU-T H.264.
    H264,
    /// ITU-T H.265.
    Hevc,
    /// MPEG-4 part 2.
    Mpeg4,
}

/// An audio codec that is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AudioCodec {
    /// MPEG-4 AAC.
    Aac,
    /// MPEG-1 or MPEG-2 audio.
    Mp3,
}

/// The tracks that have coded frames in a slice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracks {
    /// The video track.
    pub video: Option<VideoCodec>,
    /// The audio track.
    pub audio: Option<AudioCodec>,
    /// Luma samples a row; 0 where the stream does not tell.
    pub width: u16,
    /// Rows of luma samples; 0 where the stream does not tell.
    pub height: u16,
}

/// One transport stream slice in the user's bucket. Its object's name follows from its session and from what
/// stands here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Unix milliseconds of media time zero, as it is for this slice: time in which nothing was recorded moves it.
    pub anchor_ms: u64,
    /// Media time of its first access unit since the session's first one, over all tracks. Unit: 1/90 000 s.
    pub start_90khz: u64,
    /// From there to its last end over all tracks. Unit: 1/90 000 s.
    pub duration_90khz: u64,
    /// Bytes of the object.
    pub size: u64,
    /// A player can begin with it.
    pub is_enterable: bool,
    /// A player must start afresh at it.
    pub is_discontinuous: bool,
    /// How many names before its own were taken by objects of somebody else.
    pub names_taken: u8,
    /// What is in it.
    pub tracks: Tracks,
}

impl Slice {
    /// Wall-clock time of its first access unit, Unix milliseconds.
    #[must_use]
    pub fn start_ms(&self) -> u64 {
        self.anchor_ms.saturating_add(self.start_90khz / 90)
    }

    /// Wall-clock time of its end, Unix milliseconds.
    #[must_use]
    pub fn end_ms(&self) -> u64 {
        self.anchor_ms.saturating_add(self.end_90khz() / 90)
    }

    /// Media time of its end. Unit: 1/90 000 s.
    #[must_use]
    pub fn end_90khz(&self) -> u64 {
        self.start_90khz.saturating_add(self.duration_90khz)
    }
}

/// Why a chunk will never come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GapReason {
    /// The functions refused it for what it holds.
    Refused,
    /// The gateway gave it up, since its share of the spool was full.
    Shed,
    /// Its file in the spool was damaged.
    Damaged,
    /// It was acknowledged, and the store that held it is lost.
    Acknowledged,
}

/// A chunk that will never come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Why.
    pub reason: GapReason,
    /// Begin after the push's begin, by the gateway. Unit: ms.
    pub from_ms: u64,
    /// End after the push's begin, by the gateway. Unit: ms.
    pub to_ms: u64,
}

/// What a committed chunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// Media that is durable in the user's bucket.
    Slice(Slice),
    /// It will never come.
    Gap(Gap),
    /// It held nothing that could be recorded.
    Empty,
}

impl Chunk {
    /// Whether it is a slice whose first name was taken.
    pub(crate) fn has_own_name(&self) -> bool {
        matches!(self, Self::Slice(slice) if slice.names_taken > 0)
    }
}
