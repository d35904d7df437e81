//! Commits: the chunks of a session, one after the other.
//!
//! The record of a chunk, `c.{session}.{seq}`, is the commit. It is a function of the chunk and of the record
//! before it: two calls for one chunk write the same value, and a late call undoes nothing.
//!
//! The record carries its [page](crate::page), a tally of what was recorded before that, and the
//! [accounts](crate::account) of all formats, so that a commit reads one record and writes one, however long the
//! recording is, and a question about a day reads few. A record that is neither the last of its page
//! nor one of the last [`PAGE`] is deleted.
//!
//! A chunk may be told lost. The record that follows carries in its page which outcome it was built on, and
//! readers take what chunks are from there.

mod note;

use serde::{Deserialize, Serialize};
use store::Store;

use crate::account::{Account, Brought, Place};
use crate::chunk::Chunk;
use crate::committed::{self, Committed, Numbers};
use crate::decision::{self, WorkBucket};
use crate::error::Error;
use crate::order::Generation;
use crate::page::PAGE;
use crate::seal::{self, cold, revive};
use crate::session::{self, Adopted, Session};
use crate::{file, key, names, replacing, silence};

pub use note::note;

/// What the next chunk of a session is built on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Prepared {
    /// The session.
    pub session: Session,
    /// The chunk's number.
    pub seq: u64,
    /// State of the remuxer after the chunk before; empty for the first.
    pub remux_state: Vec<u8>,
    /// How many names of the chunk's slice turned out to be another writer's.
    pub names_taken: u32,
    /// The store of the bucket replaces objects: what is there has to be looked up.
    pub is_replacing: bool,
    before: Committed,
    /// The chunk is in another file than what came before, whatever it holds.
    pub(crate) is_parted: bool,
}

/// Where a slice lies in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Unix milliseconds of media time zero.
    pub anchor_ms: u64,
    /// Time in which nothing was recorded lies before it.
    pub is_moved: bool,
}

/// How much later than its media time says a chunk may come before that counts as time in which nothing was recorded.
/// Lines stall for seconds; a recording that was stopped stays away for longer. Unit: ms.
const GAP_MS: u64 = 10_000;

/// Where a push continues one that began less than this before, its first slice may have the same time in its name.
const SAME_NAMES_MS: u64 = 2_000;

/// So many tracks of a session that are not recorded are told of.
const MOST_LEFT_OUT: usize = 8;

impl Prepared {
    /// The generation of the chunk before.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.before.generation
    }

    /// Whether a chunk may change what its recording's status is, as far as somebody wants to be told of it.
    pub(crate) fn changes_status(&self, is_slice: bool, generation: Generation) -> bool {
        let is_next = self.before.anchor_ms.is_some()
            && self.before.slice_orders == generation.orders
            && !self.is_parted;
        is_slice && self.session.tells_status && !is_next
    }

    /// Whether chunks are lost from this one on, if it is: those before it are not.
    pub(crate) fn begins_loss(&self) -> Result<bool, Error> {
        let Some(before) = self.seq.checked_sub(1) else { return Ok(true) };
        let chunks = self.before.chunks(&self.session.id, before)?;
        Ok(!matches!(chunks.last(), Some(Chunk::Gap(_))))
    }

    /// The tracks of a chunk that are not recorded and that nobody was told of.
    pub(crate) fn new_left_out(&self, delivery: &Delivery) -> Vec<String> {
        let known = &self.before.left_out;
        let new = delivery.left_out.iter().filter(|track| !known.contains(track));
        new.take(MOST_LEFT_OUT.saturating_sub(known.len())).cloned().collect()
    }

    /// The numbers of its session's next events.
    pub(crate) fn numbers(&self) -> Numbers {
        self.before.numbers()
    }

    /// When the session was noted last since what came was late, if it was. Unix milliseconds.
    pub(crate) fn late_noted_ms(&self) -> Option<u64> {
        self.before.late_noted_ms
    }

    /// A moment of the last day in which the session was noted to have media: that of its begin, or of the last
    /// moment before its last slice ended. Unix milliseconds.
    pub(crate) fn noted_ms(&self) -> u64 {
        let last_ms = self.before.anchor_ms.and_then(|_| self.before.last_media_ms());
        last_ms.map_or(0, |end_ms| end_ms.saturating_sub(1)).max(self.session.began_ms)
    }

    /// Where a slice lies in time that begins at `start_90khz` of media time, in a chunk that came `offset_ms` after the
    /// push's begin. By the push's clock it was not recorded for `paused_90khz` right before, which media time does not
    /// count.
    ///
    /// The first slice sets the anchor. It then stays, for the media clock is the better one, but for pauses, and until a
    /// chunk comes much later than its media time says: the push was not recorded in between. Where the push's clock
    /// jumped in a pause, it is measured by when the chunk came.
    #[must_use]
    pub fn place(&self, offset_ms: u64, start_90khz: u64, paused_90khz: u64) -> Placed {
        let came_ms = self.session.began_ms + offset_ms;
        let by_clock_ms = came_ms.saturating_sub(start_90khz / 90);
        let Some(known_ms) = self.before.anchor_ms else {
            return Placed { anchor_ms: by_clock_ms, is_moved: false };
        };
        let paused_ms = known_ms.saturating_add(paused_90khz / 90);
        let is_late = by_clock_ms > paused_ms.saturating_add(GAP_MS);
        let is_early = paused_90khz > 0 && by_clock_ms.saturating_add(GAP_MS) < paused_ms;
        let anchor_ms = if is_late || is_early { by_clock_ms.max(known_ms) } else { paused_ms };
        Placed { anchor_ms, is_moved: is_late || paused_90khz > 0 }
    }

    /// As bytes that [`from_bytes`](Self::from_bytes) reads, within one call.
    ///
    /// # Errors
    /// [`Error::Record`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(self).map_err(|error| self.unreadable(&error))
    }

    /// From bytes that [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`Error::Record`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let unreadable = |error: serde_json::Error| Error::Record {
            key: "of a prepared chunk".into(),
            reason: error.to_string(),
        };
        serde_json::from_slice(bytes).map_err(unreadable)
    }

    fn unreadable(&self, error: &serde_json::Error) -> Error {
        Error::Record { key: key::chunk(&self.session.id, self.seq), reason: error.to_string() }
    }
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
    /// What it is.
    pub chunk: Chunk,
    /// The chunk after it begins with an access unit that a player can begin with.
    pub is_followed_by_entry: bool,
    /// State of the remuxer after it.
    pub remux_state: Vec<u8>,
    /// Its tracks of codecs that are not recorded, for example `audio speex`.
    pub left_out: Vec<String>,
}

/// Whose turn it is: what a chunk is built on, unless it is committed already.
///
/// # Errors
/// [`Error::NoSuchSession`], [`Error::OutOfOrder`], [`Error::Before`], [`Error::Sealing`]; the store or the work bucket failed.
pub async fn prepare(
    store: &impl Store,
    bucket: &impl WorkBucket,
    id: &str,
    seq: u64,
    now_ms: u64,
) -> Result<Turn, Error> {
    turn(store, bucket, (id, seq), Bringer::Gateway, now_ms).await
}

/// Who brings a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bringer {
    /// The gateway of its session.
    Gateway,
    /// Whoever has found that it will not come: no gateway's chunk is taken [meanwhile](crate::missing).
    Missing,
}

pub(crate) async fn turn(
    store: &impl Store,
    bucket: &impl WorkBucket,
    (id, seq): (&str, u64),
    bringer: Bringer,
    now_ms: u64,
) -> Result<Turn, Error> {
    if let Some(committed) = committed::get(store, id, seq).await? {
        let chunks = committed.chunks(id, seq)?;
        return Ok(chunks.last().map_or(Turn::Done, |chunk| done(*chunk)));
    }
    let Some(session) = session::find(store, id).await? else {
        return match revive::recall(store, bucket, id, seq, now_ms).await? {
            Some(chunk) => Ok(done(chunk)),
            // The session is back.
            None => Box::pin(turn(store, bucket, (id, seq), bringer, now_ms)).await,
        };
    };
    // The record of a page's first chunk is deleted once 64 more have come. The one before does not show that: it stays, or
    // there is none.
    if seq.is_multiple_of(PAGE) && seq < committed::head(store, id).await? {
        return committed_before(store, bucket, id, seq).await;
    }
    let (before, is_parted) = if seq == 0 {
        let adopted = session::adopt(store, bucket, &session, now_ms).await?;
        let (mut begin, is_parted) = first(store, bucket, &session, &adopted, now_ms).await?;
        let least = adopted.files_from.unwrap_or(0);
        begin.accounts = begin.accounts.iter().map(|account| account.from(least)).collect();
        (begin, is_parted || least > 0)
    } else if let Some(before) = committed::get(store, id, seq - 1).await? {
        (before, false)
    } else {
        let length = committed::length(store, id).await?;
        if seq < length {
            return committed_before(store, bucket, id, seq).await;
        }
        return Err(Error::OutOfOrder { session: id.into(), seq, expected: length });
    };
    let remux_state = if seq == 0 { Vec::new() } else { before.remux_state(id, seq - 1)? };
    let names_taken = before.has_own_names.into();
    let is_replacing = seq == 0 && replacing::is_of(store, &session).await?;
    if is_replacing {
        session::flag(store, id).await?;
    }
    let mut prepared = Prepared { session, seq, remux_state, names_taken, is_replacing, before, is_parted };
    if session::is_flagged(store, id).await? {
        let end = session::ended(store, id).await?;
        if end.is_some() && seal::sealed(store, id).await?.is_some_and(|sealed| sealed.is_held) {
            return Err(Error::Sealing(id.into()));
        }
        if end.is_some() && bringer == Bringer::Gateway && store.exists(&key::given_up(id)).await? {
            return Err(Error::Missing(id.into()));
        }
        // A chunk past the session's end is in a file of its own.
        let is_past_end = end.is_some_and(|end| seq >= end.chunks);
        prepared.is_parted |= silence::closed_before(store, bucket, id, seq).await? | is_past_end;
        prepared.names_taken = names::slice_taken(store, id, seq).await?.max(names_taken);
        prepared.is_replacing = is_replacing || seq > 0 && replacing::is_of(store, &prepared.session).await?;
    }
    Ok(Turn::Next(Box::new(prepared)))
}

/// What is answered for a chunk that is committed.
fn done(chunk: Chunk) -> Turn {
    if matches!(chunk, Chunk::Gap(_)) { Turn::Lost } else { Turn::Done }
}

/// What is answered for one whose record was deleted: its page is complete, or it is sealed.
async fn committed_before(
    store: &impl Store,
    bucket: &impl WorkBucket,
    id: &str,
    seq: u64,
) -> Result<Turn, Error> {
    let mut turn = Turn::Done;
    file::chunks(store, bucket, id, seq..=seq, |_, chunk| turn = done(chunk)).await?;
    Ok(turn)
}

/// What the first chunk of a session is built on, and whether it is parted from what came before: the last chunk of the
/// sessions that it continues.
pub(crate) async fn first(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
    adopted: &Adopted,
    now_ms: u64,
) -> Result<(Committed, bool), Error> {
    let mut before = adopted.continues.clone();
    let mut is_parted = false;
    while let Some(id) = before {
        let waits = |expected| Error::Before { session: session.id.clone(), before: id.clone(), expected };
        let Some(end) = session::ended(store, &id).await? else {
            if session::find(store, &id).await?.is_some() {
                return Err(waits(committed::length(store, &id).await?));
            }
            // It is over, and so are its files.
            let over = session::get(store, bucket, &id).await?;
            let Some((_, run)) = cold::last_run(store, bucket, &over, now_ms).await? else { break };
            if let Some((_, last)) = run.last {
                return Ok((Committed::begin(last.accounts), true));
            }
            before = run.adopted.continues;
            continue;
        };
        // The last record is there only once all before it were; what is missing is looked for where it is not.
        let last = match end.chunks.checked_sub(1) {
            Some(seq) => match committed::get(store, &id, seq).await? {
                None => return Err(waits(committed::missing(store, &id, &end).await?.unwrap_or(seq))),
                last => last,
            },
            None => None,
        };
        let generation = last.as_ref().map_or(Generation::default(), |last| last.generation);
        is_parted |= silence::closed_before(store, bucket, &id, end.chunks).await?
            || file::is_parted_by_order(store, bucket, &id, end.chunks, generation).await?;
        if let Some(last) = last {
            // An order may become known between two tries. All of them build on what the first one found.
            let name = session::parted_name(&session.id);
            let is_parted = decision::decide(bucket, &name, &is_parted).await?;
            let began_ms = session::get(store, bucket, &id).await?.began_ms;
            let mut begin = Committed::begin(last.accounts);
            begin.has_own_names = began_ms.abs_diff(session.began_ms) < SAME_NAMES_MS;
            return Ok((begin, is_parted));
        }
        // A session without chunks hands on what it began with.
        before = session::adopted(store, &id).await?.and_then(|adopted| adopted.continues);
    }
    Ok((begin(session), false))
}

/// What a session begins with that continues none.
fn begin(session: &Session) -> Committed {
    let formats = session.rule.iter().flat_map(|rule| &rule.formats);
    Committed::begin(formats.map(|format| Account::new(format.container)).collect())
}

/// The record of a chunk, and whether a record file of some format is complete once it is committed.
pub(crate) fn plan(prepared: &Prepared, delivery: Delivery) -> Result<(Committed, bool), Error> {
    let Prepared { session, seq, before, is_parted, .. } = prepared;
    let is_parted = *is_parted || delivery.generation.files != before.generation.files;
    let Delivery { generation, chunk, remux_state, .. } = &delivery;
    let mut after = Committed::new(before, (session, *seq), *generation, *chunk, remux_state)?;
    let ended_before = after.ended.len();
    after.left_out.extend(prepared.new_left_out(&delivery));
    if is_parted && !matches!(delivery.chunk, Chunk::Slice(_)) {
        // The next slice is not the next one after the last.
        after.slice_orders = 0;
    }
    account(session, *seq, before, &delivery, is_parted, &mut after);
    let is_full = |account: &Account| account.file.as_ref().is_some_and(|run| run.is_full);
    let is_complete = after.ended.len() > ended_before || after.accounts.iter().any(is_full);
    Ok((after, is_complete))
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
    after.anchor_ms = Some(slice.anchor_ms);
    let is_moved = before.anchor_ms.is_some_and(|before| before != slice.anchor_ms);
    let at = Place { session: session.id.clone(), seq };
    let formats = session.rule.iter().flat_map(|rule| &rule.formats);
    for (number, (account, format)) in before.accounts.iter().zip(formats).enumerate() {
        let brought =
            Brought { at: &at, slice, is_moved, is_followed_by_entry: delivery.is_followed_by_entry };
        let (account, ended) = account.after(brought, format.cycle_seconds, is_parted);
        after.accounts.push(account);
        after.ended.extend(ended.map(|run| (number, run)));
    }
}

#[cfg(test)]
mod tests;
