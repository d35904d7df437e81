//! The records of committed chunks, and how many a session has.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::account::{Account, Run, compact};
use crate::chunk::Chunk;
use crate::error::Error;
use crate::key;
use crate::order::Generation;
use crate::page::{self, PAGE};
use crate::session::{End, Session};
use crate::tally::Tally;

/// So many chunks in a row that are no slices are known beyond their page. An object's note has no room for more.
const MOST_BEFORE_PAGE: usize = 128;

/// Of so many numbers of orders it is known that slices were cut under them, beside that of the last slice. What a status
/// becomes depends on those since the look before.
const MOST_ORDERS: usize = 8;

/// Every so many commits the head is written.
const HEAD_EVERY: u64 = 4;

/// A committed chunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Committed {
    /// What its gateway had been ordered when it cut the chunk.
    pub generation: Generation,
    /// Unix milliseconds of media time zero; `None` before the first slice.
    pub anchor_ms: Option<u64>,
    /// How many orders its gateway had when it cut the last slice; 0 before the first, and where others may have come
    /// in between.
    #[serde(default)]
    pub(crate) slice_orders: u32,
    /// How many orders its gateway had when it cut slices before that one: each number once, in order, the last
    /// [`MOST_ORDERS`] of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    orders_before: Vec<u32>,
    /// The number of its session's next trouble.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub(crate) troubles: u32,
    /// Those of its session's tracks that are not recorded and were told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) left_out: Vec<String>,
    /// The number of its session's next slice that is told by itself.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub(crate) told_slices: u32,
    /// State of the remuxer after it, in Base64.
    remux_state: String,
    /// The chunks of its page up to it, in Base64.
    page: String,
    /// The chunks right before its page that are no slices, in Base64, until a slice comes in its page.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    before_page: String,
    /// The [tally](crate::tally) before its page, in Base64; `None` in sessions that an earlier build began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tally: Option<String>,
    /// Where the files of each format of the rule stand after it.
    #[serde(with = "compact::accounts")]
    pub accounts: Vec<Account>,
    /// The files that ended before a slice of its page, with their formats' places in the rule.
    #[serde(with = "compact::ended")]
    pub ended: Vec<(usize, Run)>,
    /// The slices after it have names of the session's own from the first try on: another push of the stream names its
    /// slices alike.
    #[serde(default)]
    pub(crate) has_own_names: bool,
    /// When its session was put last into the list of a day that was over, if it was. Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) late_noted_ms: Option<u64>,
}

/// Numbers of a session's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// Of what cannot be recorded.
    pub(crate) trouble: u32,
    /// Of slices that are told by themselves.
    pub(crate) slice: u32,
}

/// Version 1 has accounts and ended files as JSON.
impl Record for Committed {
    const VERSION: u32 = 2;
}

/// A hint at how many chunks of a session are committed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Head {
    chunks: u64,
}

impl Record for Head {
    const VERSION: u32 = 1;
}

impl Committed {
    /// What is there before the first chunk of a session.
    pub(crate) fn begin(accounts: Vec<Account>) -> Self {
        Self {
            generation: Generation::default(),
            anchor_ms: None,
            slice_orders: 0,
            orders_before: Vec::new(),
            troubles: 0,
            left_out: Vec::new(),
            told_slices: 0,
            remux_state: String::new(),
            page: String::new(),
            before_page: String::new(),
            tally: None,
            accounts,
            ended: Vec::new(),
            has_own_names: false,
            late_noted_ms: None,
        }
    }

    /// Chunk `seq` of a session.
    ///
    /// # Errors
    /// [`Error::Record`]: of the record before it.
    pub(crate) fn new(
        before: &Self,
        (session, seq): (&Session, u64),
        generation: Generation,
        chunk: Chunk,
        remux_state: &[u8],
    ) -> Result<Self, Error> {
        let id = &session.id;
        let begins_page = seq.is_multiple_of(PAGE);
        let (mut chunks, mut before_page) = match seq.checked_sub(1) {
            Some(last) if begins_page => (Vec::new(), encode_run(&before.since_slice(id, last)?)),
            Some(last) => (before.chunks(id, last)?, before.before_page.clone()),
            None => (Vec::new(), String::new()),
        };
        chunks.push(chunk);
        let is_slice = matches!(chunk, Chunk::Slice(_));
        let mut orders_before = before.orders_before.clone();
        if is_slice && ![0, generation.orders].contains(&before.slice_orders) {
            orders_before.push(before.slice_orders);
            orders_before.drain(..orders_before.len().saturating_sub(MOST_ORDERS));
        }
        if is_slice {
            before_page.clear();
        }
        Ok(Self {
            generation,
            anchor_ms: before.anchor_ms,
            slice_orders: if is_slice { generation.orders } else { before.slice_orders },
            orders_before,
            troubles: before.troubles,
            left_out: before.left_out.clone(),
            told_slices: before.told_slices,
            remux_state: BASE64_STANDARD.encode(remux_state),
            page: BASE64_STANDARD.encode(page::encode(&chunks)),
            before_page,
            tally: before.next_tally(session, seq)?,
            accounts: Vec::new(),
            ended: if begins_page { Vec::new() } else { before.ended.clone() },
            has_own_names: before.has_own_names || chunk.has_own_name(),
            late_noted_ms: before.late_noted_ms,
        })
    }

    /// How many orders its gateway had when it cut slices up to here: each number once, in order, the last few of them.
    pub(crate) fn cut_under(&self) -> impl DoubleEndedIterator<Item = u32> {
        self.orders_before.iter().copied().chain([self.slice_orders]).filter(|orders| *orders > 0)
    }

    /// The numbers of the events after it.
    pub(crate) fn numbers(&self) -> Numbers {
        Numbers { trouble: self.troubles, slice: self.told_slices }
    }

    /// The events after it have these numbers.
    pub(crate) fn number(&mut self, next: Numbers) {
        (self.troubles, self.told_slices) = (next.trouble, next.slice);
    }

    /// Of each format: the file that is open, and how many slices it has.
    pub(crate) fn files(&self) -> Vec<(u32, u32)> {
        let file = |account: &Account| account.file.as_ref().map_or((0, 0), |run| (run.number, run.slices));
        self.accounts.iter().map(file).collect()
    }

    /// The same chunk with other accounts.
    pub(crate) fn with(&self, accounts: Vec<Account>) -> Self {
        Self { accounts, ..self.clone() }
    }

    /// When the media up to it ends, Unix milliseconds; `None` where there is none.
    #[must_use]
    pub fn last_media_ms(&self) -> Option<u64> {
        self.accounts.iter().filter_map(|account| account.file.as_ref()).map(|run| run.end_ms).max()
    }

    /// The chunks of its page, up to its own.
    ///
    /// # Errors
    /// [`Error::Record`].
    pub fn chunks(&self, session: &str, seq: u64) -> Result<Vec<Chunk>, Error> {
        decode(&self.page, session, seq)
    }

    /// What is recorded of its session before its page; `None` where that is not noted.
    pub(crate) fn tally(&self) -> Option<Tally> {
        Tally::decode(&BASE64_STANDARD.decode(self.tally.as_ref()?).ok()?)
    }

    /// The tally before the page of chunk `seq`, which comes after it.
    fn next_tally(&self, session: &Session, seq: u64) -> Result<Option<String>, Error> {
        let tally = match seq.checked_sub(1) {
            None => Some(Tally::default()),
            Some(last) if seq.is_multiple_of(PAGE) => match self.tally() {
                Some(tally) => {
                    Some(tally.after(last / PAGE, &self.chunks(&session.id, last)?, session.delay_ms()))
                }
                None => None,
            },
            Some(_) => return Ok(self.tally.clone()),
        };
        Ok(tally.map(|tally| BASE64_STANDARD.encode(tally.encode())))
    }

    /// The chunks up to it since the last slice: none of them is one.
    ///
    /// # Errors
    /// [`Error::Record`].
    pub(crate) fn since_slice(&self, session: &str, seq: u64) -> Result<Vec<Chunk>, Error> {
        let mut chunks = decode(&self.before_page, session, seq)?;
        chunks.extend(self.chunks(session, seq)?);
        let last = chunks.iter().rposition(|chunk| matches!(chunk, Chunk::Slice(_)));
        Ok(chunks.split_off(last.map_or(0, |last| last + 1)))
    }

    /// State of the remuxer after it.
    pub(crate) fn remux_state(&self, session: &str, seq: u64) -> Result<Vec<u8>, Error> {
        BASE64_STANDARD
            .decode(&self.remux_state)
            .map_err(|error| Error::Record { key: key::chunk(session, seq), reason: error.to_string() })
    }
}

/// A run of chunks that are no slices; nothing where there are too many.
fn encode_run(chunks: &[Chunk]) -> String {
    if chunks.len() > MOST_BEFORE_PAGE { String::new() } else { BASE64_STANDARD.encode(page::encode(chunks)) }
}

/// Chunks that the record of one has in Base64.
fn decode(chunks: &str, session: &str, seq: u64) -> Result<Vec<Chunk>, Error> {
    let unreadable = |reason: String| Error::Record { key: key::chunk(session, seq), reason };
    let bytes = BASE64_STANDARD.decode(chunks).map_err(|error| unreadable(error.to_string()))?;
    page::decode(&bytes).map_err(|error| unreadable(error.to_string()))
}

/// Writes the record of a chunk, and from time to time the head; deletes a record that is needed no more.
pub(crate) async fn put(store: &impl Store, id: &str, seq: u64, committed: &Committed) -> Result<(), Error> {
    // Its page is complete. A call that dies before the commit is repeated, one that dies after it is not.
    if let Some(old) = seq.checked_sub(PAGE).filter(|old| !(old + 1).is_multiple_of(PAGE)) {
        store.delete(&key::chunk(id, old)).await?;
    }
    write(store, &key::chunk(id, seq), committed).await?;
    if (seq + 1).is_multiple_of(HEAD_EVERY) {
        write(store, &key::head(id), &Head { chunks: seq + 1 }).await?;
    }
    Ok(())
}

/// Has the head be no less than a number of chunks that are committed: the records before it are to be deleted.
pub(crate) async fn raise_head(store: &impl Store, id: &str, chunks: u64) -> Result<(), Error> {
    let head: Option<Head> = read(store, &key::head(id)).await?;
    if head.is_some_and(|head| head.chunks >= chunks) {
        return Ok(());
    }
    Ok(write(store, &key::head(id), &Head { chunks }).await?)
}

/// Puts the last record of a session back.
pub(crate) async fn restore(store: &impl Store, id: &str, seq: u64, last: &Committed) -> Result<(), Error> {
    write(store, &key::chunk(id, seq), last).await?;
    raise_head(store, id, seq + 1).await
}

/// The record of a committed chunk; `None` if it is not committed, or deleted.
pub(crate) async fn get(store: &impl Store, id: &str, seq: u64) -> Result<Option<Committed>, Error> {
    Ok(read(store, &key::chunk(id, seq)).await?)
}

/// The hint at how many chunks of a session are committed: at most three too few, unless a late call set it back.
pub(crate) async fn head(store: &impl Store, id: &str) -> Result<u64, Error> {
    let head: Option<Head> = read(store, &key::head(id)).await?;
    Ok(head.map_or(0, |head| head.chunks))
}

/// How many chunks of a session are committed.
///
/// # Errors
/// The store failed.
pub async fn length(store: &impl Store, id: &str) -> Result<u64, Error> {
    let mut length = head(store, id).await?;
    // A late call may have set the head back behind records that are deleted. The last of a page is there as long as
    // that can be: it is deleted when such a call is over, and the head is raised beforehand.
    let end_of_page = |length: u64| (length / PAGE + 1) * PAGE;
    while store.exists(&key::chunk(id, end_of_page(length) - 1)).await? {
        length = end_of_page(length);
    }
    while store.exists(&key::chunk(id, length)).await? {
        length += 1;
    }
    Ok(length)
}

/// When the last media of a session ends, Unix milliseconds; its begin where there is none.
pub(crate) async fn last_media_ms(store: &impl Store, session: &Session) -> Result<u64, Error> {
    let last = last(store, &session.id).await?;
    Ok(last.and_then(|(_, last)| last.last_media_ms()).unwrap_or(0).max(session.began_ms))
}

/// The last committed chunk of a session.
pub(crate) async fn last(store: &impl Store, id: &str) -> Result<Option<(u64, Committed)>, Error> {
    let Some(seq) = length(store, id).await?.checked_sub(1) else { return Ok(None) };
    Ok(get(store, id, seq).await?.map(|committed| (seq, committed)))
}

/// The first chunk of an ended session that is not committed; `None` once all are.
pub(crate) async fn missing(store: &impl Store, id: &str, end: &End) -> Result<Option<u64>, Error> {
    let length = length(store, id).await?;
    Ok((length < end.chunks).then_some(length))
}

#[cfg(test)]
mod tests;
