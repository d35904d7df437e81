//! Frames of files come as they were pushed, chunk after chunk.

use super::{Chunk, Fact};
use crate::media::{CLOCK_ENDS, Held, Pushed, Timed, Track};

/// What two times that are one may be apart: containers round to their clocks. Unit: 1/90 000 s.
const ROUNDED: u64 = 100;

/// What sound may be off by in an MP4 file besides: a frame that is due up to 2 ms after the one before it ends, or before
/// that, begins where that ends. Unit: 1/90 000 s.
pub(super) const JOINED: u64 = 180;

/// How times lie in a file: each is later than in the push by as much, until the publisher's clock steps. Unit: 1/90 000 s,
/// modulo [`CLOCK_ENDS`].
#[derive(Clone, Copy, Debug, Default)]
struct Shifts {
    before: Option<u64>,
    /// Once it has stepped.
    after: Option<u64>,
    /// Of a track whose clock is another one.
    apart: Option<u64>,
}

impl Shifts {
    fn of(&mut self, pushed: &Pushed) -> &mut Option<u64> {
        match pushed {
            Pushed { is_apart: true, .. } => &mut self.apart,
            Pushed { is_stepped: true, .. } => &mut self.after,
            _ => &mut self.before,
        }
    }

    /// Whether a frame is where it is due.
    fn fit(&mut self, timed: &Timed, pushed: &Pushed, rounded: u64) -> bool {
        let found = shift(timed.presented, pushed.presented_ms);
        let expected = *self.of(pushed).get_or_insert(found);
        // Where a clock steps, or tracks have clocks of their own, nothing tells when the next frame is due but the pace.
        let is_by_pace = pushed.is_stepped || pushed.is_apart;
        let is_paced = |before| !is_by_pace || apart(before, expected) <= 90 * pushed.pace_ms;
        apart(found, expected) <= rounded
            && apart(shift(timed.decoded, pushed.decoded_ms), expected) <= rounded
            && self.before.is_none_or(is_paced)
    }
}

/// Chunks that follow one another in a file and in their push, up to the last one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<'a> {
    session: &'a str,
    /// The last one.
    pub(super) fact: &'a Fact<'a>,
    shifts: Shifts,
    /// When the last one begins. Unit: 1/90 000 s, modulo [`CLOCK_ENDS`].
    begin: u64,
}

impl Run<'_> {
    /// Whether a chunk goes on where the last one ends.
    pub(super) fn continues(&self, (session, _): &Chunk, fact: &Fact<'_>) -> bool {
        self.session == session && self.fact.spooled.to_ms == fact.spooled.from_ms
    }

    /// How long after the begin of the last chunk of another run that of this one comes. Unit: s.
    pub(super) fn after_s(&self, before: &Self) -> f64 {
        later(self.begin, before.begin) as f64 / 90_000.0
    }
}

/// Takes a chunk from the begin of what is left of a file. All its frames have to be there and nothing between them, and to
/// be decoded and presented as they were pushed, pictures and sound alike, and as the chunk before was, which it continues.
/// Sound may be off by `joined` besides.
pub(super) fn take_chunk<'a>(
    held: &mut Held,
    run: &mut Option<Run<'a>>,
    (chunk, fact): (&'a Chunk, &'a Fact<'a>),
    joined: u64,
) -> Result<(), String> {
    let before = run.as_ref().filter(|run| run.continues(chunk, fact));
    let mut shifts = before.map_or_else(Shifts::default, |run| run.shifts);
    let leads = if fact.has(Track::Video) { Track::Video } else { Track::Audio };
    let begin = held[&leads].first().map_or(0, |timed| timed.decoded);
    for (track, frames) in held {
        let sent: Vec<Pushed> = fact.sent(*track).collect();
        let taken: Vec<Timed> = frames.drain(..sent.len().min(frames.len())).collect();
        let rounded = ROUNDED + if *track == Track::Audio { joined } else { 0 };
        let mut last = None;
        let mut is_it = |(timed, pushed): &(&Timed, &Pushed)| {
            let is_later = last.replace(timed.decoded).is_none_or(|before| later(timed.decoded, before) > 0);
            timed.frame == pushed.frame && is_later && (pushed.is_open || shifts.fit(timed, pushed, rounded))
        };
        let wrong = taken.iter().zip(&sent).find(|both| !is_it(both));
        if wrong.is_some() || taken.len() != sent.len() {
            let before = before.map(|run| run.fact.spooled);
            let many = (taken.len(), sent.len());
            return Err(format!(
                "holds {many:?} of {track:?}, {wrong:?}, of {chunk:?}, {shifts:?} later, after {before:?}"
            ));
        }
    }
    *run = Some(Run { session: &chunk.0, fact, shifts, begin });
    Ok(())
}

fn shift(time: u64, pushed_ms: u64) -> u64 {
    (time + CLOCK_ENDS - 90 * pushed_ms % CLOCK_ENDS) % CLOCK_ENDS
}

/// How much later than another time one is; less than nothing, where it is earlier. Unit: 1/90 000 s.
pub(super) fn later(time: u64, other: u64) -> i64 {
    let later = (time + CLOCK_ENDS - other) % CLOCK_ENDS;
    later.cast_signed() - if later >= CLOCK_ENDS / 2 { CLOCK_ENDS.cast_signed() } else { 0 }
}

fn apart(one: u64, two: u64) -> u64 {
    let apart = one.abs_diff(two);
    apart.min(CLOCK_ENDS - apart)
}
