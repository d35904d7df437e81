//! Places among the tags of a file, from which it can be written.

use super::order::Next;
use super::{RecordPlan, body::AROUND_BODY, body::PlannedTag, tags::Tags};
use crate::Error;

/// Bytes between two marks, at least.
const DISTANCE: u64 = 256 << 10;

/// Marks of a file, at most; of more, those that lie evenly apart.
const MAX_MARKS: usize = 1_024;

/// A place among the tags of a file.
#[derive(Clone, Debug)]
pub(super) struct Mark<'a> {
    /// The tags behind it.
    pub(super) tags: Tags<'a>,
    /// Bytes of the tags before it.
    pub(super) passed: u64,
    /// The tags before it hold samples of so many chunks, from the first one on.
    pub(super) chunks: usize,
}

impl<'a> Mark<'a> {
    /// The begin of all tags.
    pub(super) fn first(plan: &RecordPlan<'a>) -> Self {
        Self { tags: Tags::new(plan), passed: 0, chunks: 0 }
    }

    /// What comes next; `None` behind the last tag.
    pub(super) fn peek(&self, plan: &RecordPlan<'a>) -> Option<Next<'a>> {
        self.tags.order.peek(plan)
    }

    /// Goes on behind what comes next, whose tags are given to `take`, each with how many bytes of tags are before it.
    pub(super) fn step(
        &mut self,
        plan: &RecordPlan<'a>,
        next: &Next<'a>,
        mut take: impl FnMut(&PlannedTag<'_>, u64) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.chunks = self.chunks_with(Some(next));
        let passed = &mut self.passed;
        self.tags.step(plan, next, &mut |tag| {
            take(tag, *passed)?;
            *passed += (tag.body_size() + AROUND_BODY) as u64;
            Ok(())
        })
    }

    /// The tags before this, and what comes next, hold samples of so many chunks.
    pub(super) fn chunks_with(&self, next: Option<&Next<'a>>) -> usize {
        match next {
            Some(Next::Sample { placed, .. }) => self.chunks.max(placed.chunk + 1),
            Some(Next::Script { .. }) | None => self.chunks,
        }
    }
}

/// Places among the tags of a file, in their order.
#[derive(Clone, Debug)]
pub(super) struct Marks<'a> {
    first: Mark<'a>,
    later: Vec<Mark<'a>>,
    distance: u64,
}

impl<'a> Marks<'a> {
    pub(super) fn new(first: Mark<'a>) -> Self {
        Self { first, later: Vec::new(), distance: DISTANCE }
    }

    /// Keeps a place if it is far enough behind the last one that is kept.
    pub(super) fn offer(&mut self, mark: &Mark<'a>) {
        let last = self.later.last().unwrap_or(&self.first);
        if mark.passed < last.passed + self.distance {
            return;
        }
        if self.later.len() == MAX_MARKS {
            let mut number = 0;
            self.later.retain(|_| {
                number += 1;
                number % 2 == 0
            });
            self.distance *= 2;
        }
        self.later.push(mark.clone());
    }

    /// The last place that has at most so many bytes of tags before it.
    pub(super) fn seek(&self, plan: &RecordPlan<'a>, bytes: u64) -> Mark<'a> {
        let behind = self.later.partition_point(|mark| mark.passed <= bytes);
        let near = behind.checked_sub(1).map_or(&self.first, |at| &self.later[at]);
        // What a step passes is known once it is made.
        let mut steps = 0;
        let mut ahead = near.clone();
        while let Some(next) = ahead.peek(plan) {
            pass(&mut ahead, plan, &next);
            if ahead.passed > bytes {
                break;
            }
            steps += 1;
        }
        let mut mark = near.clone();
        for _ in 0..steps {
            let Some(next) = mark.peek(plan) else { break };
            pass(&mut mark, plan, &next);
        }
        mark
    }
}

fn pass<'a>(mark: &mut Mark<'a>, plan: &RecordPlan<'a>, next: &Next<'a>) {
    // Only what takes tags refuses any.
    let _ = mark.step(plan, next, |_, _| Ok(()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_bounded_and_lie_as_close_as_that_allows() {
        let first = Mark::first(&RecordPlan::new([]));
        let tag_size = 10_000;
        for size in [0, 10 << 20, 200 << 20, 1 << 30, 3 << 30] {
            let (mut marks, mut mark) = (Marks::new(first.clone()), first.clone());
            for passed in (0..=size).step_by(tag_size) {
                mark.passed = passed;
                marks.offer(&mark);
            }
            assert!(marks.later.len() <= MAX_MARKS);
            let places = marks.later.iter().map(|mark| mark.passed);
            let places: Vec<u64> = std::iter::once(0).chain(places).chain([size]).collect();
            let longest = places.windows(2).map(|pair| pair[1] - pair[0]).max();
            let expected = DISTANCE.max(2 * size / MAX_MARKS as u64);
            assert!(longest < Some(expected + 8 * tag_size as u64), "{longest:?} of {size}");
            assert!(places[..places.len() - 1].windows(2).all(|pair| pair[1] - pair[0] >= DISTANCE));
        }
    }
}
