//! The spool folder, and how full it is.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicU64},
};

use anyhow::{Context, bail};
use protocol::StreamPath;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::clock::unix_ms;

use super::{
    alarm::Warning,
    boot,
    charge::{Account, Contents, Fill},
    chunk::Chunk,
    limit::{default_limit_bytes, free_bytes, spooled_bytes},
    record::{later, push_id},
    refused::{ChunkId, RefusedChunks, delete_refused},
    requests::{Request, requests},
};

/// A disk that takes so much takes what a push sends before it is next written: half a second of 4 Mb/s.
const PROBE_BYTES: usize = 256 << 10;

/// The spool folder and how full it is.
#[derive(Debug)]
pub(crate) struct Spool {
    root: PathBuf,
    contents: Arc<Contents>,
    refused: RefusedChunks,
    jobs: TaskTracker,
    /// The time in the last name of a push.
    last_push_ms: AtomicU64,
    _lock: File,
}

impl Spool {
    /// Opens a spool that holds at most so many bytes of chunks; `None`: what is sensible on its disk.
    pub(crate) fn open(root: &Path, limit_bytes: Option<u64>) -> anyhow::Result<Arc<Self>> {
        for folder in ["pushes", "refused", "requests"] {
            let folder = root.join(folder);
            fs::create_dir_all(&folder).with_context(|| format!("while creating {}", folder.display()))?;
        }
        // What is pushed, and by whom, is nobody else's business.
        if let Err(error) = fs::set_permissions(root, Permissions::from_mode(0o700)) {
            tracing::warn!("others may look into {}: {error}", root.display());
        }
        let lock = File::create(root.join("lock")).context("while creating the spool's lock")?;
        if let Err(error) = lock.try_lock() {
            bail!("spool {} is in use by another gateway: {error}", root.display());
        }
        let found_bytes = spooled_bytes(root).context("while looking at the spool")?;
        let limit_bytes = match limit_bytes {
            Some(limit_bytes) => limit_bytes,
            None => {
                default_limit_bytes(root, found_bytes).context("while looking at the disk of the spool")?
            }
        };
        tracing::info!("spool {} holds at most {limit_bytes} bytes", root.display());
        let contents = Arc::new(Contents::new(limit_bytes, found_bytes));
        let refused = RefusedChunks::open(root.join("refused"), &contents)
            .context("while looking at the refused chunks in the spool")?;
        let jobs = TaskTracker::new();
        let root = root.to_owned();
        let last_push_ms = AtomicU64::default();
        Ok(Arc::new(Self { root, contents, refused, jobs, last_push_ms, _lock: lock }))
    }

    /// A name that no other push has. Those that one start of a gateway makes sort as the pushes came, also within a
    /// millisecond and where the clock steps back.
    pub(crate) fn new_push_id(&self) -> String {
        push_id(later(&self.last_push_ms, unix_ms()))
    }

    /// The name in the spool, made at first.
    pub(crate) fn name(&self) -> anyhow::Result<String> {
        let path = self.root.join("name");
        match fs::read_to_string(&path) {
            Ok(name) if !name.trim().is_empty() => return Ok(name.trim().to_owned()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("while reading {}", path.display()));
            }
            _ => {}
        }
        let name = format!("gateway-{:08x}", fastrand::u32(..));
        fs::write(&path, &name).with_context(|| format!("while writing {}", path.display()))?;
        Ok(name)
    }

    /// Counts a start on this spool: `{spool}.{n}`, where `n` is higher than at every start before.
    pub(crate) fn count_boot(&self) -> anyhow::Result<String> {
        boot::count(&self.root.join("boot"))
    }

    /// Does what may wait for the disk. Once it is asked for it is done, also where whoever asked is cancelled.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        // A seed gives the order of all that one thread does. A thread of the disk's own would not keep to it.
        #[cfg(feature = "simulation")]
        if crate::clock::is_simulated() {
            return self.jobs.spawn(async move { work() });
        }
        self.jobs.spawn_blocking(work)
    }

    /// Completes once nothing goes on that [`Spool::spawn`] was asked for: the next gateway may have the spool.
    pub(crate) async fn at_rest(&self) {
        self.jobs.close();
        self.jobs.wait().await;
    }

    pub(crate) fn pushes(&self) -> PathBuf {
        self.root.join("pushes")
    }

    /// Where refused chunks lie.
    pub(crate) fn refused(&self) -> &Path {
        self.refused.folder()
    }

    /// Counts a refused chunk that was moved there.
    pub(crate) fn keep_refused(&self, stream: &StreamPath, id: ChunkId, chunk: Chunk) {
        self.refused.insert(stream.clone(), id, chunk.into_charge());
    }

    /// Counts a refused chunk no longer that is not there any more.
    pub(super) fn forget_refused(&self, id: &ChunkId) {
        self.refused.forget(id);
    }

    /// Deletes a refused chunk; `false` if it is not there.
    pub(crate) fn drop_refused(&self, id: &ChunkId) -> io::Result<bool> {
        let is_deleted = delete_refused(self.refused.folder(), id)?;
        self.refused.forget(id);
        Ok(is_deleted)
    }

    /// Deletes the oldest refused chunk of a stream; `None` if it has none.
    pub(crate) fn drop_oldest_refused(&self, stream: &StreamPath) -> io::Result<Option<ChunkId>> {
        self.refused.delete_oldest(stream)
    }

    /// The streams that have refused chunks.
    pub(crate) fn refused_streams(&self) -> Vec<(StreamPath, Arc<Account>)> {
        self.refused.accounts()
    }

    /// What is asked for by hand, in order, each with its file.
    pub(crate) fn requests(&self) -> io::Result<Vec<(PathBuf, Request)>> {
        requests(&self.root.join("requests"))
    }

    /// What a stream's chunks are charged to.
    pub(crate) fn account(&self, stream: &StreamPath) -> Arc<Account> {
        self.contents.account(stream)
    }

    /// Whether it has room for what a stream sends, or can make some.
    pub(crate) fn admits(&self, stream: &StreamPath) -> bool {
        self.contents.admits(stream)
    }

    /// How full it is.
    pub(crate) fn fill(&self) -> Fill {
        let (refused_chunks, refused_bytes) = self.refused.counted();
        Fill { refused_chunks, refused_bytes, ..self.contents.fill() }
    }

    /// How much more its disk takes.
    pub(crate) fn disk_free_bytes(&self) -> io::Result<u64> {
        free_bytes(&self.root)
    }

    /// Whether its disk refused what was last to be written.
    pub(super) fn is_disk_refusing(&self) -> bool {
        self.contents.is_disk_refusing()
    }

    /// Tries whether its disk takes something again: where no push comes, nothing else is written.
    pub(super) fn probe_disk(&self) {
        let probed = probe(&self.root.join("probe"));
        if probed.is_ok() {
            self.contents.note_disk(&probed);
        }
    }

    /// Whether all of it is used.
    pub(crate) fn is_full(&self) -> bool {
        self.contents.is_full()
    }

    /// Waits until something is given back, and says that it is full.
    pub(crate) async fn freed(&self) {
        self.contents.freed().await;
    }

    /// Logs what there is to say of how full it is.
    pub(crate) fn warn(&self) {
        self.contents.warnings().iter().for_each(Warning::log);
    }

    /// Completes when somebody waits for something to be given back.
    pub(crate) async fn wanted(&self) {
        self.contents.wanted().await;
    }

    #[cfg(test)]
    pub(super) fn used_bytes(&self) -> u64 {
        self.contents.used_bytes()
    }

    /// The files that were whole before `than` and have not been taken yet.
    pub(super) fn take_unsynced(&self, than: Instant) -> Vec<PathBuf> {
        self.contents.take_unsynced(than)
    }
}

/// Writes to a file that nobody finds, also after a crash.
fn probe(path: &Path) -> io::Result<()> {
    let mut file = File::create(path)?;
    fs::remove_file(path)?;
    file.write_all(&[0; PROBE_BYTES])?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_else_can_look_into_it() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().join("data/spool");
        for _ in 0..2 {
            let spool = Spool::open(&root, None).unwrap();
            assert_eq!(fs::metadata(&root).unwrap().permissions().mode() & 0o777, 0o700);
            drop(spool);
            fs::set_permissions(&root, Permissions::from_mode(0o755)).unwrap();
        }
    }
}
