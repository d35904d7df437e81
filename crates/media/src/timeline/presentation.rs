//! Pushes whose timestamps are presentation times: decoding times are made from them.
//!
//! FLV stamps messages with decoding times and says by an offset how much later a picture is shown. Some encoders
//! stamp presentation times and leave the offset at zero. With pictures that are reordered such stamps go back and
//! forth. In the order of time they are the decoding times, as many pictures later as the reordering is deep.

use super::{Ahead, Upcoming};
use crate::TrackKind;

/// The deepest reordering that is recognised; encoders use up to four.
const MAX_DEPTH: usize = 8;

/// Pictures that are looked at to recognise such a push: two groups of one picture and the sixteen shown before it, the
/// most that x264 makes, go back in time twice in as many.
const WINDOW: usize = 20;

/// A stamp further from the others than this does not belong to them, in milliseconds.
const MAX_DISTANCE_MS: i32 = 1_000;

/// Makes decoding times of presentation times, where a push stamps those.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PresentationStamps {
    /// The push has used composition offsets: its stamps are decoding times.
    pub has_offsets: bool,
    /// How many pictures are decoded before one that is shown before them; 0 while stamps are decoding times.
    pub depth: u8,
    /// The distance between two pictures in milliseconds.
    pub frame_ms: u16,
    /// The stamps that are not yet decoding times of a picture, `depth` of them in the order of time.
    pub waiting_ms: [u32; MAX_DEPTH],
}

impl PresentationStamps {
    /// Stamps that can wait.
    pub const MAX_DEPTH: usize = MAX_DEPTH;

    /// Looks for reordered stamps where decoding can begin; `last_ms` is the decoding stamp before.
    pub fn recognise(&mut self, last_ms: Option<u32>, first: Upcoming, ahead: impl Ahead) {
        if self.depth > 0 || self.has_offsets {
            return;
        }
        let video = std::iter::once(first).chain(ahead).filter(|upcoming| upcoming.track == TrackKind::Video);
        let Some((depth, frame_ms)) = reordering(video.take(WINDOW), first.timestamp_ms) else { return };
        self.depth = depth;
        self.frame_ms = frame_ms;
        let since_last = last_ms
            .map(|last| first.timestamp_ms.wrapping_sub(last))
            .filter(|&ms| ms > u32::from(depth) && ms < MAX_DISTANCE_MS.unsigned_abs());
        match since_last {
            None => self.restart(first.timestamp_ms),
            // Decoding times go on after the last one.
            Some(ms) => {
                for (index, waiting) in (0_u32..).zip(&mut self.waiting_ms[..usize::from(depth)]) {
                    let before = ms - ms * (index + 1) / (u32::from(depth) + 1);
                    *waiting = first.timestamp_ms.wrapping_sub(before);
                }
            }
        }
    }

    /// The decoding stamp and composition offset of the next picture, in milliseconds.
    pub fn next(&mut self, timestamp_ms: u32, composition_ms: i32) -> (u32, i32) {
        if composition_ms != 0 {
            *self = Self { has_offsets: true, ..Self::default() };
        }
        let depth = usize::from(self.depth);
        if depth == 0 {
            return (timestamp_ms, composition_ms);
        }
        let distance = |other: u32| timestamp_ms.wrapping_sub(other).cast_signed();
        if distance(self.waiting_ms[0]) < -MAX_DISTANCE_MS
            || distance(self.waiting_ms[depth - 1]) > MAX_DISTANCE_MS
        {
            self.restart(timestamp_ms);
        }
        let waiting = &mut self.waiting_ms[..depth];
        let earlier =
            waiting.iter().take_while(|&&other| timestamp_ms.wrapping_sub(other).cast_signed() >= 0).count();
        let next = if earlier == 0 {
            timestamp_ms
        } else {
            let next = waiting[0];
            waiting.copy_within(1..earlier, 0);
            waiting[earlier - 1] = timestamp_ms;
            next
        };
        (next, timestamp_ms.wrapping_sub(next).cast_signed())
    }

    /// Pictures before `timestamp_ms` that never were.
    fn restart(&mut self, timestamp_ms: u32) {
        let depth = u32::from(self.depth);
        for (index, waiting) in (0_u32..).zip(&mut self.waiting_ms[..depth as usize]) {
            *waiting = timestamp_ms.wrapping_sub(u32::from(self.frame_ms) * (depth - index));
        }
    }
}

/// The depth of the reordering and the distance between pictures in milliseconds, where stamps that go back and
/// forth are even in the order of time.
fn reordering(video: impl Iterator<Item = Upcoming>, first_ms: u32) -> Option<(u8, u16)> {
    let mut stamps = [0_i64; WINDOW];
    let mut count = 0;
    for upcoming in video {
        if upcoming.composition_ms != 0 {
            return None;
        }
        stamps[count] = upcoming.timestamp_ms.wrapping_sub(first_ms).cast_signed().into();
        count += 1;
    }
    let stamps = &mut stamps[..count];
    let steps_back = stamps.windows(2).filter(|pair| pair[1] < pair[0]).count();
    let later_before = |index: usize| stamps[..index].iter().filter(|&&stamp| stamp > stamps[index]).count();
    let depth = (0..count).map(later_before).max()?;
    if steps_back < 2 || !(1..=MAX_DEPTH).contains(&depth) {
        return None;
    }
    stamps.sort_unstable();
    // The last pictures may be shown after others that are not seen here.
    let settled = &stamps[..count - count / 4];
    let steps = settled.windows(2).map(|pair| pair[1] - pair[0]);
    let (shortest, longest) = (steps.clone().min()?, steps.max()?);
    let is_even = shortest > 0 && longest <= 2 * shortest + 2 && longest < i64::from(MAX_DISTANCE_MS);
    is_even.then_some((depth as u8, shortest as u16))
}

#[cfg(test)]
mod tests;
