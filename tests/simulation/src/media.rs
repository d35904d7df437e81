//! What is pushed: frames of a few bytes, each of which says which one it is, and how they are found again in what was
//! recorded.

mod frame;
mod shape;
mod slice;

use flv::TagKind;

pub use frame::{Frame, frames};
pub use shape::{Shape, Tag, Timed, Track, check_parameters};
pub use slice::{Found, frames_of_slice, read_slice};

/// A chunk of the push 0: what came from one second of the push up to another, in milliseconds after the push's begin.
#[must_use]
pub fn chunk(from_ms: u64, to_ms: u64) -> Vec<u8> {
    chunk_of(0, from_ms, to_ms)
}

/// A chunk of a push.
#[must_use]
pub fn chunk_of(push: u32, from_ms: u64, to_ms: u64) -> Vec<u8> {
    let shape = Shape::of(push);
    let mut bytes = Vec::new();
    flv::write_header(&mut bytes, shape.has_sound(), true);
    for tag in shape.headers(from_ms).into_iter().chain(shape.tags(from_ms, to_ms)) {
        let kind = match tag.track {
            Track::Video => TagKind::Video,
            Track::Audio => TagKind::Audio,
        };
        flv::write_tag(&mut bytes, kind, tag.timestamp_ms, &tag.body).expect("the tag is short");
    }
    bytes
}
