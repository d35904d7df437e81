//! Commits: the chunks of a session, one after the other.
//!
//! The record of a chunk, `c.{session}.{seq}`, is the commit. It is a function of the chunk and of the record
//! before it: two calls for one chunk write the same value, and a late call undoes nothing.
//!
//! The record carries its [page](crate::page) and the [accounts](crate::account) of all formats, so that a commit
//! reads one record and writes one, however long the recording is. A record that is neither the last of its page
//! nor one of the last [`PAGE`] is deleted.
//!
//! A chunk may be told lost. The record that follows carries in its page which outcome it was built on, and
//! readers take what chunks are from there.

use store::Store;

use crate::account::{Account, Brought, Place};
use crate::chunk::Chunk;
use crate::committed::{self, Committed};
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::order::Generation;
use crate::page::PAGE;
use crate::session::{self, Session};
use crate::silence;

/// What the next chunk of a session is built on.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The session.
    pub session: Session,
    /// The chunk's number.
    pub seq: u64,
    /// State of the remuxer after the chunk before; empty for the first.
    pub remux_state: Vec<u8>,
    before: Committed,
    /// The chunk is in another file than what came before, whatever it holds.
    is_parted: bool,
}

/// What is to be done with a chunk.
#[derive(Debug)]
pub enum Turn {
    /// It is the next one: remux it and commit it.
    Next(Box<Prepared>),
    /// It is committed.
    Done,
    /// It was told lost.
    Lost,
}

/// A chunk that is durable or will never come.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// What the gateway had been ordered when it cut the chunk.
    pub generation: Generation,
    /// When its first tag came after the push's begin. Unit: ms.
    pub offset_ms: u64,
    /// What it is.
    pub chunk: Chunk,
    /// The chunk after it begins with an access unit that a player can begin with.
    pub is_followed_by_entry: bool,
    /// State of the remuxer after it.
    pub remux_state: Vec<u8>,
}

/// Whose turn it is: what a chunk is built on, unless it is committed already.
///
/// # Errors
/// [`Error::NoSuchSession`], [`Error::OutOfOrder`], [`Error::Before`]; the store or the work bucket failed.
pub async fn prepare(
    store: &impl Store,
    bucket: &impl WorkBucket,
    id: &str,
    seq: u64,
) -> Result<Turn, Error> {
    if let Some(committed) = committed::get(store, id, seq).await? {
        let chunks = committed.chunks(id, seq)?;
        return Ok(if matches!(chunks.last(), Some(Chunk::Gap(_))) { Turn::Lost } else { Turn::Done });
    }
    let session = session::get(store, id).await?;
    let (before, is_parted) = if seq == 0 {
        first(store, bucket, &session).await?
    } else if let Some(before) = committed::get(store, id, seq - 1).await? {
        let is_parted = silence::closed_before(store, bucket, id, seq).await?;
        (before, is_parted)
    } else {
        let length = committed::length(store, id).await?;
        if seq < length {
            // Its record was deleted since its page is complete.
            return Ok(Turn::Done);
        }
        return Err(Error::OutOfOrder { session: id.into(), seq, expected: length });
    };
    let remux_state = if seq == 0 { Vec::new() } else { before.remux_state(id, seq - 1)? };
    Ok(Turn::Next(Box::new(Prepared { session, seq, remux_state, before, is_parted })))
}

/// What the first chunk of a session is built on, and whether it is parted from what came before.
async fn first(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
) -> Result<(Committed, bool), Error> {
    let adopted = session::adopt(store, bucket, session).await?;
    let Some(before) = adopted.continues else { return Ok((begin(session), false)) };
    let waits = |expected| Error::Before { session: session.id.clone(), before: before.clone(), expected };
    let Some(end) = session::ended(store, &before).await? else {
        return Err(waits(committed::length(store, &before).await?));
    };
    if let Some(expected) = session::missing(store, &before, &end).await? {
        return Err(waits(expected));
    }
    let Some(last_seq) = end.chunks.checked_sub(1) else {
        // A session without chunks hands on what it began with.
        let before = Box::pin(session_base(store, bucket, &before)).await?;
        return Ok((Committed::begin(before.0.accounts), before.1));
    };
    let last = committed::get(store, &before, last_seq).await?.ok_or_else(|| waits(last_seq))?;
    let is_parted = silence::closed_before(store, bucket, &session.id, 0).await?
        || silence::closed_before(store, bucket, &before, end.chunks).await?
        || crate::command::closes_after(store, bucket, &before, last.generation).await?;
    Ok((Committed::begin(last.accounts), is_parted))
}

/// What a session begins with that continues none.
fn begin(session: &Session) -> Committed {
    let formats = session.rule.iter().flat_map(|rule| &rule.formats);
    Committed::begin(formats.map(|format| Account::new(format.container)).collect())
}

async fn session_base(
    store: &impl Store,
    bucket: &impl WorkBucket,
    id: &str,
) -> Result<(Committed, bool), Error> {
    let session = session::get(store, id).await?;
    first(store, bucket, &session).await
}

/// Commits a chunk that was prepared.
///
/// Answers whether a record file of some format is complete since then.
///
/// # Errors
/// The store failed; the chunk may be committed all the same.
pub async fn commit(store: &impl Store, prepared: &Prepared, delivery: Delivery) -> Result<bool, Error> {
    let Prepared { session, seq, before, is_parted, .. } = prepared;
    let begins_page = seq.is_multiple_of(PAGE);
    let mut chunks = if begins_page { Vec::new() } else { before.chunks(&session.id, seq - 1)? };
    chunks.push(delivery.chunk);
    let is_parted = *is_parted || delivery.generation.files != before.generation.files;
    let mut after = Committed::new(before, delivery.generation, &delivery.remux_state, &chunks);
    let ended_before = after.ended.len();
    account(session, *seq, before, &delivery, is_parted, &mut after);
    committed::put(store, &session.id, *seq, &after).await?;
    let is_full = |account: &Account| account.file.as_ref().is_some_and(|run| run.is_full);
    Ok(after.ended.len() > ended_before || after.accounts.iter().any(is_full))
}

/// Puts the accounts after a chunk into its record.
fn account(
    session: &Session,
    seq: u64,
    before: &Committed,
    delivery: &Delivery,
    is_parted: bool,
    after: &mut Committed,
) {
    let Chunk::Slice(slice) = &delivery.chunk else {
        let is_gap = matches!(delivery.chunk, Chunk::Gap(_));
        let without_slice = |account: &Account| {
            let account = if is_gap { account.after_gap() } else { account.clone() };
            if is_parted { account.parted() } else { account }
        };
        after.accounts = before.accounts.iter().map(without_slice).collect();
        return;
    };
    let began_ms = session.began_ms + delivery.offset_ms;
    let anchor_ms = *after.anchor_ms.get_or_insert(began_ms.saturating_sub(slice.start_90khz / 90));
    let at = Place { session: session.id.clone(), seq };
    let formats = session.rule.iter().flat_map(|rule| &rule.formats);
    for (number, (account, format)) in before.accounts.iter().zip(formats).enumerate() {
        let brought =
            Brought { at: &at, anchor_ms, slice, is_followed_by_entry: delivery.is_followed_by_entry };
        let (account, ended) = account.after(brought, format.cycle_seconds, is_parted);
        after.accounts.push(account);
        after.ended.extend(ended.map(|run| (number, run)));
    }
}
