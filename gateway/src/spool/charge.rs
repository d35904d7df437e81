//! What is in the spool, and what each stream has of it.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use protocol::StreamPath;
use tokio::sync::Notify;

use crate::clock::LogLimit;

/// What is in the spool.
#[derive(Debug)]
pub(super) struct Contents {
    limit_bytes: u64,
    used_bytes: AtomicU64,
    /// How many streams use any of it.
    streams: AtomicU64,
    /// Wakes those who wait for room.
    freed: Notify,
    alarm: Mutex<LogLimit>,
    accounts: Mutex<HashMap<StreamPath, Weak<Account>>>,
    /// Files that would not survive a loss of power, and since when they are whole.
    unsynced: Mutex<Vec<(Instant, PathBuf)>>,
}

/// What a stream has in the spool.
#[derive(Debug)]
pub(crate) struct Account {
    contents: Arc<Contents>,
    stream: StreamPath,
    used_bytes: AtomicU64,
}

/// What a file has of the spool; given back when dropped.
#[derive(Debug)]
pub(super) struct Charge {
    account: Arc<Account>,
    bytes: u64,
}

impl Contents {
    pub(super) fn new(limit_bytes: u64) -> Self {
        Self {
            limit_bytes,
            used_bytes: AtomicU64::new(0),
            streams: AtomicU64::new(0),
            freed: Notify::new(),
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
        });
        accounts.insert(stream.clone(), Arc::downgrade(&account));
        account
    }

    pub(super) fn is_full(&self) -> bool {
        self.used_bytes.load(Ordering::Relaxed) >= self.limit_bytes
    }

    /// The fair share of each stream that uses any, in bytes.
    fn share_bytes(&self) -> u64 {
        self.limit_bytes / self.streams.load(Ordering::Relaxed).max(1)
    }

    pub(super) async fn freed(&self) {
        let freed = self.freed.notified();
        self.sound_alarm();
        freed.await;
    }

    fn sound_alarm(&self) {
        if self.alarm.lock().unwrap_or_else(PoisonError::into_inner).permits() {
            let (used, limit) = (self.used_bytes.load(Ordering::Relaxed), self.limit_bytes);
            tracing::error!(
                "spool is full: {used} of {limit} bytes wait for the functions, publishers whose share is full are \
                 held back"
            );
        }
    }

    #[cfg(test)]
    pub(super) fn used_bytes(&self) -> u64 {
        self.used_bytes.load(Ordering::Relaxed)
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
    /// Whether the spool is full, and the stream has its fair share of it.
    pub(crate) fn is_full(&self) -> bool {
        self.contents.is_full() && self.used_bytes.load(Ordering::Relaxed) >= self.contents.share_bytes()
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
        Self { account: Arc::clone(account), bytes: 0 }
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

    /// A file is whole and is to survive a loss of power, unless it is deleted soon.
    pub(super) fn sync_later(&self, path: PathBuf) {
        let unsynced = &self.account.contents.unsynced;
        unsynced.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), path));
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.remove(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_spool_is_full_for_those_who_have_their_share() {
        let contents = Arc::new(Contents::new(1_000));
        let charge = |name: &str, bytes| {
            let account = contents.account(&StreamPath::new("d", "a", name).unwrap());
            let mut charge = Charge::new(&account);
            charge.add(bytes);
            (account, charge)
        };
        let (many, mut most) = charge("many", 900);
        assert!(!many.is_full(), "there is room for all");
        let (few, _some) = charge("few", 200);
        assert!(contents.is_full() && many.is_full() && !few.is_full());
        let (same, _more) = charge("few", 300);
        assert!(Arc::ptr_eq(&same, &few) && few.is_full(), "half of it each");
        most.remove(500);
        assert!(!many.is_full() && !few.is_full());
        drop((most, many));
        assert_eq!(contents.share_bytes(), 1_000);
        assert_eq!(contents.accounts().len(), 1);
    }
}
