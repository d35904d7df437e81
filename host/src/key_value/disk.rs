//! A crash-safe store in one file.
//!
//! One thread writes: it takes what is waiting, applies it in one transaction, syncs it once and answers
//! all. So concurrent writers share a sync, and an increment is atomic because nobody else writes.
//! Readers see the last committed state and wait for nobody.
//!
//! A database of redb that met an I/O error, such as a full disk, answers nothing but errors until it is opened again.
//! The writer does so, and until a write has succeeded the store says that it is not fit. Where nobody writes, the writer
//! tries by itself: a store that is said to be unfit may be given no writes. Meanwhile reads fail, and wait for nothing.

use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, ensure};
use async_trait::async_trait;
use redb::{Database, ReadOnlyTable, ReadableDatabase, ReadableTable, Table, TableDefinition};
use tokio::sync::oneshot;

use super::{KeyValue, KeyValueError, Result, add_to_counter};

const VALUES: TableDefinition<&str, &[u8]> = TableDefinition::new("values");

/// Holds something only while the writer tries whether the disk takes it.
const PROBE: TableDefinition<(), &[u8]> = TableDefinition::new("probe");

/// What the disk has to take: more than the pages that a write of a few bytes would find free in the file.
const PROBE_BYTES: usize = 64 << 10;

/// How many waiting writes one transaction takes at most: bounds what the last of them waits for.
const BATCH: usize = 1024;

/// Memory for pages that were read, in bytes.
const CACHE_BYTES: usize = 64 << 20;

/// A smaller file is not worth looking through when it is opened.
const COMPACT_FROM_BYTES: u64 = 32 << 20;

/// How a database of SQLite begins.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// The least time between two tries to open a database again that failed: each may go through all of it.
const REOPEN_AFTER: Duration = Duration::from_secs(1);

/// The longest time between two tries while nobody writes; each waits twice as long as the one before.
const LONGEST_PAUSE: Duration = Duration::from_secs(16);

/// A store in a file.
pub struct DiskStore {
    shared: Arc<Shared>,
    /// `None` only while dropping.
    writes: Option<mpsc::Sender<Write>>,
    writer: Option<JoinHandle<()>>,
}

/// What the writer and readers share.
struct Shared {
    /// Opens the database again.
    open: Box<dyn Fn() -> Result<Database, redb::DatabaseError> + Send + Sync>,
    /// `None` while it is opened again, or cannot be. The writer alone changes that, and holds the lock for no I/O.
    database: RwLock<Option<Database>>,
    /// Why writes fail, until one has succeeded.
    failure: Mutex<Option<String>>,
}

struct Write {
    key: String,
    operation: Operation,
    done: oneshot::Sender<Result<i64>>,
}

enum Operation {
    Set(Vec<u8>),
    Delete,
    Increment(i64),
}

impl DiskStore {
    /// Opens the store in the file `store.redb` of `directory`; both are created if they are absent.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made, or the file cannot be opened, is damaged, or is open elsewhere.
    pub fn open(directory: &Path) -> anyhow::Result<Self> {
        Self::open_file(&directory.join("store.redb"))
    }

    /// Opens the store in the file `path`, which is created if it is absent, and so is its folder. A file of which less
    /// than half is used is made smaller first.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made, or the file cannot be opened, is damaged, is open elsewhere, or is a database
    /// that Spin made.
    pub fn open_file(path: &Path) -> anyhow::Result<Self> {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)
                .with_context(|| format!("while making the folder {}", directory.display()))?;
        }
        ensure!(
            !begins_with(path, SQLITE),
            "{} is a database of SQLite, as Spin makes them; this host keeps its store in a file of another kind: \
             give a path where there is none",
            path.display()
        );
        let opening = || format!("while opening the key-value store {}", path.display());
        let create = || Database::builder().set_cache_size(CACHE_BYTES).create(path).with_context(opening);
        let mut database = create()?;
        if let Err(error) = compact(&mut database, path) {
            tracing::warn!(%error, "the key-value store {} is not made smaller", path.display());
            // One that has failed answers nothing but errors.
            drop(database);
            database = create()?;
        }
        // A file that is gone is not made anew: it would be another store.
        let path = path.to_owned();
        let reopen = move || Database::builder().set_cache_size(CACHE_BYTES).open(&path);
        Self::start(database, Box::new(reopen)).with_context(opening)
    }

    fn start(
        database: Database,
        open: Box<dyn Fn() -> Result<Database, redb::DatabaseError> + Send + Sync>,
    ) -> anyhow::Result<Self> {
        let transaction = database.begin_write()?;
        transaction.open_table(VALUES)?;
        transaction.commit()?;

        let shared =
            Arc::new(Shared { open, database: RwLock::new(Some(database)), failure: Mutex::default() });
        let (writes, waiting) = mpsc::channel();
        let writer = std::thread::Builder::new().name("key-value writer".into()).spawn({
            let shared = shared.clone();
            move || write_until_closed(&shared, &waiting)
        })?;
        Ok(Self { shared, writes: Some(writes), writer: Some(writer) })
    }

    async fn write(&self, key: String, operation: Operation) -> Result<i64> {
        let (done, outcome) = oneshot::channel();
        let gone = || KeyValueError::Store("its writer has ended".into());
        let writes = self.writes.as_ref().expect("the sender should be there until drop");
        writes.send(Write { key, operation, done }).map_err(|_| gone())?;
        outcome.await.map_err(|_| gone())?
    }
}

impl Drop for DiskStore {
    fn drop(&mut self) {
        // The writer ends once nobody can send to it; what is waiting is written first.
        drop(self.writes.take());
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the key-value writer panicked");
        }
    }
}

/// Gives the disk back what a store has had and does not need any more. While the store is open, only room at the end of
/// the file is given back.
fn compact(database: &mut Database, path: &Path) -> Result<(), redb::Error> {
    let size = || std::fs::metadata(path).map_or(0, |file| file.len());
    let before = size();
    if before < COMPACT_FROM_BYTES {
        return Ok(());
    }
    let transaction = database.begin_write()?;
    let stats = transaction.stats()?;
    transaction.abort()?;
    let used = stats.allocated_pages() * stats.page_size() as u64;
    if used < before / 2 {
        tracing::info!("the key-value store {} has {before} bytes and is made smaller", path.display());
        database.compact()?;
        tracing::info!("the key-value store {} has {} bytes", path.display(), size());
    }
    Ok(())
}

/// Whether `path` is a file that begins so.
fn begins_with(path: &Path, bytes: &[u8]) -> bool {
    let mut begin = vec![0; bytes.len()];
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut begin)).is_ok_and(|()| begin == bytes)
}

impl Shared {
    /// Reads from the database, unless it is closed.
    fn read<T>(
        &self,
        read: impl FnOnce(ReadOnlyTable<&'static str, &'static [u8]>) -> Result<T, redb::Error>,
    ) -> Result<T> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let Some(database) = &*database else { return Err(closed()) };
        // The database stays locked: while somebody reads it, it cannot be opened again.
        read(values(database)?).map_err(failed)
    }

    /// What the database holds now, whatever is written while it is read.
    fn snapshot(&self) -> Result<ReadOnlyTable<&'static str, &'static [u8]>> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let Some(database) = &*database else { return Err(closed()) };
        values(database)
    }

    /// Applies a batch in one transaction; the outer error is of all of it, an inner one of a write alone.
    fn commit(&self, batch: &[Write]) -> Result<Vec<Result<i64>>> {
        let outcome = match &*self.database.read().unwrap_or_else(PoisonError::into_inner) {
            Some(database) => commit(database, batch).map_err(failed),
            None => Err(closed()),
        };
        self.note(&outcome);
        outcome
    }

    /// Notes whether the disk takes writes.
    fn note<T>(&self, outcome: &Result<T>) {
        let failure = outcome.as_ref().err().map(ToString::to_string);
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    fn has_failed(&self) -> bool {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Opens the database again, after it has failed.
    fn reopen(&self) {
        // It is locked until it is closed.
        drop(self.replace(None));
        match (self.open)() {
            Ok(opened) => {
                self.replace(Some(opened));
                tracing::warn!("the key-value store was opened again");
            }
            Err(error) => tracing::error!(%error, "the key-value store cannot be opened again"),
        }
    }

    fn replace(&self, database: Option<Database>) -> Option<Database> {
        std::mem::replace(&mut *self.database.write().unwrap_or_else(PoisonError::into_inner), database)
    }

    /// Opens the database again, and tries whether the disk takes writes.
    fn heal(&self) {
        self.reopen();
        let outcome = match &*self.database.read().unwrap_or_else(PoisonError::into_inner) {
            Some(database) => probe(database).map_err(failed),
            None => Err(closed()),
        };
        self.note(&outcome);
    }
}

fn values(database: &Database) -> Result<ReadOnlyTable<&'static str, &'static [u8]>> {
    database.begin_read().map_err(failed)?.open_table(VALUES).map_err(failed)
}

fn closed() -> KeyValueError {
    KeyValueError::Store("it has failed, and is not open again yet".into())
}

fn write_until_closed(shared: &Shared, waiting: &mpsc::Receiver<Write>) {
    let mut batch = Vec::new();
    let mut reopened: Option<Instant> = None;
    let mut pause = REOPEN_AFTER;
    loop {
        let first = if shared.has_failed() {
            waiting.recv_timeout(pause)
        } else {
            pause = REOPEN_AFTER;
            waiting.recv().map_err(Into::into)
        };
        let first = match first {
            Ok(first) => first,
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                shared.heal();
                reopened = Some(Instant::now());
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
        };
        batch.push(first);
        batch.extend(waiting.try_iter().take(BATCH - 1));
        match shared.commit(&batch) {
            Ok(outcomes) => {
                for (write, outcome) in batch.drain(..).zip(outcomes) {
                    // A caller that has gone away does not want to know.
                    _ = write.done.send(outcome);
                }
            }
            Err(error) => {
                tracing::error!(%error, writes = batch.len(), "a key-value transaction failed");
                for write in batch.drain(..) {
                    _ = write.done.send(Err(KeyValueError::Store(error.to_string())));
                }
                if reopened.is_none_or(|at| at.elapsed() >= REOPEN_AFTER) {
                    shared.reopen();
                    reopened = Some(Instant::now());
                }
            }
        }
    }
}

fn commit(database: &Database, batch: &[Write]) -> Result<Vec<Result<i64>>, redb::Error> {
    let transaction = database.begin_write()?;
    let mut outcomes = Vec::with_capacity(batch.len());
    {
        let mut values = transaction.open_table(VALUES)?;
        for write in batch {
            outcomes.push(apply(&mut values, write)?);
        }
    }
    transaction.commit()?;
    Ok(outcomes)
}

/// Writes values into a new file. On the disk it has another name until it is whole.
fn copy(values: &ReadOnlyTable<&'static str, &'static [u8]>, file: &Path) -> anyhow::Result<()> {
    ensure!(!file.try_exists()?, "{} is there already", file.display());
    let part = file.with_extension("part");
    let database = Database::builder().set_cache_size(CACHE_BYTES).create(&part)?;
    let transaction = database.begin_write()?;
    {
        let mut copies = transaction.open_table(VALUES)?;
        for entry in values.iter()? {
            let (key, value) = entry?;
            copies.insert(key.value(), value.value())?;
        }
    }
    transaction.commit()?;
    // It is closed before it is somebody else's.
    drop(database);
    std::fs::rename(&part, file)?;
    Ok(())
}

/// Writes something and removes it.
fn probe(database: &Database) -> Result<(), redb::Error> {
    let probe = vec![0; PROBE_BYTES];
    for value in [Some(probe.as_slice()), None] {
        let transaction = database.begin_write()?;
        {
            let mut table = transaction.open_table(PROBE)?;
            match value {
                Some(value) => drop(table.insert((), value)?),
                None => drop(table.remove(())?),
            }
        }
        transaction.commit()?;
    }
    Ok(())
}

fn apply(values: &mut Table<'_, &str, &[u8]>, write: &Write) -> Result<Result<i64>, redb::Error> {
    let key = write.key.as_str();
    match &write.operation {
        Operation::Set(value) => {
            values.insert(key, value.as_slice())?;
        }
        Operation::Delete => {
            values.remove(key)?;
        }
        Operation::Increment(delta) => {
            let sum = {
                let value = values.get(key)?;
                add_to_counter(key, value.as_ref().map(|value| value.value()), *delta)
            };
            match sum {
                Ok(sum) => {
                    values.insert(key, sum.to_le_bytes().as_slice())?;
                    return Ok(Ok(sum));
                }
                Err(error) => return Ok(Err(error)),
            }
        }
    }
    Ok(Ok(0))
}

fn failed(error: impl Into<redb::Error>) -> KeyValueError {
    KeyValueError::Store(error.into().to_string())
}

#[async_trait]
impl KeyValue for DiskStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.shared.read(|values| Ok(values.get(key)?.map(|value| value.value().to_vec())))
    }

    async fn set(&self, key: String, value: Vec<u8>) -> Result<()> {
        self.write(key, Operation::Set(value)).await.map(drop)
    }

    async fn delete(&self, key: String) -> Result<()> {
        self.write(key, Operation::Delete).await.map(drop)
    }

    async fn exists(&self, key: &str) -> Result<bool> {
        self.shared.read(|values| Ok(values.get(key)?.is_some()))
    }

    async fn increment(&self, key: String, delta: i64) -> Result<i64> {
        if delta == 0 {
            // Adding nothing is how a counter is read, and a reader waits for nobody.
            let value = self.get(&key).await?;
            return add_to_counter(&key, value.as_deref(), 0);
        }
        self.write(key, Operation::Increment(delta)).await
    }

    async fn keys(&self) -> Result<Vec<String>> {
        self.shared.read(|values| {
            let mut keys = Vec::new();
            for entry in values.iter()? {
                keys.push(entry?.0.value().to_owned());
            }
            Ok(keys)
        })
    }

    fn health(&self) -> Result<()> {
        match &*self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(failure) => Err(KeyValueError::Store(failure.clone())),
            None => Ok(()),
        }
    }

    fn copy_to(&self, file: &Path) -> Result<SystemTime> {
        let snapshot = self.shared.snapshot()?;
        let taken = SystemTime::now();
        copy(&snapshot, file).map_err(|error| KeyValueError::Store(format!("{error:#}")))?;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests;
