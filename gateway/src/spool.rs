//! Chunks on disk until they are acknowledged.
//!
//! ```text
//! <spool>/lock                                held while a gateway runs
//! <spool>/name                                the gateway's own name
//! <spool>/pushes/<push>/push.json             whose push it is and how far it came, see Record
//! <spool>/pushes/<push>/<index>-<time>.flv    a chunk: its place in the push, Unix ms of its first tag
//! <spool>/refused/<push>-<index>.flv, .txt    a chunk that the functions refused for good, and why
//! ```
//!
//! What a push has sent is in memory at first and on disk within 100 ms, in the order in which it came; a chunk
//! that is acknowledged sooner never has a file.
//! `<push>` begins with the time of the publish, so that names sort as the pushes came. The last file of a
//! live push is appended to; it ends anywhere after a crash, and [`recover`] cuts it back to whole tags.
//! A file is deleted once it is acknowledged, and the folder once the push's end is.

mod chunk;
mod record;
mod recover;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use tokio::sync::Notify;

pub(crate) use chunk::{Chunk, OpenChunk};
pub(crate) use record::Record;
pub(crate) use recover::{Recovered, recover};

/// The alarm about a full spool sounds at most this often.
const ALARM_EVERY: Duration = Duration::from_secs(10);

/// The spool folder and how full it is.
#[derive(Debug)]
pub(crate) struct Spool {
    root: PathBuf,
    limit_bytes: u64,
    used_bytes: AtomicU64,
    /// Wakes those who wait for room.
    freed: Notify,
    alarmed: Mutex<Option<Instant>>,
    _lock: File,
}

impl Spool {
    pub(crate) fn open(root: &Path, limit_bytes: u64) -> anyhow::Result<Arc<Self>> {
        for folder in ["pushes", "refused"] {
            let folder = root.join(folder);
            fs::create_dir_all(&folder).with_context(|| format!("while creating {}", folder.display()))?;
        }
        let lock = File::create(root.join("lock")).context("while creating the spool's lock")?;
        if let Err(error) = lock.try_lock() {
            bail!("spool {} is in use by another gateway: {error}", root.display());
        }
        Ok(Arc::new(Self {
            root: root.to_owned(),
            limit_bytes,
            used_bytes: AtomicU64::new(0),
            freed: Notify::new(),
            alarmed: Mutex::new(None),
            _lock: lock,
        }))
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

    pub(crate) fn pushes(&self) -> PathBuf {
        self.root.join("pushes")
    }

    /// Where a refused chunk of a push goes.
    pub(crate) fn refused(&self, push: &str, index: u64) -> PathBuf {
        self.root.join("refused").join(format!("{push}-{index:010}.flv"))
    }

    pub(crate) fn is_full(&self) -> bool {
        self.used_bytes.load(Ordering::Relaxed) >= self.limit_bytes
    }

    /// Waits until chunks have been acknowledged; at once if there is room. Sounds the alarm.
    pub(crate) async fn room(&self) {
        loop {
            let freed = self.freed.notified();
            if !self.is_full() {
                return;
            }
            self.alarm();
            freed.await;
        }
    }

    fn alarm(&self) {
        let mut alarmed = self.alarmed.lock().unwrap_or_else(PoisonError::into_inner);
        if alarmed.is_none_or(|last| last.elapsed() > ALARM_EVERY) {
            *alarmed = Some(Instant::now());
            let (used, limit) = (self.used_bytes.load(Ordering::Relaxed), self.limit_bytes);
            tracing::error!(
                "spool is full: {used} of {limit} bytes wait for the functions, publishers are held back"
            );
        }
    }
}

/// A file's part of the spool; given back when dropped.
#[derive(Debug)]
pub(crate) struct Charge {
    spool: Arc<Spool>,
    bytes: u64,
}

impl Charge {
    pub(crate) fn new(spool: &Arc<Spool>) -> Self {
        Self { spool: Arc::clone(spool), bytes: 0 }
    }

    pub(crate) fn add(&mut self, bytes: u64) {
        self.bytes += bytes;
        self.spool.used_bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.spool.used_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.spool.freed.notify_waiters();
    }
}
