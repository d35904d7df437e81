//! The pages of a session that a query reads.

use std::collections::BTreeMap;
use std::ops::Range;

use store::Store;

use crate::chunk::Chunk;
use crate::committed;
use crate::error::Error;
use crate::file::{self, page_record};
use crate::page::PAGE;
use crate::seal;
use crate::session::Session;
use crate::tally::{Slices, Stretch, Tally};

/// So many pages at the begin of a range are read, and at its end: a slice lasts until the first one of the next page.
const EDGE: u64 = 2;

/// What a query asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// When something is recorded.
    Spans,
    /// Each slice.
    Slices,
}

/// What the store holds of a session around a range.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Chunks with their numbers.
    pub(super) chunks: BTreeMap<u64, Chunk>,
    /// What is known of those in the midst of them, where no slice is asked for.
    pub(super) between: Option<Between>,
}

/// Chunks of whole pages, all of whose slices overlap the range.
#[derive(Debug)]
pub(super) struct Between {
    /// Their numbers.
    pub(super) chunks: Range<u64>,
    /// What is recorded, from the last slice before them up to the last of them.
    pub(super) stretches: Vec<Stretch>,
    /// The last of them.
    pub(super) slices: Slices,
}

/// What the store holds of a session around a range.
pub(super) async fn find(
    store: &impl Store,
    session: &Session,
    (from_ms, to_ms): (u64, u64),
    wanted: Wanted,
) -> Result<Found, Error> {
    let id = &session.id;
    let sealed = seal::sealed(store, id).await?.map_or(0, |sealed| sealed.next);
    let length = committed::length(store, id).await?;
    let mut found = Found::default();
    if sealed >= length {
        return Ok(found);
    }
    let (first, end) = (sealed / PAGE, (length - 1) / PAGE + 1);
    let ended = reaching(store, id, (first, end - 1), length, |end_ms| end_ms > from_ms).await?;
    let mut page = ended.saturating_sub(1).max(first);
    if wanted == Wanted::Spans && end - page > 2 * EDGE {
        let next = page + EDGE;
        let over = reaching(store, id, (next, end - 1), length, |end_ms| end_ms >= to_ms).await?;
        found.between = between(store, session, (next, over), length).await?;
        if found.between.is_some() {
            read(store, id, (page, next), (sealed, length), &mut found).await?;
            page = over;
        }
    }
    let mut is_past = false;
    while page < end && !is_past {
        read(store, id, (page, page + 1), (sealed, length), &mut found).await?;
        page += 1;
        let last = found.chunks.values().rev().find(|chunk| matches!(chunk, Chunk::Slice(_)));
        is_past = matches!(last, Some(Chunk::Slice(slice)) if slice.start_ms() >= to_ms);
    }
    Ok(found)
}

/// Adds the chunks of some pages that are not sealed.
async fn read(
    store: &impl Store,
    id: &str,
    (page, end): (u64, u64),
    (sealed, length): (u64, u64),
    found: &mut Found,
) -> Result<(), Error> {
    let (first, last) = ((page * PAGE).max(sealed), (end * PAGE).min(length) - 1);
    let take = |seq, chunk| _ = found.chunks.insert(seq, chunk);
    file::pages(store, id, first..=last, take).await
}

/// The first page up to whose end the media ends late enough; the end of the pages where that is none.
async fn reaching(
    store: &impl Store,
    id: &str,
    (mut low, mut high): (u64, u64),
    length: u64,
    is_late: impl Fn(u64) -> bool,
) -> Result<u64, Error> {
    while low < high {
        let middle = low.midpoint(high);
        let (_, committed) = page_record(store, id, middle, length - 1).await?;
        if is_late(committed.last_media_ms().unwrap_or(0)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}

/// What is known of the pages from one up to another; `None` where it is not noted, or no slice comes right before them.
async fn between(
    store: &impl Store,
    session: &Session,
    (page, end): (u64, u64),
    length: u64,
) -> Result<Option<Between>, Error> {
    let id = &session.id;
    if end <= page {
        return Ok(None);
    }
    let (at, record) = page_record(store, id, page - 1, length - 1).await?;
    let chunks = record.chunks(id, at)?;
    if !chunks.iter().any(|chunk| matches!(chunk, Chunk::Slice(_))) {
        return Ok(None);
    }
    let Some(before) = record.tally(id, at)? else { return Ok(None) };
    let before = before.after(page - 1, &chunks, session.delay_ms());
    let Some(mut last) = tally(store, id, end, length).await? else { return Ok(None) };
    let (slices, mut tallies) = (last.slices, vec![last.since(&before)]);
    while let Some(earlier) = last.earlier.filter(|earlier| *earlier > page) {
        let Some(tally) = tally(store, id, earlier, length).await? else { return Ok(None) };
        tallies.push(tally.since(&before));
        last = tally;
    }
    let stretches = tallies.into_iter().rev().flatten().collect();
    Ok(Some(Between { chunks: page * PAGE..end * PAGE, stretches, slices }))
}

/// The tally before a page.
async fn tally(store: &impl Store, id: &str, page: u64, length: u64) -> Result<Option<Tally>, Error> {
    let (at, record) = page_record(store, id, page, length - 1).await?;
    record.tally(id, at)
}
