//! What is pushed: tags, and the frames in them.

use super::frame::Frame;
use super::slots::Track;

/// A tag as it is pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// What it is of.
    pub track: Track,
    /// As the publisher counts, in 32 bits.
    pub timestamp_ms: u32,
    /// The body of the tag, or the payload of the message.
    pub body: Vec<u8>,
}

/// A frame as it is pushed. Times count from the push's begin, with pauses. Unit: ms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Which.
    pub frame: Frame,
    /// When it is decoded.
    pub decoded_ms: u64,
    /// When it is presented.
    pub presented_ms: u64,
    /// The publisher's clock has stepped, and that is no pause.
    pub is_stepped: bool,
    /// Whether the step before it is a pause is told by the next picture alone.
    pub is_open: bool,
    /// It is stamped by another clock than the other track.
    pub is_apart: bool,
    /// How far apart the frames of its push are at most. Unit: ms.
    pub pace_ms: u64,
}

/// What every container has to hold of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coded {
    /// What it is of.
    pub track: Track,
    /// Decoding can begin with it.
    pub is_key: bool,
    /// The NAL unit of a picture, or a frame of AAC.
    pub bytes: Vec<u8>,
}
