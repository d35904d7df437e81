//! Looking after a spool by hand: what is in it, and what is to be resent or dropped.
//!
//! All of it may be done beside a running gateway. What is asked for is left in the spool as a request, a file that
//! appears as a whole; the gateway follows it within a second or two, or else the next one that is started. A refused
//! chunk belongs to whoever renames or deletes its file first, so it is dropped at once, also without a gateway.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use protocol::LossReason;

use crate::{
    clock::unix_ms,
    spool::{ChunkName, Gap, Record, Refused, Request, delete_refused, refused_files, requests},
};

pub use crate::spool::{Action, ChunkId};

/// A chunk that is in a spool, or the place of one that is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which chunk.
    pub id: ChunkId,
    /// The stream that was pushed, as `domain/app/stream`.
    pub stream: String,
    /// What becomes of it.
    pub state: State,
    /// What somebody asked for that is not done yet.
    pub request: Option<Action>,
    /// When its first frame came, in milliseconds since the push began.
    pub from_ms: u64,
    /// When its last frame came, about; `None` while it is written.
    pub to_ms: Option<u64>,
    /// Length of its file.
    pub bytes: u64,
    /// Since when it has been as it is.
    pub age: Duration,
    /// The session that it is of, and its number there, once it has one.
    pub session: Option<(String, u64)>,
}

/// What becomes of a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is being written.
    Open,
    /// It waits to be taken by the functions.
    Waiting,
    /// It will not come, for this reason, which the functions are to be told.
    Lost(LossReason),
    /// The functions refused it for good, for this reason. They know that it is lost, or are about to be told.
    Refused(String),
}

/// What is in the spool in a folder, the oldest push first.
///
/// What a gateway has in memory alone is not seen: the last tenth of a second, and chunks that are soon taken.
///
/// # Errors
/// A folder that is no spool, or that cannot be read.
pub fn list(spool: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for folder in folder_entries(&spool.join("pushes"))? {
        // A push may be brought meanwhile, or just be beginning.
        if let Ok(record) = Record::load(&folder) {
            entries.extend(list_push(&folder, &record)?);
        }
    }
    for flv in if_there(refused_files(&spool.join("refused")))?.unwrap_or_default() {
        if let (Ok(refused), Some(bytes)) = (Refused::load(&flv), length(&flv)?) {
            entries.push(refused_entry(&refused, bytes));
        }
    }
    let asked: HashMap<_, _> = if_there(requests(&spool.join("requests")))?
        .unwrap_or_default()
        .into_iter()
        .flat_map(|(_, Request { action, chunks })| chunks.into_iter().map(move |id| (id, action)))
        .collect();
    entries.iter_mut().for_each(|entry| entry.request = asked.get(&entry.id).copied());
    entries.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(entries)
}

/// Asks for chunks to be resent or dropped. Refused chunks that are dropped are deleted at once.
///
/// # Errors
/// The request cannot be written, or a chunk not be deleted.
pub fn ask(spool: &Path, action: Action, chunks: Vec<ChunkId>) -> io::Result<()> {
    let request = Request { action, chunks };
    request.leave(&spool.join("requests"))?;
    if action == Action::Drop {
        for id in &request.chunks {
            delete_refused(&spool.join("refused"), id)?;
        }
    }
    Ok(())
}

fn list_push(folder: &Path, record: &Record) -> io::Result<Vec<Entry>> {
    let Some(paths) = if_there(folder_entries(folder))? else { return Ok(Vec::new()) };
    let mut entries = Vec::new();
    for path in paths {
        if let Some(gap) = Gap::parse(&path) {
            let state = State::Lost(gap.lost.lost);
            let (from_ms, to_ms) = (gap.lost.from_ms, Some(gap.lost.to_ms));
            entries.push(Entry { to_ms, ..entry(record, gap.index, state, from_ms, 0, age(&path)) });
        } else if let (Some(name), Some(bytes)) = (ChunkName::parse(&path), length(&path)?) {
            entries.push(entry(record, name.index, State::Waiting, name.offset_ms, bytes, age(&path)));
        }
    }
    entries.sort_by_key(|entry| entry.id.chunk);
    let begins: Vec<_> = entries.iter().skip(1).map(|next| Some(next.from_ms)).collect();
    let last = record.end.map(|end| end.duration_ms);
    for (entry, next_ms) in entries.iter_mut().zip(begins.into_iter().chain([last])) {
        entry.to_ms = entry.to_ms.or(next_ms.map(|next_ms| next_ms.max(entry.from_ms)));
        if entry.to_ms.is_none() {
            entry.state = State::Open;
        }
    }
    Ok(entries)
}

fn entry(record: &Record, chunk: u64, state: State, from_ms: u64, bytes: u64, age: Duration) -> Entry {
    let push = &record.push;
    let session = record.session.as_ref();
    Entry {
        id: ChunkId { push: push.id.clone(), chunk },
        stream: format!("{}/{}/{}", push.domain, push.app, push.stream),
        state,
        request: None,
        from_ms,
        to_ms: None,
        bytes,
        age,
        session: session.map(|session| (session.id.clone(), chunk.saturating_sub(session.first_index))),
    }
}

fn refused_entry(refused: &Refused, bytes: u64) -> Entry {
    let Refused { record, name, end_ms, reason, refused_at_ms } = refused;
    let age = Duration::from_millis(unix_ms().saturating_sub(*refused_at_ms));
    let session = refused.resends().map(|resends| (resends.session, resends.seq));
    let state = State::Refused(reason.clone());
    let to_ms = Some((*end_ms).max(name.offset_ms));
    Entry { to_ms, session, ..entry(record, name.index, state, name.offset_ms, bytes, age) }
}

/// What is in a folder.
fn folder_entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths: Vec<_> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    paths.sort();
    Ok(paths)
}

/// Bytes of a file, unless it is gone.
fn length(path: &Path) -> io::Result<Option<u64>> {
    Ok(if_there(fs::metadata(path))?.map(|metadata| metadata.len()))
}

/// Since when a file has been as it is, by the wall clock.
fn age(path: &Path) -> Duration {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    modified.ok().and_then(|at| at.elapsed().ok()).unwrap_or_default()
}

fn if_there<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
