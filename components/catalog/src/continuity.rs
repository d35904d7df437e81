//! How slices follow one another: until when each lasts, and which of them can share an M3U8.

use crate::types::{Entry, Slice};

/// Ticks of the clock of slices in a millisecond.
const TICKS_PER_MS: u64 = 90;

/// A slice's end in wall-clock time, Unix milliseconds.
#[must_use]
pub fn end_ms(slice: &Slice) -> u64 {
    slice.start_ms + slice.duration90khz / TICKS_PER_MS
}

/// Lets a slice last until the slice after it in its session begins, where that one continues it.
///
/// A slice's own duration is how far its tracks reach; only the begin of the next says how long it plays.
pub fn lasts_until(slice: &mut Slice, next: &Slice) {
    if !next.discontinuity {
        slice.duration90khz = next.start90khz.saturating_sub(slice.start90khz);
    }
}

/// Appends a slice to a list, and lets the one before it last until its begin.
///
/// `new_session` says that the slice is the first of its session in this list.
pub fn append(entries: &mut Vec<Entry>, slice: Slice, new_session: bool) {
    let discontinuity = match entries.last_mut() {
        None => false,
        Some(_) if new_session => true,
        Some(before) => {
            lasts_until(&mut before.slice, &slice);
            slice.discontinuity
        }
    };
    entries.push(Entry { slice, discontinuity });
}

/// The tracks that the slices of an M3U8 have had so far.
///
/// Players in browsers set up their decoders by the tracks that they find first. hls.js (1.7 in Chromium, measured)
/// fails for good at a track that comes later and at another codec of the sound; it passes over a track that falls
/// silent, and over another picture size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tracks {
    video: Option<String>,
    audio: Option<String>,
}

impl Tracks {
    /// The tracks of the first slice.
    #[must_use]
    pub fn of(slice: &Slice) -> Self {
        let video = slice.video.as_ref().map(|track| track.codec.clone());
        let audio = slice.audio.as_ref().map(|track| track.codec.clone());
        Self { video, audio }
    }

    /// Whether a slice of the same push can follow: it has no track that these lack, and no other codec.
    ///
    /// A track that it lacks has only fallen silent. The slice of another push has to have the very same tracks.
    #[must_use]
    pub fn admit(&self, slice: &Slice) -> bool {
        slice.video.as_ref().is_none_or(|track| self.video.as_ref() == Some(&track.codec))
            && slice.audio.as_ref().is_none_or(|track| self.audio.as_ref() == Some(&track.codec))
    }
}
