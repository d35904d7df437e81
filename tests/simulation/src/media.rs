//! What is pushed: frames of a few bytes, each of which says which one it is, and how they are found again in what was
//! recorded.

mod another;
mod codecs;
mod features;
mod files;
mod frame;
mod held;
mod mark;
mod pushed;
mod quirk;
mod shape;
mod slice;
mod slots;
mod steps;

use flv::TagKind;

pub use codecs::{Codec, Sets, Sound, parameter_sets};
pub use files::{read_flv, read_mp4};
pub use frame::{Frame, frames};
pub use held::{CLOCK_ENDS, Held, Timed};
pub use pushed::{Coded, Pushed, Tag};
pub use shape::Shape;
pub use slice::{frames_of_slice, read_slice};
pub use slots::Track;

/// A chunk of the push with the mark 0: what came from one second of the push up to another, in milliseconds after the
/// push's begin.
#[must_use]
pub fn chunk(from_ms: u64, to_ms: u64) -> Vec<u8> {
    chunk_of(0, from_ms, to_ms)
}

/// A chunk of the push with a mark.
#[must_use]
pub fn chunk_of(mark: u32, from_ms: u64, to_ms: u64) -> Vec<u8> {
    let shape = Shape::of(mark);
    let mut bytes = Vec::new();
    flv::write_header(&mut bytes, shape.has_sound(), shape.has_pictures());
    for tag in shape.headers(from_ms).into_iter().chain(shape.tags(from_ms, to_ms)) {
        flv::write_tag(&mut bytes, tag.track.into(), tag.timestamp_ms, &tag.body).expect("the tag is short");
    }
    bytes
}

impl From<Track> for TagKind {
    fn from(track: Track) -> Self {
        match track {
            Track::Video => Self::Video,
            Track::Audio => Self::Audio,
        }
    }
}
