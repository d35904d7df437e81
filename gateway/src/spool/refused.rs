//! Chunks that the functions refused for good: kept until somebody resends or drops them, or their room is needed.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use protocol::{Resends, StreamPath};
use serde::{Deserialize, Serialize};

use super::{
    charge::{Account, Charge, Contents},
    chunk::Chunk,
    record::{ChunkName, Record, Session, replace_durably},
};
use crate::clock::unix_ms;

/// A chunk, by the push that it is of and its place there. Displayed as `push/chunk`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChunkId {
    /// Names the push, and its folder in the spool.
    pub push: String,
    /// Its place in the push.
    pub chunk: u64,
}

/// What `<push>-<index>.json` says of a chunk that was refused: all that resending it needs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Refused {
    /// The push, as it was then.
    pub(crate) record: Record,
    pub(crate) name: ChunkName,
    /// When its last frame came, in milliseconds since the push began.
    pub(crate) end_ms: u64,
    pub(crate) reason: String,
    /// Unix milliseconds.
    pub(crate) refused_at_ms: u64,
}

/// The refused chunks of a spool, each of which is charged to its stream.
///
/// Whoever renames or deletes the `.flv` of one has it: a gateway that resends it and a command that drops it may come
/// at once.
#[derive(Debug)]
pub(super) struct RefusedChunks {
    folder: PathBuf,
    streams: Mutex<HashMap<StreamPath, BTreeMap<ChunkId, Charge>>>,
}

impl fmt::Display for ChunkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.push, self.chunk)
    }
}

impl Refused {
    pub(crate) fn new(record: Record, chunk: &Chunk, reason: String) -> Self {
        Self { record, name: chunk.name, end_ms: chunk.end_ms, reason, refused_at_ms: unix_ms() }
    }

    pub(crate) fn id(&self) -> ChunkId {
        ChunkId { push: self.record.push.id.clone(), chunk: self.name.index }
    }

    /// The session whose chunk it is, and its number there. `None`: no session was begun.
    pub(crate) fn resends(&self) -> Option<Resends> {
        let index = self.name.index;
        match (&self.record.session, &self.record.resends) {
            (Some(Session { id, first_index, .. }), _) => {
                Some(Resends { session: id.clone(), seq: index.saturating_sub(*first_index) })
            }
            (None, Some(before)) => {
                Some(Resends { session: before.session.clone(), seq: before.seq + index })
            }
            (None, None) => None,
        }
    }

    /// Reads what is said of the chunk of this file.
    pub(crate) fn load(flv: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(flv.with_extension("json"))?)?)
    }

    /// Moves the chunk to the refused ones, where it survives a loss of power.
    pub(crate) fn keep(&self, folder: &Path, chunk: &Path) -> io::Result<ChunkId> {
        File::open(chunk)?.sync_all()?;
        self.keep_as_it_is(folder, chunk)
    }

    /// Moves a chunk there that cannot be read: another disk, or a person, may get something out of it.
    pub(crate) fn keep_as_it_is(&self, folder: &Path, chunk: &Path) -> io::Result<ChunkId> {
        let id = self.id();
        let flv = refused_path(folder, &id);
        let json = flv.with_extension("json");
        replace_durably(&json, &serde_json::to_vec(self)?)?;
        if let Err(error) = fs::rename(chunk, flv) {
            let _ = fs::remove_file(json);
            return Err(error);
        }
        File::open(folder)?.sync_all()?;
        Ok(id)
    }
}

/// The file of a refused chunk.
pub(crate) fn refused_path(folder: &Path, id: &ChunkId) -> PathBuf {
    folder.join(format!("{}-{:010}.flv", id.push, id.chunk))
}

/// The files of the refused chunks in a folder, those of the oldest push first.
pub(crate) fn refused_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .filter(|path| path.as_ref().map_or(true, |path| path.extension().is_some_and(|kind| kind == "flv")))
        .collect::<io::Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}

/// Deletes a refused chunk; `false` if it was not there.
pub(crate) fn delete_refused(folder: &Path, id: &ChunkId) -> io::Result<bool> {
    let flv = refused_path(folder, id);
    let is_deleted = delete_if_there(&flv)?;
    delete_if_there(&flv.with_extension("json"))?;
    Ok(is_deleted)
}

fn delete_if_there(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

impl RefusedChunks {
    /// Those that a folder holds. What cannot be read is left alone, and logged.
    pub(super) fn open(folder: PathBuf, contents: &Arc<Contents>) -> io::Result<Self> {
        let chunks = Self { streams: Mutex::default(), folder };
        for flv in refused_files(&chunks.folder)? {
            let found = Refused::load(&flv)
                .map_err(anyhow::Error::from)
                .and_then(|refused| Ok((refused.record.stream_path()?, refused.id())));
            match found {
                Ok((stream, id)) => {
                    let mut charge = Charge::new(&contents.account(&stream));
                    let bytes = fs::metadata(&flv)?.len();
                    charge.add(bytes);
                    charge.on_disk(bytes);
                    chunks.insert(stream, id, charge);
                }
                Err(error) => tracing::warn!("refused chunk {} is left alone: {error:#}", flv.display()),
            }
        }
        Ok(chunks)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn insert(&self, stream: StreamPath, id: ChunkId, charge: Charge) {
        self.streams().entry(stream).or_default().insert(id, charge);
    }

    /// Counts a chunk no longer that is not here any more.
    pub(super) fn forget(&self, id: &ChunkId) {
        self.streams().retain(|_, chunks| {
            chunks.remove(id);
            !chunks.is_empty()
        });
    }

    /// Deletes the oldest one of a stream; `None` if it has none.
    pub(super) fn delete_oldest(&self, stream: &StreamPath) -> io::Result<Option<ChunkId>> {
        let Some(id) = self.streams().get(stream).and_then(|chunks| chunks.keys().next().cloned()) else {
            return Ok(None);
        };
        delete_refused(&self.folder, &id)?;
        self.forget(&id);
        Ok(Some(id))
    }

    /// The streams that have some.
    pub(super) fn accounts(&self) -> Vec<(StreamPath, Arc<Account>)> {
        let account = |chunks: &BTreeMap<_, Charge>| Some(Arc::clone(chunks.values().next()?.account()));
        self.streams()
            .iter()
            .filter_map(|(stream, chunks)| Some((stream.clone(), account(chunks)?)))
            .collect()
    }

    /// How many there are, and how many bytes they have.
    pub(super) fn counted(&self) -> (usize, u64) {
        let streams = self.streams();
        let chunks = streams.values().flat_map(BTreeMap::values);
        chunks.fold((0, 0), |(count, bytes), charge| (count + 1, bytes + charge.bytes()))
    }

    fn streams(&self) -> MutexGuard<'_, HashMap<StreamPath, BTreeMap<ChunkId, Charge>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
