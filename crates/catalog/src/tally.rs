//! What a session has recorded up to a page: stretches of time, in a few bytes.
//!
//! Each record of a page carries the tally of the chunks before the page. A query over a day reads the pages at both ends of
//! its range, and one tally for all that lies between them. One that cannot be read counts as none: pages tell the same.
//!
//! Layout, all numbers as LEB128:
//!
//! | field | present | unit |
//! | --- | --- | --- |
//! | total | always | 1/90 000 s |
//! | 1 and the page of the tally before this one; or 0 | always | |
//! | flags, one byte | always | see the constants of this module |
//! | anchor, start, duration | `LAST`: of the last slice | Unix ms, 1/90 000 s, 1/90 000 s |
//! | start, end less start, duration | of each stretch | Unix ms, ms, 1/90 000 s |

use crate::chunk::{Chunk, Slice};
use crate::page::{Reader, put};

/// A tally with more stretches is not continued, since each record has one: the next one says where it is. A page may add
/// as many as it has chunks.
const MOST: usize = 16;

const LAST: u8 = 1;
const INTERRUPTED: u8 = 2;

/// Time in which slices follow one another without breaks longer than the rule's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// Unix milliseconds.
    pub(crate) start_ms: u64,
    /// Unix milliseconds.
    pub(crate) end_ms: u64,
    /// Sum of the durations of its slices. Unit: 1/90 000 s.
    pub(crate) duration_90khz: u64,
}

impl Stretch {
    /// Takes what comes next; answers whether it did: not after a break of more than `delay_ms`.
    pub(crate) fn join(&mut self, next: Stretch, delay_ms: u64) -> bool {
        if next.start_ms > self.end_ms.saturating_add(delay_ms) {
            return false;
        }
        self.end_ms = self.end_ms.max(next.end_ms);
        self.duration_90khz = self.duration_90khz.saturating_add(next.duration_90khz);
        true
    }
}

/// When a slice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Timed {
    anchor_ms: u64,
    start_90khz: u64,
    duration_90khz: u64,
}

impl Timed {
    fn of(slice: &Slice) -> Self {
        let Slice { anchor_ms, start_90khz, duration_90khz, .. } = *slice;
        Self { anchor_ms, start_90khz, duration_90khz }
    }

    fn start_ms(self) -> u64 {
        self.anchor_ms.saturating_add(self.start_90khz / 90)
    }

    fn lasts(self, duration_90khz: u64) -> Stretch {
        let start_ms = self.start_ms();
        Stretch { start_ms, end_ms: start_ms.saturating_add(duration_90khz / 90), duration_90khz }
    }
}

/// Takes the slices of a session one after the other: each lasts until the next one begins that continues it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Timeline {
    last: Option<Timed>,
    is_interrupted: bool,
}

impl Timeline {
    /// The next slice does not continue the last one.
    pub(crate) fn interrupt(&mut self) {
        self.is_interrupted = true;
    }

    /// Takes the next chunk; answers the slice before it, once a slice says how long that one lasts.
    pub(crate) fn push(&mut self, chunk: Chunk) -> Option<Stretch> {
        let slice = match chunk {
            Chunk::Empty => return None,
            Chunk::Gap(_) => {
                self.interrupt();
                return None;
            }
            Chunk::Slice(slice) => Timed::of(&slice),
        };
        let is_interrupted = std::mem::take(&mut self.is_interrupted);
        let before = self.last.replace(slice)?;
        let continues = !is_interrupted && before.anchor_ms == slice.anchor_ms;
        Some(before.lasts(match continues {
            true => slice.start_90khz.saturating_sub(before.start_90khz),
            false => before.duration_90khz,
        }))
    }

    /// The last slice, as long as it is by itself.
    pub(crate) fn last(&self) -> Option<Stretch> {
        self.last.map(|last| last.lasts(last.duration_90khz))
    }
}

/// What is recorded of a session before a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Sum of the durations of all slices that are followed by another one. Unit: 1/90 000 s.
    total_90khz: u64,
    /// Those slices, but for the ones that are in an earlier tally.
    stretches: Vec<Stretch>,
    /// As far as the last slice.
    pub(crate) timeline: Timeline,
    /// The page whose tally has the stretches before.
    pub(crate) earlier: Option<u64>,
}

impl Tally {
    /// The tally before the page that follows a page of these chunks. `delay_ms`: how long a break in a stretch is at most.
    pub(crate) fn after(mut self, page: u64, chunks: &[Chunk], delay_ms: u64) -> Self {
        if self.stretches.len() > MOST {
            self.stretches.clear();
            self.earlier = Some(page);
        }
        for chunk in chunks {
            let Some(slice) = self.timeline.push(*chunk) else { continue };
            self.total_90khz = self.total_90khz.saturating_add(slice.duration_90khz);
            if !self.stretches.last_mut().is_some_and(|last| last.join(slice, delay_ms)) {
                self.stretches.push(slice);
            }
        }
        self
    }

    /// Its stretches from the last slice of an earlier tally of the session on.
    pub(crate) fn since(&self, earlier: &Tally) -> Vec<Stretch> {
        let from_ms = earlier.timeline.last.map_or(0, Timed::start_ms);
        let mut end_90khz = self.total_90khz;
        let mut found = Vec::new();
        for stretch in self.stretches.iter().rev().take_while(|stretch| stretch.end_ms >= from_ms) {
            found.push(Stretch {
                start_ms: stretch.start_ms.max(from_ms),
                duration_90khz: stretch.duration_90khz.min(end_90khz.saturating_sub(earlier.total_90khz)),
                ..*stretch
            });
            end_90khz = end_90khz.saturating_sub(stretch.duration_90khz);
        }
        found.reverse();
        found
    }

    /// As bytes that [`decode`](Self::decode) reads.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        put(&mut bytes, self.total_90khz);
        put(&mut bytes, self.earlier.map_or(0, |page| page + 1));
        let Timeline { last, is_interrupted } = self.timeline;
        let interrupted = if is_interrupted { INTERRUPTED } else { 0 };
        bytes.push(if last.is_some() { LAST } else { 0 } | interrupted);
        let last = last.map(|last| [last.anchor_ms, last.start_90khz, last.duration_90khz]);
        let of =
            |stretch: &Stretch| [stretch.start_ms, stretch.end_ms - stretch.start_ms, stretch.duration_90khz];
        for number in last.into_iter().chain(self.stretches.iter().map(of)).flatten() {
            put(&mut bytes, number);
        }
        bytes
    }

    /// The tally that some bytes are; `None` for others.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let total_90khz = reader.number()?;
        let earlier = reader.number()?.checked_sub(1);
        let flags = reader.byte()?;
        if flags & !(LAST | INTERRUPTED) != 0 {
            return None;
        }
        let last = match flags & LAST {
            0 => None,
            _ => Some(Timed {
                anchor_ms: reader.number()?,
                start_90khz: reader.number()?,
                duration_90khz: reader.number()?,
            }),
        };
        let timeline = Timeline { last, is_interrupted: flags & INTERRUPTED != 0 };
        let mut stretches = Vec::new();
        while !reader.rest().is_empty() {
            let start_ms = reader.number()?;
            let end_ms = start_ms.checked_add(reader.number()?)?;
            stretches.push(Stretch { start_ms, end_ms, duration_90khz: reader.number()? });
        }
        Some(Self { total_90khz, stretches, timeline, earlier })
    }
}

#[cfg(test)]
mod tests {
    use store::memory::Random;

    use super::*;
    use crate::tests::world::slice;

    #[test]
    fn a_tally_is_read_as_it_was_written_and_nothing_else_is_one() {
        let mut random = Random::new(3);
        let (mut tally, mut anchor_ms) = (Tally::default(), 1_800_000_000_000);
        for page in 0..40 {
            assert_eq!(Tally::decode(&tally.encode()).as_ref(), Some(&tally), "{page}");
            let chunks: Vec<Chunk> = (0..64)
                .map(|number| {
                    anchor_ms += if random.below(40) == 0 { 400_000 } else { 0 };
                    Chunk::Slice(Slice { anchor_ms, ..slice(page * 64 + number) })
                })
                .collect();
            tally = tally.after(page, &chunks, 180_000);
        }
        assert!(tally.earlier.is_some() && !tally.stretches.is_empty());
        let bytes = tally.encode();
        for end in 0..bytes.len() {
            assert_ne!(Tally::decode(&bytes[..end]).as_ref(), Some(&tally), "{end}");
        }
        assert_eq!(Tally::decode(&[0, 0, 0]), Some(Tally::default()));
        assert_eq!(Tally::decode(&[0, 0, 4]), None);
    }

    /// Slices of 5 s, each of which is followed by a break; unit of those: ms.
    fn broken(breaks: impl IntoIterator<Item = u64>) -> Vec<Chunk> {
        let mut anchor_ms = 1_800_000_000_000;
        let slice = |rest| {
            let chunk = Chunk::Slice(Slice { anchor_ms, start_90khz: 0, ..slice(0) });
            anchor_ms += 5_000 + rest;
            chunk
        };
        breaks.into_iter().map(slice).collect()
    }

    #[test]
    fn a_break_as_long_as_the_rule_allows_parts_nothing() {
        let chunks = broken([180_000, 180_001, 0, 0]);
        let tally = Tally::default().after(0, &chunks, 180_000);
        let lengths: Vec<_> =
            tally.stretches.iter().map(|stretch| stretch.end_ms - stretch.start_ms).collect();
        assert_eq!(lengths, [190_000, 5_000]);
    }

    /// Each record has one.
    #[test]
    fn a_tally_stays_short_however_many_breaks_there_were() {
        let mut tally = Tally::default();
        for (page, chunks) in broken(vec![200_000; 6_400]).chunks(64).enumerate() {
            tally = tally.after(page as u64, chunks, 180_000);
            assert!(tally.encode().len() < 2_000, "{page}");
        }
    }

    /// Chunks of a page before an earlier tally are known by themselves, and those after it by what it lacks.
    #[test]
    fn what_came_since_an_earlier_tally_is_that_of_its_last_slice_and_all_after_it() {
        let mut random = Random::new(5);
        for round in 0..300 {
            let breaks: Vec<u64> = (0..14).map(|_| [0, 0, 0, 100_000, 200_000][random.below(5)]).collect();
            let chunks = broken(breaks);
            let known = random.below(chunks.len());
            let earlier = Tally::default().after(0, &chunks[..known], 180_000);
            let all = earlier.clone().after(1, &chunks[known..], 180_000);
            let alone = Tally::default().after(0, &chunks[known.saturating_sub(1)..], 180_000);
            assert_eq!(all.since(&earlier), alone.stretches, "{round}: {known} of {chunks:?}");
        }
    }
}
