//! The pages of a session that a query reads.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;

use store::Store;

use crate::chunk::Chunk;
use crate::committed::{self, Committed};
use crate::error::Error;
use crate::file::page_record;
use crate::page::PAGE;
use crate::seal;
use crate::session::Session;
use crate::tally::{Stretch, Tally, Timeline};

use super::REACH_MS;

/// What a query asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// When something is recorded.
    Spans,
    /// Each slice.
    Slices,
}

/// What is found of a session around a range.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Chunks with their numbers.
    pub(super) chunks: BTreeMap<u64, Chunk>,
    /// What comes right before a chunk, which is the first of those that the store holds.
    pub(super) before: Option<(u64, Timeline)>,
    /// What is known of those in the midst of them, where no slice is asked for.
    pub(super) between: Option<Between>,
}

/// Chunks of whole pages, all of whose slices overlap the range.
#[derive(Debug)]
pub(super) struct Between {
    /// Their numbers.
    pub(super) chunks: Range<u64>,
    /// What is recorded from the last slice before them on, but for their own last slice.
    pub(super) stretches: Vec<Stretch>,
    /// As far as their last slice.
    pub(super) timeline: Timeline,
}

/// The pages of a session in the store, each of which is read once.
struct Pages<'a, S> {
    store: &'a S,
    session: &'a Session,
    /// Number of the first chunk that is not sealed.
    sealed: u64,
    /// How many chunks there are.
    length: u64,
    read: BTreeMap<u64, Committed>,
}

/// What the store holds of a session around a range.
pub(super) async fn find(
    store: &impl Store,
    session: &Session,
    (from_ms, to_ms): (u64, u64),
    wanted: Wanted,
) -> Result<Found, Error> {
    let sealed = seal::sealed(store, &session.id).await?.map_or(0, |sealed| sealed.next);
    let length = committed::length(store, &session.id).await?;
    let mut found = Found::default();
    if sealed >= length {
        return Ok(found);
    }
    let mut pages = Pages { store, session, sealed, length, read: BTreeMap::new() };
    let (first, last) = (sealed / PAGE, pages.last());
    let back_ms = match wanted {
        // A slice that nothing continues may end long after one that begins later.
        Wanted::Spans => from_ms.saturating_sub(REACH_MS),
        // The range goes back as far already.
        Wanted::Slices => from_ms,
    };
    if pages.end_ms(last).await? <= back_ms {
        return Ok(found);
    }
    let head = match wanted == Wanted::Spans && session.began_ms >= from_ms {
        true => first,
        false => pages.reaching((first, last), |end_ms| end_ms > back_ms).await?,
    };
    let skipped = match wanted {
        Wanted::Spans => pages.skip(head, (from_ms, to_ms), &mut found).await?,
        Wanted::Slices => None,
    };
    // A slice lasts until the first one of the next page.
    let mut page = skipped.unwrap_or(head.saturating_sub(1).max(first));
    let mut is_past = false;
    while page <= last && !is_past {
        let chunks = pages.chunks(page).await?;
        pages.put(page, &chunks, &mut found);
        page += 1;
        let last = found.chunks.values().rev().find(|chunk| matches!(chunk, Chunk::Slice(_)));
        is_past = matches!(last, Some(Chunk::Slice(slice)) if slice.start_ms() >= to_ms);
    }
    Ok(found)
}

impl<S: Store> Pages<'_, S> {
    /// The last one.
    fn last(&self) -> u64 {
        (self.length - 1) / PAGE
    }

    /// The number of the chunk that a page is read from.
    fn end(&self, page: u64) -> u64 {
        (page * PAGE + PAGE).min(self.length) - 1
    }

    /// The record that a page is read from.
    async fn record(&mut self, page: u64) -> Result<&Committed, Error> {
        let (id, end) = (&self.session.id, self.end(page));
        if let Entry::Vacant(unread) = self.read.entry(page) {
            let record = match committed::get(self.store, id, end).await? {
                Some(record) => record,
                // So much has come meanwhile that it is deleted.
                None => page_record(self.store, id, page, end).await?.1,
            };
            unread.insert(record);
        }
        Ok(&self.read[&page])
    }

    /// When the media up to the end of a page ends, Unix milliseconds; 0 where there is none.
    async fn end_ms(&mut self, page: u64) -> Result<u64, Error> {
        Ok(self.record(page).await?.last_media_ms().unwrap_or(0))
    }

    /// The chunks of a page.
    async fn chunks(&mut self, page: u64) -> Result<Vec<Chunk>, Error> {
        let (id, end) = (&self.session.id, self.end(page));
        self.record(page).await?.chunks(id, end)
    }

    /// Adds those of a page's chunks that are not sealed.
    fn put(&self, page: u64, chunks: &[Chunk], found: &mut Found) {
        let numbered = (page * PAGE..).zip(chunks.iter().copied());
        found.chunks.extend(numbered.skip_while(|(seq, _)| *seq < self.sealed));
    }

    /// Of some pages the first one up to whose end the media ends late enough; the last one where none before it is.
    async fn reaching(
        &mut self,
        (mut low, mut high): (u64, u64),
        is_late: impl Fn(u64) -> bool,
    ) -> Result<u64, Error> {
        while low < high {
            let middle = low.midpoint(high);
            if is_late(self.end_ms(middle).await?) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low)
    }

    /// Adds the pages from one on up to those whose slices all overlap the range, and what is known of these. Answers the
    /// page after them; `None`, and adds nothing, where no tally is noted.
    async fn skip(
        &mut self,
        mut page: u64,
        (from_ms, to_ms): (u64, u64),
        found: &mut Found,
    ) -> Result<Option<u64>, Error> {
        let mut tally = Tally::default();
        // Of a session that begins in the range, all pages are in it from the first one on.
        if self.sealed > 0 || self.session.began_ms < from_ms {
            match self.record(page).await?.tally() {
                Some(noted) => tally = noted,
                None => return Ok(None),
            }
            let first = (page * PAGE).max(self.sealed);
            let mut before = tally.timeline;
            for chunk in self.chunks(page).await?.into_iter().take((first - page * PAGE) as usize) {
                before.push(chunk);
            }
            found.before = Some((first, before));
            let is_begun = |tally: &Tally| tally.timeline.last().is_some_and(|last| last.start_ms >= from_ms);
            while page < self.last() && !is_begun(&tally) {
                let chunks = self.chunks(page).await?;
                self.put(page, &chunks, found);
                tally = tally.after(page, &chunks, self.session.delay_ms());
                page += 1;
            }
        }
        let tail = match self.end_ms(self.last()).await? < to_ms {
            true => self.last(),
            false => self.reaching((page, self.last()), |end_ms| end_ms >= to_ms).await?,
        };
        found.between = self.between(&tally, page, tail).await?;
        Ok(Some(if found.between.is_some() { tail } else { page }))
    }

    /// What is known of the pages from one, before which the tally is this, up to another; `None` where it is not noted.
    async fn between(&mut self, before: &Tally, page: u64, end: u64) -> Result<Option<Between>, Error> {
        if end <= page {
            return Ok(None);
        }
        let Some(mut last) = self.tally(end).await? else { return Ok(None) };
        let (timeline, mut tallies) = (last.timeline, vec![last.since(before)]);
        while let Some(earlier) = last.earlier.filter(|earlier| *earlier > page) {
            let Some(tally) = self.tally(earlier).await? else { return Ok(None) };
            tallies.push(tally.since(before));
            last = tally;
        }
        let stretches = tallies.into_iter().rev().flatten().collect();
        Ok(Some(Between { chunks: page * PAGE..end * PAGE, stretches, timeline }))
    }

    /// The tally before a page.
    async fn tally(&mut self, page: u64) -> Result<Option<Tally>, Error> {
        let tally = self.record(page).await?.tally();
        Ok(tally.filter(|tally| tally.earlier.is_none_or(|earlier| earlier < page)))
    }
}
