//! Record files: which ones are complete, and what is in them.
//!
//! A file is a [run](Run) of slices. Commits account for it; the tick asks whether the next file of a recording
//! is complete, and writes it once it is. A look costs the same however long the file is.
//!
//! | a file is complete | seen in |
//! | --- | --- |
//! | once a later slice is in another file | the accounts |
//! | at its cycle, where the next chunk can begin a file | the accounts |
//! | when an order closes it and the last chunk before that order is there | the orders, and what the gateway confirmed |
//! | when its session has ended, all chunks of that are there, and the break has lasted too long | the decision on the break |
//! | when its gateway was silent | the decision on the round of silence |

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::account::{Place, Run};
use crate::chunk::{Chunk, Slice};
use crate::committed::{self, Committed};
use crate::decision::{self, WorkBucket};
use crate::error::Error;
use crate::next_file::{self, Next};
use crate::order::Generation;
use crate::page::PAGE;
use crate::rule::Container;
use crate::seal::cold;
use crate::session::{self, Break, Session};
use crate::{command, key, silence};

/// Past so many sessions it is noted how far they were walked.
const WALK: u32 = 8;

/// What a session's gateway cut before an order took effect. Of orders that take effect one after the other each begins
/// at most one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// The order.
    pub generation: Generation,
    /// How many chunks were cut before it.
    pub chunks: u64,
}

impl Record for Confirmed {
    const VERSION: u32 = 1;
}

/// Notes what a session's gateway cut before an order took effect.
///
/// What is noted first of the orders with one number of files stays, so that a call that stalls undoes nothing. Orders
/// of the same number say the same until a chunk comes between them, and that chunk parts the file by itself.
///
/// # Errors
/// The store failed.
pub async fn confirm(store: &impl Store, session: &str, confirmed: Confirmed) -> Result<(), Error> {
    let key = key::confirmed(session, confirmed.generation.files);
    if store.exists(&key).await? {
        return Ok(());
    }
    Ok(write(store, &key, &confirmed).await?)
}

/// What a session's gateway cut before the first order that closes a file and waits for chunks; `None` where no chunk
/// is waited for.
pub(crate) async fn confirmed(store: &impl Store, session: &str) -> Result<Option<Confirmed>, Error> {
    let last = committed::last(store, session).await?;
    let (length, mut files) = last.map_or((0, 0), |(seq, last)| (seq + 1, last.generation.files));
    loop {
        files += 1;
        match confirmed_of(store, session, files).await? {
            Some(confirmed) if confirmed.chunks <= length => {}
            other => return Ok(other),
        }
    }
}

/// What was cut before the order that began the file of a number.
async fn confirmed_of(store: &impl Store, session: &str, files: u32) -> Result<Option<Confirmed>, Error> {
    Ok(read(store, &key::confirmed(session, files)).await?)
}

/// Decides that the break after an ended session has lasted too long, unless a push has continued it.
///
/// # Errors
/// The work bucket failed.
pub async fn close_break(bucket: &impl WorkBucket, session: &str) -> Result<(), Error> {
    decision::decide(bucket, &session::break_name(session), &Break::Closed).await.map(drop)
}

/// The next record file of a recording.
enum Found {
    /// It is complete.
    Complete(Run),
    /// More may come into it.
    Open(Run),
}

/// The next record file of a recording, once it is complete; `None` also where the recording's rule does not ask for
/// the container.
///
/// # Errors
/// The store or the work bucket failed.
pub async fn complete(
    store: &impl Store,
    bucket: &impl WorkBucket,
    recording: &str,
    container: Container,
) -> Result<Option<Run>, Error> {
    Ok(match find(store, bucket, recording, container).await? {
        Some(Found::Complete(run)) => Some(run),
        Some(Found::Open(_)) | None => None,
    })
}

/// The next record file of a recording, as long as more may come into it.
pub(crate) async fn open(
    store: &impl Store,
    bucket: &impl WorkBucket,
    recording: &str,
    container: Container,
) -> Result<Option<Run>, Error> {
    Ok(match find(store, bucket, recording, container).await? {
        Some(Found::Open(run)) => Some(run),
        Some(Found::Complete(_)) | None => None,
    })
}

async fn find(
    store: &impl Store,
    bucket: &impl WorkBucket,
    recording: &str,
    container: Container,
) -> Result<Option<Found>, Error> {
    let first = session::find(store, recording).await?;
    // As long as no file is written, the first session is not over.
    let is_open = first.is_some();
    let rule = match first {
        Some(first) => first.rule,
        None => session::get(store, bucket, recording).await?.rule,
    };
    let format = rule.and_then(|rule| rule.formats.iter().position(|format| format.container == container));
    let Some(format) = format else { return Ok(None) };
    let begin =
        Next { number: 0, from: Place { session: recording.into(), seq: 0 }, empty_to: None, done: None };
    let noted = next_file::noted(store, recording, container).await?;
    let Some(mut next) = noted.or(is_open.then_some(begin)) else { return Ok(None) };
    let number = next.number;
    let mut at = next.from.session.clone();
    let (mut open, mut least_open): (Option<Run>, u32) = (None, 0);
    let mut walked = 0;
    loop {
        let mut after = continued_whole(store, &at).await?;
        // Whether more comes is asked before what is there: a chunk may come in between, and is in another file.
        let closed_at = if after.is_none() { closed_at(store, bucket, &at).await? } else { None };
        if closed_at.is_some() {
            after = continued_whole(store, &at).await?;
        }
        let last = committed::last(store, &at).await?;
        let is_closed = closed_at == Some(last.as_ref().map_or(0, |(seq, _)| seq + 1));
        if let Some((seq, last)) = last {
            let account = last.accounts.get(format);
            let least = account.map_or(0, |account| account.least);
            let file = account.and_then(|account| account.file.clone());
            if file.as_ref().is_some_and(|run| run.number > number) {
                let first = if at == next.from.session { next.from.seq } else { 0 };
                let found = ended(store, bucket, &at, format, number, first..=seq).await?;
                if found.is_some() || number >= least {
                    return Ok(found.map(Found::Complete));
                }
                // What came before is written, and numbers are left out.
                if file.as_ref().is_some_and(|run| run.number > least) {
                    let found = ended(store, bucket, &at, format, least, first..=seq).await?;
                    return Ok(found.map(Found::Complete));
                }
            }
            least_open = least;
            open = file;
            if after.is_some() && at != next.from.session {
                let from = Place { session: at.clone(), seq };
                next = Next { number, from, empty_to: None, done: next.done };
            }
        } else if after.is_some() && walked > 0 {
            next.empty_to = Some(at.clone());
        }
        let Some(after) = after else {
            let is_next = |run: &Run| run.number == number || run.number == number.max(least_open);
            if walked > WALK {
                next_file::advance(store, recording, container, &next).await?;
            }
            let is_complete = |run: &Run| run.is_full || is_closed;
            return Ok(open.filter(is_next).map(|run| match is_complete(&run) {
                true => Found::Complete(run),
                false => Found::Open(run),
            }));
        };
        // What was found to be empty need not be walked again.
        let is_first = walked == 0;
        at = next.empty_to.clone().filter(|_| is_first).unwrap_or(after);
        walked += 1;
    }
}

/// The session that continues one of which all chunks are there; its own chunks are the next of the recording.
async fn continued_whole(store: &impl Store, session: &str) -> Result<Option<String>, Error> {
    let Some(after) = session::continued(store, session).await? else { return Ok(None) };
    let Some(end) = session::ended(store, session).await? else { return Ok(None) };
    Ok(committed::missing(store, session, &end).await?.is_none().then_some(after))
}

/// The run of a number that ended before a chunk of a session.
async fn ended(
    store: &impl Store,
    bucket: &impl WorkBucket,
    id: &str,
    format: usize,
    number: u32,
    chunks: RangeInclusive<u64>,
) -> Result<Option<Run>, Error> {
    let is_it = |(place, run): &(usize, Run)| *place == format && run.number == number;
    let session = session::get(store, bucket, id).await?;
    let sealed = cold::sealed_chunks(store, bucket, &session, &chunks).await?;
    if let Some((_, run)) = sealed.ended.into_iter().find(is_it) {
        return Ok(Some(run));
    }
    let (first, last) = (sealed.next.max(*chunks.start()), *chunks.end());
    for page in first / PAGE..=last / PAGE {
        let (_, committed) = page_record(store, id, page, last).await?;
        if let Some((_, run)) = committed.ended.into_iter().find(is_it) {
            return Ok(Some(run));
        }
    }
    Ok(None)
}

/// How many chunks the last session of a chain has, if nothing after them comes into the file that is open there.
async fn closed_at(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &str,
) -> Result<Option<u64>, Error> {
    let last = committed::last(store, session).await?;
    let (length, generation) =
        last.map_or((0, Generation::default()), |(seq, last)| (seq + 1, last.generation));
    if silence::is_closed_before(store, session, length).await? {
        return Ok(Some(length));
    }
    if let Some(end) = session::ended(store, session).await?
        && length >= end.chunks
        && decision::find::<Break>(bucket, &session::break_name(session)).await? == Some(Break::Closed)
    {
        return Ok(Some(length));
    }
    Ok(is_parted_by_order(store, bucket, session, length, generation).await?.then_some(length))
}

/// Whether an order parts what comes after the first chunks of a session, up to one of a generation, from them. Once it
/// is so, it stays so.
pub(crate) async fn is_parted_by_order(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &str,
    length: u64,
    generation: Generation,
) -> Result<bool, Error> {
    let next = confirmed_of(store, session, generation.files + 1).await?;
    if next.is_some_and(|next| next.generation > generation && length >= next.chunks) {
        return Ok(true);
    }
    match session::ended(store, session).await? {
        Some(end) if length >= end.chunks => {
            command::closes_after(store, bucket, session, &end, generation).await
        }
        _ => Ok(false),
    }
}

/// Notes that a record file is in the bucket: the next one begins after it.
///
/// # Errors
/// The store failed.
pub async fn written(
    store: &impl Store,
    recording: &str,
    container: Container,
    run: &Run,
) -> Result<(), Error> {
    if let Some(before) = run.number.checked_sub(1) {
        store.delete(&key::file_names(recording, container, before)).await?;
    }
    let done = Some(run.last.clone());
    let next = Next { number: run.number + 1, from: run.last.clone(), empty_to: None, done };
    next_file::advance(store, recording, container, &next).await
}

/// A slice of a record file or of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its chunk.
    pub at: Place,
    /// The slice. It lasts until the next one in its list begins, where that one continues it.
    pub slice: Slice,
    /// It does not continue the slice before it in its list.
    pub is_discontinuous: bool,
    /// How long nothing was recorded before it, where it is of another session than the slice before it in its list, or
    /// chunks between them are lost. Unit: ms.
    pub gap_ms: Option<u64>,
}

/// The slices of a run, in order. Their durations add up to the run's.
///
/// # Errors
/// The store failed, or no longer holds the run.
pub async fn entries(store: &impl Store, bucket: &impl WorkBucket, run: &Run) -> Result<Vec<Entry>, Error> {
    let mut list = List::default();
    let mut session = run.first.session.clone();
    let mut first = run.first.seq;
    loop {
        let is_last = session == run.last.session;
        let last = if is_last {
            Some(run.last.seq)
        } else {
            committed::length(store, &session).await?.checked_sub(1)
        };
        if let Some(last) = last {
            chunks(store, bucket, &session, first..=last, |seq, chunk| list.push(&session, seq, chunk))
                .await?;
        }
        if is_last {
            break;
        }
        let after = session::continued(store, &session).await?;
        session = after.ok_or_else(|| Error::NoSuchSession(run.last.session.clone()))?;
        first = 0;
    }
    let mut entries = list.entries;
    if let Some((last, before)) = entries.split_last_mut() {
        let before: u64 = before.iter().map(|entry| entry.slice.duration_90khz).sum();
        last.slice.duration_90khz = run.duration_90khz.saturating_sub(before);
    }
    Ok(entries)
}

/// Slices as they follow one another.
#[derive(Debug, Default)]
pub(crate) struct List {
    /// The slices.
    pub(crate) entries: Vec<Entry>,
    /// A chunk between the last slice and what comes next is lost.
    is_interrupted: bool,
}

impl List {
    /// The next slice does not continue the last one.
    pub(crate) fn interrupt(&mut self) {
        self.is_interrupted = true;
    }

    /// Takes the next chunk.
    pub(crate) fn push(&mut self, session: &str, seq: u64, chunk: Chunk) {
        let slice = match chunk {
            Chunk::Empty => return,
            Chunk::Gap(_) => return self.interrupt(),
            Chunk::Slice(slice) => slice,
        };
        let is_interrupted = std::mem::take(&mut self.is_interrupted);
        let mut is_discontinuous = slice.is_discontinuous || is_interrupted;
        if let Some(last) = self.entries.last_mut() {
            let continues = last.at.session == session && last.slice.anchor_ms == slice.anchor_ms;
            if continues && !is_interrupted {
                last.slice.duration_90khz = slice.start_90khz.saturating_sub(last.slice.start_90khz);
            }
            is_discontinuous |= !continues;
        }
        let at = Place { session: session.into(), seq };
        let before = self.entries.last();
        let is_discontinuous = is_discontinuous && before.is_some();
        let goes_on = |before: &&Entry| !is_interrupted && before.at.session == session;
        let gap_ms = before
            .filter(|before| !goes_on(before))
            .map(|before| slice.start_ms().saturating_sub(before.slice.end_ms()));
        self.entries.push(Entry { at, slice, is_discontinuous, gap_ms });
    }
}

/// Hands on the chunks of a session from one number up to another, which are committed: what is sealed first.
pub(crate) async fn chunks(
    store: &impl Store,
    bucket: &impl WorkBucket,
    id: &str,
    range: RangeInclusive<u64>,
    mut take: impl FnMut(u64, Chunk),
) -> Result<(), Error> {
    let session = session::get(store, bucket, id).await?;
    let sealed = cold::sealed_chunks(store, bucket, &session, &range).await?;
    for (seq, chunk) in sealed.chunks {
        take(seq, chunk);
    }
    let first = sealed.next.max(*range.start());
    if first > *range.end() { Ok(()) } else { pages(store, id, first..=*range.end(), take).await }
}

/// Hands on chunks of a session that the store holds.
pub(crate) async fn pages(
    store: &impl Store,
    session: &str,
    chunks: RangeInclusive<u64>,
    mut take: impl FnMut(u64, Chunk),
) -> Result<(), Error> {
    let (first, last) = (*chunks.start(), *chunks.end());
    for page in first / PAGE..=last / PAGE {
        let (at, committed) = page_record(store, session, page, last).await?;
        for (seq, chunk) in (page * PAGE..).zip(committed.chunks(session, at)?) {
            if chunks.contains(&seq) {
                take(seq, chunk);
            }
        }
    }
    Ok(())
}

/// The record that a page is read from, with its number: the page's last one, or the session's last one where the
/// page is not full. `last` is a chunk of the session at or past the page's begin.
pub(crate) async fn page_record(
    store: &impl Store,
    session: &str,
    page: u64,
    last: u64,
) -> Result<(u64, Committed), Error> {
    let end = page * PAGE + PAGE - 1;
    if let Some(committed) = committed::get(store, session, end).await? {
        return Ok((end, committed));
    }
    let found = committed::last(store, session).await?;
    let missing = || Error::Record { key: key::chunk(session, last), reason: "it is missing".into() };
    found.filter(|(seq, _)| *seq / PAGE == page && *seq >= last.min(end)).ok_or_else(missing)
}

/// Forgets the record files of a recording that is over.
pub(crate) async fn forget(
    store: &impl Store,
    last: &Session,
    recording: &str,
    next_files: &[(Container, Next)],
) -> Result<(), Error> {
    for format in last.rule.iter().flat_map(|rule| &rule.formats) {
        store.delete(&key::next_file(recording, format.container)).await?;
        store.delete(&key::upload(recording, format.container)).await?;
        if format.container == Container::Flv {
            store.delete(&key::former_upload(recording, format.container)).await?;
        }
        if format.container == Container::Mp4 {
            store.delete(&key::gathered(recording)).await?;
        }
    }
    for (container, next) in next_files {
        if let Some(last) = next.number.checked_sub(1) {
            store.delete(&key::file_names(recording, *container, last)).await?;
        }
    }
    Ok(())
}
