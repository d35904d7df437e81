//! Blocks: the media of several chunks of an MP4 file as one object of the work bucket, large enough for a store to copy it
//! as a part of the file.
//!
//! Which chunks are a block follows from the file's chunks and their sizes alone, and so does the block's name. A block is
//! gathered while its file is still open, and only then: a file that is whole is written of the blocks that are there and
//! of the chunks themselves. Without a block, its media is read once more when the file is written; that is all.
//!
//! Blocks are deleted once their file is written, by a timer of the lane [`Compose`](crate::timer::Lane::Compose):
//! `t {recording} {number} {waits}`.

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::account::{Account, Place, Run};
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::media::MediaChunk;
use crate::rule::Container;
use crate::time::CALL_MAX_MS;
use crate::{file, key, next_file, session, timer};

/// A block has at most so many times the bytes of a chunk that needs none. A slice has some more bytes than its media.
const CHUNKS: u64 = 5;

/// Blocks are looked for whenever a file has so many slices more: a minute's, as they are mostly.
const EVERY: u32 = 12;

/// So many objects are deleted at a time.
const MOST: u32 = 200;

/// Chunks of a file, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The object that holds the media of all of them, once it is gathered; `None` where each stays by itself.
    pub block: Option<String>,
    /// The chunks.
    pub chunks: Vec<MediaChunk>,
}

/// How far the media of a recording's open MP4 file is gathered: a hint. Without it, blocks are gathered again, and are the
/// same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Gathered {
    number: u32,
    last: Place,
}

impl Record for Gathered {
    const VERSION: u32 = 1;
}

/// Parts the chunks of a file into groups.
struct Partition<'a> {
    recording: &'a str,
    number: u32,
    block_bytes: u64,
    pending: Vec<MediaChunk>,
    pending_bytes: u64,
    groups: Vec<Group>,
}

impl<'a> Partition<'a> {
    fn new(recording: &'a str, number: u32, block_bytes: u64) -> Self {
        Self { recording, number, block_bytes, pending: Vec::new(), pending_bytes: 0, groups: Vec::new() }
    }

    /// Takes the next chunk, and the bytes of its slice. What a group is does not depend on the groups before it.
    fn push(&mut self, chunk: MediaChunk, bytes: u64) {
        let stands_alone = self.block_bytes / CHUNKS;
        if bytes >= stands_alone && (self.pending.is_empty() || self.pending_bytes >= stands_alone) {
            self.close();
            self.groups.push(Group { block: None, chunks: vec![chunk] });
            return;
        }
        self.pending.push(chunk);
        self.pending_bytes += bytes;
        if self.pending_bytes >= self.block_bytes {
            self.close();
        }
    }

    /// What is pending is a block.
    fn close(&mut self) {
        let chunks = std::mem::take(&mut self.pending);
        self.pending_bytes = 0;
        if let Some(MediaChunk { at, .. }) = chunks.first() {
            let first = (&*at.session, at.seq);
            let block = naming::block_object(self.recording, self.number, first, chunks.len());
            self.groups.push(Group { block: Some(block), chunks });
        }
    }
}

/// The chunks whose media an MP4 file holds, by the blocks of at least `block_bytes` that they are gathered into.
///
/// # Errors
/// The store or the work bucket failed, or no longer holds the run.
pub async fn groups(
    store: &impl Store,
    bucket: &impl WorkBucket,
    recording: &str,
    run: &Run,
    block_bytes: u64,
) -> Result<Vec<Group>, Error> {
    let mut partition = Partition::new(recording, run.number, block_bytes);
    for entry in file::entries(store, bucket, run).await? {
        let bytes = entry.slice.size;
        partition.push(entry.into(), bytes);
    }
    let Partition { mut groups, pending, .. } = partition;
    groups.push(Group { block: None, chunks: pending });
    groups.retain(|group| !group.chunks.is_empty());
    Ok(groups)
}

/// The next block of a recording's open MP4 file that is to be gathered. It costs what has come since the one before.
///
/// # Errors
/// The store or the work bucket failed.
pub async fn next(
    store: &impl Store,
    bucket: &impl WorkBucket,
    recording: &str,
    block_bytes: u64,
) -> Result<Option<(u32, Group)>, Error> {
    let Some(run) = file::open(store, bucket, recording, Container::Mp4).await? else { return Ok(None) };
    let number = run.number;
    // A short file is created at once, and needs no block. The newest slice says how long they are, or so.
    let newest = file::entries(store, bucket, &Run { first: run.last.clone(), ..run.clone() }).await?;
    let slice_bytes = newest.first().map_or(0, |entry| entry.slice.size);
    if slice_bytes * u64::from(run.slices) < 2 * block_bytes {
        return Ok(None);
    }
    // Whether a chunk is media or a gap is settled only by the one after it.
    let unsettled = run.last.clone();
    let noted: Option<Gathered> = read(store, &key::gathered(recording)).await?;
    let done = noted.filter(|noted| noted.number == number).map(|noted| noted.last);
    // The chunk before says whether the one after it follows a gap.
    let rest = Run { first: done.clone().unwrap_or_else(|| run.first.clone()), ..run };
    let mut partition = Partition::new(recording, number, block_bytes);
    for entry in file::entries(store, bucket, &rest).await? {
        if done.as_ref() != Some(&entry.at) && entry.at != unsettled {
            let bytes = entry.slice.size;
            partition.push(entry.into(), bytes);
        }
    }
    let found = partition.groups.iter().position(|group| group.block.is_some());
    if found.is_none()
        && let Some(last) = partition.groups.last()
    {
        note(store, recording, number, last).await?;
    }
    Ok(found.map(|found| (number, partition.groups.swap_remove(found))))
}

/// Notes that a group of a file is gathered.
///
/// # Errors
/// The store failed.
pub async fn note(store: &impl Store, recording: &str, number: u32, group: &Group) -> Result<(), Error> {
    let Some(MediaChunk { at: last, .. }) = group.chunks.last().cloned() else { return Ok(()) };
    Ok(write(store, &key::gathered(recording), &Gathered { number, last }).await?)
}

/// Whether a slice after which the accounts are these has blocks looked for.
pub(crate) fn is_due(accounts: &[Account]) -> bool {
    let mut runs = accounts.iter().filter(|account| account.container == Container::Mp4);
    runs.any(|account| account.file.as_ref().is_some_and(|run| run.slices.is_multiple_of(EVERY)))
}

/// Has the blocks of an MP4 file deleted once it is written, and was there for so long: as
/// [`media::release`](crate::media::release) has its media.
///
/// # Errors
/// The store failed.
pub async fn release(
    store: &impl Store,
    recording: &str,
    number: u32,
    stays_ms: u64,
    now_ms: u64,
) -> Result<(), Error> {
    store.delete(&key::gathered(recording)).await?;
    arm(store, recording, number, 0, now_ms + stays_ms).await
}

/// Another call may still read them, or gather one.
async fn arm(store: &impl Store, recording: &str, number: u32, waits: u32, now_ms: u64) -> Result<(), Error> {
    let due_ms = now_ms + (CALL_MAX_MS << waits.min(5));
    timer::set(store, due_ms, &format!("t {recording} {number} {waits}")).await
}

/// Deletes the blocks of a recording's MP4 files up to one, once that is written.
pub(crate) async fn delete(
    store: &impl Store,
    bucket: &impl WorkBucket,
    recording: &str,
    number: u32,
    waits: u32,
    now_ms: u64,
) -> Result<(), Error> {
    let is_written = match next_file::noted(store, recording, Container::Mp4).await? {
        Some(next) => next.number > number,
        // Nothing is noted of a recording that is over: its files are written.
        None => session::find(store, recording).await?.is_none(),
    };
    if !is_written {
        return arm(store, recording, number, waits + 1, now_ms).await;
    }
    let prefix = naming::blocks_of(recording, None);
    let end = naming::blocks_of(recording, Some(number + 1));
    let mut names = bucket.list(&prefix, "", MOST).await.map_err(Error::WorkBucket)?;
    let is_all = names.len() < MOST as usize;
    names.retain(|name| *name < end);
    for name in &names {
        bucket.delete(name).await.map_err(Error::WorkBucket)?;
    }
    if is_all || names.is_empty() {
        return Ok(());
    }
    timer::set(store, now_ms, &format!("t {recording} {number} {waits} {}", timer::AGAIN)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(sizes: &[u64]) -> Vec<(bool, u64)> {
        let mut partition = Partition::new("r", 3, 100);
        for (seq, bytes) in sizes.iter().enumerate() {
            let at = Place { session: "s".into(), seq: seq as u64 };
            partition.push(MediaChunk { at, gap_ms: None }, *bytes);
        }
        let bytes = |group: &Group| group.chunks.iter().map(|chunk| sizes[chunk.at.seq as usize]).sum();
        partition.groups.iter().map(|group| (group.block.is_some(), bytes(group))).collect()
    }

    #[test]
    fn small_chunks_are_gathered_and_large_ones_stand_alone() {
        assert_eq!(groups(&[10; 9]), []);
        assert_eq!(groups(&[10; 25]), [(true, 100), (true, 100)]);
        assert_eq!(groups(&[20, 99, 500]), [(false, 20), (false, 99), (false, 500)]);
        assert_eq!(groups(&[10, 10, 30, 10]), [(true, 20), (false, 30)]);
        // What is too small to be a part takes a large one with it.
        assert_eq!(groups(&[19, 21, 19, 21, 21]), [(true, 59), (false, 21), (false, 21)]);
    }
}
