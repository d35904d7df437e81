//! What is in the spool, and what each stream has of it.

use std::{
    collections::HashMap,
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use protocol::StreamPath;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::alarm::{Alarm, Warning};
use crate::clock::LogLimit;

/// Where media has to be given up, this part of the limit or of the share is made free: giving up goes in steps.
const STEP_PART: u64 = 32;

/// Where less than this part of the limit is free, not everybody may begin to use some.
const SHORT_PART: u64 = 8;

/// How far beyond its limit the spool may be while a stream that has more than its share still gets rid of some: this
/// part of it, and what publishers send before they are held back.
const BEYOND_PART: u64 = 8;
const BEYOND_BYTES: u64 = 8 << 20;

/// Functions that have taken media of some stream within this time take that of one more, whatever others fill the spool
/// with: what cannot be delivered is given up beyond its stream's share.
const TAKES: Duration = Duration::from_secs(5);

/// How much may wait in memory alone: ten seconds of fifty pushes of 4 Mb/s. No more than 100 ms of each push does where
/// the disk takes all.
const MEMORY_BYTES: u64 = 256 << 20;

/// What is in the spool.
#[derive(Debug)]
pub(super) struct Contents {
    limit_bytes: u64,
    /// What it held when it was opened.
    found_bytes: u64,
    used_bytes: AtomicU64,
    /// How much of that is on disk.
    disk_bytes: AtomicU64,
    /// Whether the disk refused what was last to be written.
    is_refused: AtomicBool,
    refused_log: Mutex<LogLimit>,
    /// How many streams use any of it.
    streams: AtomicU64,
    /// When the functions last took media of any stream.
    taken: Mutex<Option<Instant>>,
    /// Wakes those who wait for room.
    freed: Notify,
    /// Wakes who makes room: somebody waits for it.
    wanted: Notify,
    /// How often it is said that it is full.
    full_log: Mutex<LogLimit>,
    alarm: Mutex<Alarm>,
    accounts: Mutex<HashMap<StreamPath, Weak<Account>>>,
    /// Files that would not survive a loss of power, and since when they are whole.
    unsynced: Mutex<Vec<(Instant, PathBuf)>>,
}

/// How full the spool is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fill {
    pub(crate) used_bytes: u64,
    pub(crate) limit_bytes: u64,
    /// Streams that have something in it.
    pub(crate) streams: u64,
    /// Chunks that the functions refused for good, and their bytes.
    pub(crate) refused_chunks: usize,
    pub(crate) refused_bytes: u64,
    /// Whether the disk refused what was last to be written.
    pub(crate) is_disk_refusing: bool,
    /// Whether a stream that has nothing in it may be published.
    pub(crate) admits_another: bool,
}

/// What a stream has in the spool.
#[derive(Debug)]
pub(crate) struct Account {
    contents: Arc<Contents>,
    stream: StreamPath,
    used_bytes: AtomicU64,
    alarm: Mutex<Alarm>,
}

/// What a file has of the spool; given back when dropped.
#[derive(Debug)]
pub(super) struct Charge {
    account: Arc<Account>,
    bytes: u64,
    /// How much of it is on disk.
    disk_bytes: u64,
}

impl Fill {
    /// Whether it has reached its limit.
    pub(crate) fn is_full(&self) -> bool {
        self.used_bytes >= self.limit_bytes
    }
}

impl Contents {
    /// For a spool that holds at most so many bytes, and held so many when it was opened.
    pub(super) fn new(limit_bytes: u64, found_bytes: u64) -> Self {
        Self {
            limit_bytes,
            found_bytes,
            used_bytes: AtomicU64::new(0),
            disk_bytes: AtomicU64::new(0),
            is_refused: AtomicBool::new(false),
            refused_log: Mutex::default(),
            streams: AtomicU64::new(0),
            taken: Mutex::default(),
            freed: Notify::new(),
            wanted: Notify::new(),
            full_log: Mutex::default(),
            alarm: Mutex::default(),
            accounts: Mutex::default(),
            unsynced: Mutex::default(),
        }
    }

    pub(super) fn account(self: &Arc<Self>, stream: &StreamPath) -> Arc<Account> {
        let mut accounts = self.accounts();
        if let Some(account) = accounts.get(stream).and_then(Weak::upgrade) {
            return account;
        }
        let account = Arc::new(Account {
            contents: Arc::clone(self),
            stream: stream.clone(),
            used_bytes: AtomicU64::new(0),
            alarm: Mutex::default(),
        });
        accounts.insert(stream.clone(), Arc::downgrade(&account));
        account
    }

    fn used(&self) -> u64 {
        self.used_bytes.load(Ordering::Relaxed)
    }

    /// How much it may hold: what the setting says, or while the disk refuses more, what is there and some memory. Where
    /// that much waits in memory, it does not matter whether the last write was one of those that the disk refuses.
    fn limit(&self) -> u64 {
        let with_memory = self.disk_bytes.load(Ordering::Relaxed) + MEMORY_BYTES;
        if self.is_disk_refusing() || self.used() >= with_memory {
            with_memory.min(self.limit_bytes)
        } else {
            self.limit_bytes
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.used() >= self.limit()
    }

    /// Whether the disk refused what was last to be written.
    pub(super) fn is_disk_refusing(&self) -> bool {
        self.is_refused.load(Ordering::Relaxed)
    }

    /// How full it is, but for what was refused.
    pub(super) fn fill(&self) -> Fill {
        Fill {
            used_bytes: self.used(),
            limit_bytes: self.limit(),
            streams: self.streams.load(Ordering::Relaxed),
            is_disk_refusing: self.is_disk_refusing(),
            admits_another: self.admits_another(),
            ..Fill::default()
        }
    }

    /// The disk took what was to be written, or refused it.
    pub(super) fn note_disk(&self, written: &io::Result<()>) {
        let was_refused = self.is_refused.swap(written.is_err(), Ordering::Relaxed);
        match written {
            Err(error) if self.refused_log.lock().unwrap_or_else(PoisonError::into_inner).permits() => {
                tracing::error!(
                    "the spool's disk refuses media, which stays in memory, at most {MEMORY_BYTES} bytes: {error}"
                );
            }
            Ok(()) if was_refused => tracing::warn!("the spool's disk takes media again"),
            Err(_) | Ok(()) => {}
        }
    }

    /// Whether a stream may be published: it has a place already, or one more finds room.
    pub(super) fn admits(&self, stream: &StreamPath) -> bool {
        self.admits_another()
            || self
                .open_accounts()
                .iter()
                .any(|account| account.used_bytes() > 0 && account.stream == *stream)
    }

    /// Whether one more stream finds room: there is some, the functions take media of another one, or others have so much
    /// more than their share.
    fn admits_another(&self) -> bool {
        // Where media is given up all the time, it is never full for long.
        let limit = self.limit();
        if self.used() < limit - limit / SHORT_PART || self.is_taken() {
            return true;
        }
        let share = limit / (self.streams.load(Ordering::Relaxed) + 1);
        let above_share = |account: &Arc<Account>| account.used_bytes().saturating_sub(share + share / 4);
        self.open_accounts().iter().map(above_share).sum::<u64>() >= share / 4
    }

    /// Whether the functions take media.
    fn is_taken(&self) -> bool {
        let taken = *self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.is_some_and(|at| at.elapsed() < TAKES)
    }

    /// The fair share of each stream that uses any, in bytes.
    fn share_bytes(&self) -> u64 {
        self.limit() / self.streams.load(Ordering::Relaxed).max(1)
    }

    pub(super) async fn freed(&self) {
        let freed = self.freed.notified();
        self.say_that_it_is_full();
        self.wanted.notify_one();
        freed.await;
    }

    /// Completes when somebody waits for room.
    pub(super) async fn wanted(&self) {
        self.wanted.notified().await;
    }

    fn say_that_it_is_full(&self) {
        if self.full_log.lock().unwrap_or_else(PoisonError::into_inner).permits() {
            let (used, limit) = (self.used(), self.limit());
            tracing::error!(
                "spool is full: {used} of {limit} bytes wait for the functions, publishers whose share is full are \
                 held back"
            );
        }
    }

    /// What is to be said of how full it is, and which streams fill it.
    pub(super) fn warnings(&self) -> Vec<Warning> {
        let (used, limit, share) = (self.used(), self.limit(), self.share_bytes());
        let mut warnings = Vec::new();
        let is_nearly_full = {
            let mut alarm = self.alarm.lock().unwrap_or_else(PoisonError::into_inner);
            let said = alarm.look(used, limit);
            warnings.extend(said.map(|is_healed| Warning {
                stream: None,
                is_healed,
                used_bytes: used,
                limit_bytes: limit,
            }));
            alarm.is_raised()
        };
        for account in self.open_accounts() {
            let used_bytes = account.used_bytes();
            // A stream may have more than its share while there is room for others.
            let counted = if is_nearly_full { used_bytes } else { 0 };
            let said = account.alarm.lock().unwrap_or_else(PoisonError::into_inner).look(counted, share);
            let stream = Some(account.stream.clone());
            warnings.extend(said.map(|is_healed| Warning {
                stream,
                is_healed,
                used_bytes,
                limit_bytes: share,
            }));
        }
        warnings
    }

    /// The accounts that are open. They are not looked at under the lock, which an account takes when it closes.
    fn open_accounts(&self) -> Vec<Arc<Account>> {
        self.accounts().values().filter_map(Weak::upgrade).collect()
    }

    #[cfg(test)]
    pub(super) fn used_bytes(&self) -> u64 {
        self.used()
    }

    /// The files that were whole before `than` and have not been taken yet.
    pub(super) fn take_unsynced(&self, than: Instant) -> Vec<PathBuf> {
        let mut unsynced = self.unsynced.lock().unwrap_or_else(PoisonError::into_inner);
        let count = unsynced.partition_point(|(since, _)| *since < than);
        unsynced.drain(..count).map(|(_, path)| path).collect()
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<StreamPath, Weak<Account>>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    /// What the stream has in the spool.
    pub(crate) fn used_bytes(&self) -> u64 {
        self.used_bytes.load(Ordering::Relaxed)
    }

    /// The functions took media of the stream.
    pub(crate) fn note_taken(&self) {
        *self.contents.taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether the spool is full, and the stream has its fair share of it.
    pub(crate) fn is_full(&self) -> bool {
        self.contents.is_full() && self.used_bytes() >= self.contents.share_bytes()
    }

    /// Whether the spool is so far beyond its limit that a stream above its share cannot be left to get rid of some.
    pub(crate) fn is_beyond(&self) -> bool {
        let limit_bytes = self.contents.limit();
        // A limit that is set lower gives nothing up that can be delivered.
        let found_bytes = self.contents.found_bytes;
        let most_bytes =
            limit_bytes.max(found_bytes).saturating_add(limit_bytes / BEYOND_PART + BEYOND_BYTES);
        self.is_full() && self.contents.used() >= most_bytes
    }

    /// Whether enough of the spool or of the stream's share is free after some was given up.
    pub(crate) fn has_room(&self) -> bool {
        let is_below = |used: u64, limit: u64| used <= limit - limit / STEP_PART;
        is_below(self.contents.used(), self.contents.limit())
            || is_below(self.used_bytes(), self.contents.share_bytes())
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let mut accounts = self.contents.accounts();
        // Another one may have been opened since the last reference to this one went.
        if accounts.get(&self.stream).is_some_and(|account| account.strong_count() == 0) {
            accounts.remove(&self.stream);
        }
    }
}

impl Charge {
    pub(super) fn new(account: &Arc<Account>) -> Self {
        Self { account: Arc::clone(account), bytes: 0, disk_bytes: 0 }
    }

    pub(super) fn account(&self) -> &Arc<Account> {
        &self.account
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn add(&mut self, bytes: u64) {
        let Account { contents, used_bytes, .. } = &*self.account;
        self.bytes += bytes;
        let is_first = bytes > 0 && used_bytes.fetch_add(bytes, Ordering::Relaxed) == 0;
        contents.used_bytes.fetch_add(bytes, Ordering::Relaxed);
        contents.streams.fetch_add(u64::from(is_first), Ordering::Relaxed);
    }

    pub(super) fn remove(&mut self, bytes: u64) {
        let Account { contents, used_bytes, .. } = &*self.account;
        self.bytes -= bytes;
        let is_last = bytes > 0 && used_bytes.fetch_sub(bytes, Ordering::Relaxed) == bytes;
        contents.used_bytes.fetch_sub(bytes, Ordering::Relaxed);
        contents.streams.fetch_sub(u64::from(is_last), Ordering::Relaxed);
        contents.freed.notify_waiters();
    }

    /// So much of it is on disk now.
    pub(super) fn on_disk(&mut self, bytes: u64) {
        let Contents { disk_bytes, freed, .. } = &*self.account.contents;
        disk_bytes.fetch_add(bytes, Ordering::Relaxed);
        let before = std::mem::replace(&mut self.disk_bytes, bytes);
        disk_bytes.fetch_sub(before, Ordering::Relaxed);
        if bytes > before {
            // It has left memory, if that was what there was too much of.
            freed.notify_waiters();
        }
    }

    /// It was to be brought to the disk, which has so much of it now.
    pub(super) fn written(&mut self, disk_bytes: u64, written: &io::Result<()>) {
        if written.is_err() || disk_bytes != self.disk_bytes {
            self.account.contents.note_disk(written);
        }
        self.on_disk(disk_bytes);
    }

    /// A file is whole and is to survive a loss of power, unless it is deleted soon.
    pub(super) fn sync_later(&self, path: PathBuf) {
        let unsynced = &self.account.contents.unsynced;
        unsynced.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), path));
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.on_disk(0);
        self.remove(self.bytes);
    }
}

#[cfg(test)]
mod tests;
