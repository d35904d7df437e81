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

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::account::{Place, Run};
use crate::chunk::{Chunk, Slice};
use crate::committed::{self, Committed};
use crate::decision::{self, WorkBucket};
use crate::error::Error;
use crate::order::Generation;
use crate::page::PAGE;
use crate::rule::Container;
use crate::session::{self, Break};
use crate::{key, silence};

/// The next file of a recording to write: a hint that may be set back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Next {
    number: u32,
    /// A chunk at or before the one that ends it.
    from: Place,
}

impl Record for Next {
    const VERSION: u32 = 1;
}

/// What a session's gateway cut before an order took effect.
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
/// # Errors
/// The store failed.
pub async fn confirm(store: &impl Store, session: &str, confirmed: Confirmed) -> Result<(), Error> {
    Ok(write(store, &key::confirmed(session), &confirmed).await?)
}

/// Decides that the break after an ended session has lasted too long, unless a push has continued it.
///
/// # Errors
/// The work bucket failed.
pub async fn close_break(bucket: &impl WorkBucket, session: &str) -> Result<(), Error> {
    decision::decide(bucket, &session::break_name(session), &Break::Closed).await.map(drop)
}

/// The next record file of a recording, once it is complete.
///
/// `format` is the place of the format in the rule.
///
/// # Errors
/// The store or the work bucket failed.
pub async fn complete(
    store: &impl Store,
    bucket: &impl WorkBucket,
    recording: &str,
    format: usize,
    container: Container,
) -> Result<Option<Run>, Error> {
    let Next { number, from } = next(store, recording, container).await?;
    let mut session = from.session.clone();
    let mut open = None;
    loop {
        if let Some((seq, last)) = committed::last(store, &session).await? {
            let file = last.accounts.get(format).and_then(|account| account.file.clone());
            if file.as_ref().is_some_and(|run| run.number > number) {
                let first = if session == from.session { from.seq } else { 0 };
                return ended(store, &session, format, number, first..=seq).await;
            }
            open = file;
        }
        match session::continued(store, &session).await? {
            Some(after) => session = after,
            None => break,
        }
    }
    let Some(run) = open.filter(|run| run.number == number) else { return Ok(None) };
    let is_complete = run.is_full || is_closed(store, bucket, &session).await?;
    Ok(is_complete.then_some(run))
}

/// The run of a number that ended before a chunk of a session.
async fn ended(
    store: &impl Store,
    session: &str,
    format: usize,
    number: u32,
    chunks: std::ops::RangeInclusive<u64>,
) -> Result<Option<Run>, Error> {
    let (first, last) = chunks.into_inner();
    for page in first / PAGE..=last / PAGE {
        let (_, committed) = page_record(store, session, page, last).await?;
        let found = committed.ended.into_iter().find(|(place, run)| *place == format && run.number == number);
        if let Some((_, run)) = found {
            return Ok(Some(run));
        }
    }
    Ok(None)
}

/// Whether nothing more comes into the file that is open at the end of a chain of sessions.
async fn is_closed(store: &impl Store, bucket: &impl WorkBucket, session: &str) -> Result<bool, Error> {
    let length = committed::length(store, session).await?;
    if silence::is_closed_before(store, session, length).await? {
        return Ok(true);
    }
    if let Some(end) = session::ended(store, session).await?
        && length == end.chunks
    {
        let decided = decision::find::<Break>(bucket, &session::break_name(session)).await?;
        return Ok(decided == Some(Break::Closed));
    }
    let Some(confirmed) = read::<Confirmed>(store, &key::confirmed(session)).await? else { return Ok(false) };
    let files = match committed::last(store, session).await? {
        Some((_, last)) => last.generation.files,
        None => 0,
    };
    Ok(length >= confirmed.chunks && confirmed.generation.files > files)
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
    let next = Next { number: run.number + 1, from: run.last.clone() };
    Ok(write(store, &key::next_file(recording, container), &next).await?)
}

/// A slice of a record file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its chunk.
    pub at: Place,
    /// When it begins, Unix milliseconds.
    pub start_ms: u64,
    /// The slice.
    pub slice: Slice,
    /// Chunks between the slice before and this one that will never come.
    pub gaps: u32,
}

/// The slices of a run, in order.
///
/// # Errors
/// The store failed, or no longer holds the run.
pub async fn entries(store: &impl Store, run: &Run) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    let mut session = run.first.session.clone();
    let (mut first, mut gaps) = (run.first.seq, 0);
    loop {
        let is_last = session == run.last.session;
        let last = if is_last {
            Some(run.last.seq)
        } else {
            committed::length(store, &session).await?.checked_sub(1)
        };
        for page in last.into_iter().flat_map(|last| first / PAGE..=last / PAGE) {
            let (at, committed) = page_record(store, &session, page, last.unwrap_or(0)).await?;
            for (seq, chunk) in (page * PAGE..).zip(committed.chunks(&session, at)?) {
                match chunk {
                    _ if seq < first || last.is_some_and(|last| seq > last) => {}
                    Chunk::Gap(_) => gaps += 1,
                    Chunk::Empty => {}
                    Chunk::Slice(slice) => {
                        let at = Place { session: session.clone(), seq };
                        let start_ms = committed.anchor_ms.unwrap_or(0) + slice.start_90khz / 90;
                        entries.push(Entry { at, start_ms, slice, gaps: std::mem::take(&mut gaps) });
                    }
                }
            }
        }
        if is_last {
            return Ok(entries);
        }
        let after = session::continued(store, &session).await?;
        session = after.ok_or_else(|| Error::NoSuchSession(run.last.session.clone()))?;
        first = 0;
    }
}

/// The record that a page is read from, with its number: the page's last one, or the session's last one where the
/// page is not full. `last` is a chunk of the session at or past the page's begin.
async fn page_record(
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
    found.filter(|(seq, _)| *seq >= last.min(end)).ok_or_else(missing)
}

async fn next(store: &impl Store, recording: &str, container: Container) -> Result<Next, Error> {
    let next = read(store, &key::next_file(recording, container)).await?;
    let begin = || Next { number: 0, from: Place { session: recording.into(), seq: 0 } };
    Ok(next.unwrap_or_else(begin))
}
