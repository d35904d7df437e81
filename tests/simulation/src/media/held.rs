//! What was recorded of pushes, in any container.

use std::collections::BTreeMap;

use super::codecs::{Sets, parameter_sets};
use super::frame::Frame;
use super::pushed::Coded;
use super::shape::Shape;
use super::slots::Track;

/// Times are of the clock of transport streams, and begin again where it does: at 2^33. Unit: 1/90 000 s.
pub const CLOCK_ENDS: u64 = 1 << 33;

/// A frame and its times. Unit: 1/90 000 s, modulo [`CLOCK_ENDS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timed {
    /// Which.
    pub frame: Frame,
    /// When it is decoded.
    pub decoded: u64,
    /// When it is presented.
    pub presented: u64,
}

/// Frames by tracks, in the order in which they lie.
pub type Held = BTreeMap<Track, Vec<Timed>>;

/// No frames.
pub(super) fn nothing() -> Held {
    Track::ALL.map(|track| (track, Vec::new())).into()
}

/// Checks that a frame is on its track as it was pushed, bit by bit.
pub(super) fn check_coded(frame: Frame, track: Track, is_key: bool, bytes: &[u8]) -> Result<(), String> {
    let pushed = Shape::of(frame.0).coded(frame.1);
    let found = Coded { track, is_key, bytes: bytes.to_vec() };
    if pushed.as_ref() == Some(&found) {
        return Ok(());
    }
    // Some have more bytes than anybody reads.
    let brief = |coded: Coded| Coded { bytes: coded.bytes[..coded.bytes.len().min(80)].to_vec(), ..coded };
    let (size, found, pushed) = (bytes.len(), brief(found), pushed.map(brief));
    Err(format!("{frame:?} is {found:02x?} of {size} bytes, and was pushed as {pushed:02x?}"))
}

/// Checks that what a picture is decoded by has the parameter sets that hold then, and no others.
pub(super) fn check_parameters(frame: Frame, there: &[u8]) -> Result<(), String> {
    let shape = Shape::of(frame.0);
    let codec = shape.codec(frame.1);
    let needed = parameter_sets(codec, shape.sets(frame.1));
    let mut others: Vec<&[u8]> = Sets::ALL.into_iter().flat_map(|sets| parameter_sets(codec, sets)).collect();
    others.retain(|set| !needed.contains(set));
    if needed.iter().all(|set| has(there, set)) && !others.iter().any(|set| has(there, set)) {
        return Ok(());
    }
    Err(format!("{frame:?} needs {needed:02x?}, none of {others:02x?}, and has {there:02x?}"))
}

/// Checks that what sound is decoded by says how it is coded, where the frames do not.
pub(super) fn check_sound(frame: Frame, there: &[u8]) -> Result<(), String> {
    let Some(needed) = Shape::of(frame.0).sound(frame.1).config() else { return Ok(()) };
    if has(there, &needed) {
        return Ok(());
    }
    Err(format!("{frame:?} needs {needed:02x?}, and has {there:02x?}"))
}

/// Whether some bytes stand in others: in so few that a table to search by would take longer.
fn has(there: &[u8], bytes: &[u8]) -> bool {
    bytes
        .first()
        .is_some_and(|first| memchr::memchr_iter(*first, there).any(|at| there[at..].starts_with(bytes)))
}
