//! The slices of a session, committed one after the other.
//!
//! A commit writes one record, `session/{id}/chunk/{seq}`, and that write is the commit.
//! Its value is a function of the chunk and of the records before it. Two calls for the same chunk, however they
//! overlap, therefore write the same value: no compare-and-swap is needed, and no call can undo a later one.
//!
//! The record of a chunk carries the slices of its page: of all chunks since the last multiple of [`PAGE`].
//! One read of a page's last record thus gives the whole page, and a commit costs the same few operations at the
//! first chunk and at the millionth. A record that is neither the last of its page nor one of the last [`PAGE`] is
//! deleted.
//!
//! The head is a hint at the length. To know the exact length, [`length`] reads on from there, record by record.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use store::Store;

use crate::key;
use crate::record::{Error, read, write};
use crate::sessions::End;
use crate::types::{ChunkStatus, Cursor, Slice};

/// Chunks in a page. A slice's record has at most about 1.4 kB (its object's name has at most 1023 bytes), so
/// that a page stays well below the 256 KiB that a value may have.
pub const PAGE: u64 = 64;

/// A committed chunk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Committed {
    /// State of the remuxer after this chunk, in Base64.
    pub remux_state: String,
    /// Unix milliseconds of media time zero.
    pub anchor_ms: u64,
    /// When it was committed, Unix milliseconds.
    pub at_ms: u64,
    /// The slices of this page up to this chunk; none for a chunk that held nothing to record.
    pub page: Vec<Option<Slice>>,
}

/// Where a chunk stands in its session.
pub async fn status(store: &impl Store, id: &str, seq: u64) -> Result<ChunkStatus, Error> {
    if let Some(end) = read::<End>(store, &key::end(id)).await? {
        return Ok(after_end(&end, seq));
    }
    if committed(store, id, seq).await?.is_some() {
        return Ok(ChunkStatus::Committed);
    }
    let names_taken = read(store, &key::names(id)).await?.unwrap_or(0);
    // A record right before `seq` means that `seq` is next, unless that record is the last of its page: such
    // records stay.
    if seq.is_multiple_of(PAGE) && seq < head(store, id).await? {
        return Ok(ChunkStatus::Committed);
    }
    if seq == 0 {
        return Ok(ChunkStatus::Next(Cursor { remux_state: None, anchor_ms: None, names_taken }));
    }
    if let Some(before) = committed(store, id, seq - 1).await? {
        let remux_state = BASE64_STANDARD
            .decode(&before.remux_state)
            .map_err(|error| Error::Record { key: key::chunk(id, seq - 1), reason: error.to_string() })?;
        return Ok(ChunkStatus::Next(Cursor {
            remux_state: Some(remux_state),
            anchor_ms: Some(before.anchor_ms),
            names_taken,
        }));
    }
    let length = length(store, id).await?;
    Ok(if seq < length { ChunkStatus::Committed } else { ChunkStatus::Gap(length) })
}

/// A chunk to commit.
pub struct Commit {
    /// What it became, if anything.
    pub slice: Option<Slice>,
    /// State of the remuxer after it.
    pub remux_state: Vec<u8>,
    /// Unix milliseconds of media time zero.
    pub anchor_ms: u64,
    /// Now, Unix milliseconds.
    pub now_ms: u64,
}

/// Commits the chunk that is next.
///
/// This reads the session's end after it has written the chunk; the end call counts the chunks after it has
/// written the end. Whichever comes first, both agree on whether this chunk is part of the session.
pub async fn commit(store: &impl Store, id: &str, seq: u64, commit: Commit) -> Result<ChunkStatus, Error> {
    let mut page = Vec::new();
    if !seq.is_multiple_of(PAGE) {
        let before = key::chunk(id, seq - 1);
        page = committed(store, id, seq - 1).await?.ok_or(Error::Missing { key: before })?.page;
    }
    page.push(commit.slice);
    let record = Committed {
        remux_state: BASE64_STANDARD.encode(&commit.remux_state),
        anchor_ms: commit.anchor_ms,
        at_ms: commit.now_ms,
        page,
    };
    write(store, &key::chunk(id, seq), &record).await?;
    write(store, &key::head(id), &(seq + 1)).await?;
    if seq >= PAGE && !(seq + 1).is_multiple_of(PAGE) {
        store.delete(&key::chunk(id, seq - PAGE)).await?;
    }
    Ok(match read::<End>(store, &key::end(id)).await? {
        Some(end) => after_end(&end, seq),
        None => ChunkStatus::Committed,
    })
}

/// Notes how many object names of this session hold another writer's object; later slices take other names.
pub async fn set_names_taken(store: &impl Store, id: &str, count: u32) -> Result<(), Error> {
    write(store, &key::names(id), &count).await
}

/// How many chunks are committed.
pub async fn length(store: &impl Store, id: &str) -> Result<u64, Error> {
    let mut length = head(store, id).await?;
    loop {
        // A late call may have set the hint back to where records are deleted already. The last record of a page
        // is never deleted.
        let page_end = length - length % PAGE + PAGE - 1;
        if committed(store, id, length).await?.is_some() {
            length += 1;
        } else if committed(store, id, page_end).await?.is_some() {
            length = page_end + 1;
        } else {
            return Ok(length);
        }
    }
}

/// A committed chunk's record, if it is one of the last [`PAGE`] or the last of its page.
pub async fn committed(store: &impl Store, id: &str, seq: u64) -> Result<Option<Committed>, Error> {
    read(store, &key::chunk(id, seq)).await
}

/// The slices of the chunks from `first` up to the end of its page or of the first `length` chunks, whichever
/// comes first. At least `length` chunks are committed.
pub async fn page(
    store: &impl Store,
    id: &str,
    first: u64,
    length: u64,
) -> Result<Vec<Option<Slice>>, Error> {
    let start = first - first % PAGE;
    let end = (start + PAGE).min(length);
    // A whole page lies under its last chunk; the records of its other chunks may be deleted.
    let record = match committed(store, id, start + PAGE - 1).await? {
        Some(record) => record,
        None => {
            let last = committed(store, id, end - 1).await?;
            last.ok_or_else(|| Error::Missing { key: key::chunk(id, end - 1) })?
        }
    };
    let within = |seq: u64| usize::try_from(seq - start).expect("an offset in a page should fit any usize");
    Ok(record.page.into_iter().take(within(end)).skip(within(first)).collect())
}

async fn head(store: &impl Store, id: &str) -> Result<u64, Error> {
    Ok(read(store, &key::head(id)).await?.unwrap_or(0))
}

fn after_end(end: &End, seq: u64) -> ChunkStatus {
    match end.chunks {
        None => ChunkStatus::Ending,
        Some(chunks) if seq < chunks => ChunkStatus::Committed,
        Some(chunks) => ChunkStatus::Over(chunks),
    }
}
