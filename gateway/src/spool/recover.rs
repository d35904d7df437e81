//! What a restart finds in the spool.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::UNIX_EPOCH,
};

use anyhow::Context;
use protocol::{Generation, LossReason, LostChunk, StreamPath};
use tokio::time::Instant;

use super::{
    charge::Account,
    chunk::Chunk,
    folder::Spool,
    gap::Gap,
    record::{ChunkName, End, Record, is_kept, parse_split_path},
    trim::trim,
    waiting::Waiting,
};

/// A push that an earlier gateway did not complete.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) path: StreamPath,
    pub(crate) folder: PathBuf,
    pub(crate) record: Record,
    pub(crate) account: Arc<Account>,
    /// Chunks, and the places of those that will not come, in order.
    pub(crate) waiting: Vec<Waiting>,
}

impl Recovered {
    /// Whether chunks were to be resent, and are not here any more.
    pub(super) fn is_nothing(&self) -> bool {
        self.record.is_resent && self.waiting.is_empty() && self.record.session.is_none()
    }

    /// Deletes its folder.
    pub(super) fn delete(&self) -> anyhow::Result<()> {
        fs::remove_dir_all(&self.folder).with_context(|| format!("while deleting {}", self.folder.display()))
    }
}

/// The pushes in the spool, in the order in which they came.
///
/// Each one is over: its end is the time of the last write if it is not known, and written down. A folder that cannot be
/// understood is left alone and logged.
pub(crate) fn recover(spool: &Arc<Spool>) -> anyhow::Result<Vec<Recovered>> {
    let pushes = spool.pushes();
    let mut folders = Vec::new();
    for entry in fs::read_dir(&pushes).with_context(|| format!("while listing {}", pushes.display()))? {
        folders.push(entry?.path());
    }
    folders.sort();
    let mut recovered = Vec::new();
    for folder in folders {
        match recover_push(spool, &folder) {
            // A crash came before a chunk was moved there.
            Ok(push) if push.is_nothing() => {
                if let Err(error) = push.delete() {
                    tracing::error!("{error:#}");
                }
            }
            Ok(push) => recovered.push(push),
            Err(error) => tracing::error!("push in {} cannot be recovered: {error:#}", folder.display()),
        }
    }
    Ok(recovered)
}

pub(super) fn recover_push(spool: &Arc<Spool>, folder: &Path) -> anyhow::Result<Recovered> {
    let mut record = Record::load(folder)?;
    let path = record.stream_path()?;
    let account = spool.account(&path);
    let mut last_write_ms = modified_ms(folder);
    let (mut files, mut splits, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if let Some(name) = ChunkName::parse(&path) {
            files.push((name, path));
        } else if let Some((whole, at)) = parse_split_path(&path) {
            splits.push((path, whole, at));
        } else if let Some(gap) = Gap::parse(&path) {
            waiting.push(Waiting::Lost(gap));
        } else if is_kept(&path) {
            last_write_ms = last_write_ms.max(modified_ms(&path));
            delete(&path);
        }
    }
    for (path, whole, at) in splits {
        let Some(name) = ChunkName::parse(&whole) else { continue };
        let before = files.iter().find(|(before, _)| before.index + 1 == name.index);
        let is_moved = before.is_none_or(|(_, before)| is_at_most(before, at));
        match is_moved.then(|| fs::rename(&path, &whole)) {
            Some(Ok(())) => files.push((name, whole)),
            Some(Err(error)) => {
                tracing::error!("{} cannot be renamed: {error}", path.display());
                files.push((name, path));
            }
            None => delete(&path),
        }
    }
    for (_, path) in &files {
        last_write_ms = last_write_ms.max(modified_ms(path));
    }
    files.sort();
    let last_index = files.last().map_or(0, |(name, _)| name.index);
    let session = record.session.as_ref();
    let (first_index, known_to) = session.map_or((0, 0), |session| (session.first_index, session.known_to));
    for (name, path) in files {
        let is_lost = waiting.iter().any(|gap| gap.index() == name.index);
        let (bytes, is_unread) = match trim(&path) {
            Ok(bytes) => (bytes, false),
            // Whoever sends it tries again, and tells it damaged if that does not help.
            Err(error) => {
                tracing::error!("{} cannot be read: {error}", path.display());
                (fs::metadata(&path).map_or(0, |metadata| metadata.len()), true)
            }
        };
        // What was not wanted, or is told lost: a crash came before its file was deleted.
        if (bytes > 0 || is_unread) && !is_lost && name.index >= first_index {
            waiting.push(Waiting::Chunk(Chunk::found(&account, path, name, bytes)));
            continue;
        }
        // One without a byte may have been sent from memory, where the disk had refused it; and the functions wait for
        // each one that the end counts.
        let is_counted = record.end.is_some_and(|end| name.index < end.next_index);
        let may_be_known = name.index < last_index || is_counted || is_at_most(&path, 0);
        if bytes == 0 && !is_lost && name.index >= first_index && may_be_known {
            let ChunkName { index, offset_ms, generation, .. } = name;
            let gap = damaged(folder, index, offset_ms, offset_ms, generation);
            let is_noted = note(&gap);
            waiting.push(Waiting::Lost(gap));
            if !is_noted {
                // The next restart finds it by its file.
                continue;
            }
        }
        delete(&path);
    }
    waiting.sort_by_key(Waiting::index);
    let began_at_ms = record.began_at_ms;
    let next_index = waiting.last().map_or(first_index.max(known_to), |last| last.index() + 1);
    let duration_ms = last_write_ms.saturating_sub(began_at_ms);
    let end = record.end.get_or_insert(End { duration_ms, next_index });
    if record.is_resent && record.session.is_none() {
        // A crash may have come before all of it was moved here. Once it has a session, all of it was.
        end.next_index = next_index;
    }
    // A crash may have come between a chunk and the end that counts it.
    end.next_index = end.next_index.max(next_index);
    let end = *end;
    let waiting = with_gaps(folder, waiting, first_index.max(known_to), &end);
    if let Err(error) = record.save(folder) {
        // It is found out again.
        tracing::error!("{} cannot be written: {error}", folder.display());
    }
    Ok(Recovered { path, folder: folder.to_owned(), record, account, waiting })
}

/// Fills the places of chunks whose files a loss of power took, up to the end: the functions wait for all of them. Where
/// none is found, the first that they do not know is `unknown_from`.
fn with_gaps(folder: &Path, found: Vec<Waiting>, unknown_from: u64, end: &End) -> Vec<Waiting> {
    let mut waiting: Vec<Waiting> = Vec::with_capacity(found.len());
    for mut next in found {
        if let Some(before) = waiting.last_mut() {
            if let Waiting::Chunk(chunk) = before {
                chunk.end_ms = next.offset_ms();
            }
            let (from_ms, generation) = match before {
                Waiting::Chunk(chunk) => (chunk.end_ms, chunk.name.generation),
                Waiting::Lost(gap) => (gap.lost.to_ms, gap.lost.generation),
            };
            for index in before.index() + 1..next.index() {
                let gap = damaged(folder, index, from_ms, next.offset_ms(), generation);
                note(&gap);
                waiting.push(Waiting::Lost(gap));
            }
        }
        if let Waiting::Chunk(chunk) = &mut next {
            chunk.end_ms = end.duration_ms.max(chunk.end_ms);
        }
        waiting.push(next);
    }
    let (from, generation) = match waiting.last() {
        Some(Waiting::Chunk(chunk)) => (chunk.name.index + 1, chunk.name.generation),
        Some(Waiting::Lost(gap)) => (gap.index + 1, gap.lost.generation),
        None => (unknown_from, Generation::default()),
    };
    for index in from..end.next_index {
        let gap = damaged(folder, index, end.duration_ms, end.duration_ms, generation);
        note(&gap);
        waiting.push(Waiting::Lost(gap));
    }
    waiting
}

/// The place of a chunk whose file was lost; it was perhaps tried until just now.
fn damaged(folder: &Path, index: u64, from_ms: u64, to_ms: u64, generation: Generation) -> Gap {
    let lost = LostChunk { lost: LossReason::Damaged, from_ms, to_ms, generation };
    Gap::new(folder, index, lost, Some(Instant::now()))
}

/// Writes a loss down; `false` where the disk refuses that, and the next restart has to find it out again.
fn note(gap: &Gap) -> bool {
    let saved = gap.save();
    if let Err(error) = &saved {
        tracing::error!("loss of chunk {} cannot be written down: {error}", gap.index);
    }
    saved.is_ok()
}

/// Whether a file has no more bytes than these, or nobody can tell: nothing is deleted in doubt.
fn is_at_most(path: &Path, bytes: u64) -> bool {
    fs::metadata(path).map_or(true, |metadata| metadata.len() <= bytes)
}

/// When a file was last written, in Unix milliseconds; 0 if that cannot be told.
fn modified_ms(path: &Path) -> u64 {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    let since = modified.ok().and_then(|modified| modified.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_millis() as u64)
}

/// Deletes a file; the next restart does it where the disk refuses that now.
fn delete(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::error!("{} cannot be deleted: {error}", path.display());
    }
}

#[cfg(test)]
mod tests;
