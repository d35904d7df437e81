//! Frames of files come as they were pushed, chunk after chunk.

use super::{Chunk, Fact};
use crate::media::{CLOCK_ENDS, Held, Pushed, Timed, Track};

/// What two times that are one may be apart: containers round to their clocks. Unit: 1/90 000 s.
const ROUNDED: u64 = 100;

/// Chunks that follow one another in a file and in their push.
#[derive(Debug)]
pub(super) struct Run {
    session: String,
    /// Up to where the push is in the file. Unit: ms after the push's begin.
    to_ms: u64,
    /// A time in the file less the same time in the push. Unit: 1/90 000 s, modulo [`CLOCK_ENDS`].
    shift: u64,
}

impl Run {
    /// Whether a chunk goes on where a run ends.
    pub(super) fn continues(run: Option<&Self>, chunk: &Chunk, fact: &Fact<'_>) -> bool {
        run.is_some_and(|run| run.session == chunk.0 && run.to_ms == fact.spooled.from_ms)
    }
}

/// Takes a chunk from the begin of what is left of a file. All its frames have to be there and nothing between them, and to
/// be decoded and presented as they were pushed, pictures and sound alike, and as the chunk before was, which it continues.
pub(super) fn take_chunk(
    held: &mut Held,
    run: &mut Option<Run>,
    (chunk, fact): (&Chunk, &Fact<'_>),
) -> Result<(), String> {
    let begin = held[&Track::Video].first().zip(fact.sent(Track::Video).first().cloned());
    let shift = match &run {
        Some(before) if Run::continues(run.as_ref(), chunk, fact) => before.shift,
        _ => begin.map_or(0, |(timed, pushed)| shift(timed.presented, pushed.presented_ms)),
    };
    for (track, frames) in held {
        let sent = fact.sent(*track);
        let taken: Vec<Timed> = frames.drain(..sent.len().min(frames.len())).collect();
        let is_it = |(timed, pushed): (&Timed, &Pushed)| {
            timed.frame == pushed.frame
                && is_near(self::shift(timed.decoded, pushed.decoded_ms), shift)
                && is_near(self::shift(timed.presented, pushed.presented_ms), shift)
        };
        if taken.len() != sent.len() || !taken.iter().zip(&sent).all(is_it) {
            return Err(format!("holds {taken:?} for {sent:?} of {chunk:?}, {shift} later, after {run:?}"));
        }
    }
    *run = Some(Run { session: chunk.0.clone(), to_ms: fact.spooled.to_ms, shift });
    Ok(())
}

fn shift(time: u64, pushed_ms: u64) -> u64 {
    (time + CLOCK_ENDS - 90 * pushed_ms % CLOCK_ENDS) % CLOCK_ENDS
}

fn is_near(one: u64, two: u64) -> bool {
    let apart = one.abs_diff(two);
    apart.min(CLOCK_ENDS - apart) <= ROUNDED
}
