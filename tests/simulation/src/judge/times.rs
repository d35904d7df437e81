//! Frames of files come as they were pushed, chunk after chunk.

use super::{Chunk, Fact};
use crate::media::{CLOCK_ENDS, Held, Pushed, Timed, Track};

/// What two times that are one may be apart: containers round to their clocks. Unit: 1/90 000 s.
const ROUNDED: u64 = 100;

/// Chunks that follow one another in a file and in their push, up to the last one.
#[derive(Debug)]
pub(super) struct Run<'a> {
    session: &'a str,
    /// The last one.
    pub(super) fact: &'a Fact<'a>,
    /// A time in the file less the same time in the push. Unit: 1/90 000 s, modulo [`CLOCK_ENDS`].
    shift: u64,
}

impl Run<'_> {
    /// Whether a chunk goes on where the last one ends.
    pub(super) fn continues(&self, (session, _): &Chunk, fact: &Fact<'_>) -> bool {
        self.session == session && self.fact.spooled.to_ms == fact.spooled.from_ms
    }
}

/// Takes a chunk from the begin of what is left of a file. All its frames have to be there and nothing between them, and to
/// be decoded and presented as they were pushed, pictures and sound alike, and as the chunk before was, which it continues.
pub(super) fn take_chunk<'a>(
    held: &mut Held,
    run: &mut Option<Run<'a>>,
    (chunk, fact): (&'a Chunk, &'a Fact<'a>),
) -> Result<(), String> {
    let before = run.as_ref().filter(|run| run.continues(chunk, fact));
    let begin = held[&Track::Video].first().zip(fact.sent(Track::Video).next());
    let of_begin = begin.map_or(0, |(timed, pushed)| shift(timed.presented, pushed.presented_ms));
    let expected = before.map_or(of_begin, |run| run.shift);
    for (track, frames) in held {
        let sent: Vec<Pushed> = fact.sent(*track).collect();
        let taken: Vec<Timed> = frames.drain(..sent.len().min(frames.len())).collect();
        let is_it = |(timed, pushed): (&Timed, &Pushed)| {
            timed.frame == pushed.frame
                && is_near(shift(timed.decoded, pushed.decoded_ms), expected)
                && is_near(shift(timed.presented, pushed.presented_ms), expected)
        };
        if taken.len() != sent.len() || !taken.iter().zip(&sent).all(is_it) {
            let before = before.map(|run| run.fact.spooled);
            return Err(format!(
                "holds {taken:?} for {sent:?} of {chunk:?}, {expected} later, after {before:?}"
            ));
        }
    }
    *run = Some(Run { session: &chunk.0, fact, shift: expected });
    Ok(())
}

fn shift(time: u64, pushed_ms: u64) -> u64 {
    (time + CLOCK_ENDS - 90 * pushed_ms % CLOCK_ENDS) % CLOCK_ENDS
}

fn is_near(one: u64, two: u64) -> bool {
    let apart = one.abs_diff(two);
    apart.min(CLOCK_ENDS - apart) <= ROUNDED
}
