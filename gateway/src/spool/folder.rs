//! The spool folder, and how full it is.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use anyhow::{Context, bail};
use tokio::sync::Notify;

use crate::clock::LogLimit;

/// The spool folder and how full it is.
#[derive(Debug)]
pub(crate) struct Spool {
    root: PathBuf,
    limit_bytes: u64,
    used_bytes: AtomicU64,
    /// Wakes those who wait for room.
    freed: Notify,
    alarm: Mutex<LogLimit>,
    /// Files that would not survive a loss of power, and since when they are whole.
    unsynced: Mutex<Vec<(Instant, PathBuf)>>,
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
            alarm: Mutex::default(),
            unsynced: Mutex::default(),
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
            self.sound_alarm();
            freed.await;
        }
    }

    fn sound_alarm(&self) {
        if self.alarm.lock().unwrap_or_else(PoisonError::into_inner).permits() {
            let (used, limit) = (self.used_bytes.load(Ordering::Relaxed), self.limit_bytes);
            tracing::error!(
                "spool is full: {used} of {limit} bytes wait for the functions, publishers are held back"
            );
        }
    }

    #[cfg(test)]
    pub(super) fn used_bytes(&self) -> u64 {
        self.used_bytes.load(Ordering::Relaxed)
    }

    pub(super) fn use_bytes(&self, bytes: u64) {
        self.used_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn free_bytes(&self, bytes: u64) {
        self.used_bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.freed.notify_waiters();
    }

    /// A file is whole and is to survive a loss of power, unless it is deleted soon.
    pub(super) fn sync_later(&self, path: PathBuf) {
        self.unsynced.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), path));
    }

    /// The files that were whole before `than` and have not been taken yet.
    pub(super) fn take_unsynced(&self, than: Instant) -> Vec<PathBuf> {
        let mut unsynced = self.unsynced.lock().unwrap_or_else(PoisonError::into_inner);
        let count = unsynced.partition_point(|(since, _)| *since < than);
        unsynced.drain(..count).map(|(_, path)| path).collect()
    }
}
