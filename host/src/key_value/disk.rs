//! A crash-safe store in one file.
//!
//! One thread writes: it takes what is waiting, applies it in one transaction, syncs it once and answers
//! all. So concurrent writers share a sync, and an increment is atomic because nobody else writes.
//! Readers see the last committed state and wait for nobody.

use std::io::Read;
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;

use anyhow::{Context, ensure};
use async_trait::async_trait;
use redb::{Database, ReadableDatabase, ReadableTable, Table, TableDefinition};
use tokio::sync::oneshot;

use super::{KeyValue, KeyValueError, Result, add_to_counter};

const VALUES: TableDefinition<&str, &[u8]> = TableDefinition::new("values");

/// How many waiting writes one transaction takes at most: bounds what the last of them waits for.
const BATCH: usize = 1024;

/// Memory for pages that were read, in bytes.
const CACHE_BYTES: usize = 64 << 20;

/// How a database of SQLite begins.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// A store in a file.
pub struct DiskStore {
    database: std::sync::Arc<Database>,
    /// `None` only while dropping.
    writes: Option<mpsc::Sender<Write>>,
    writer: Option<JoinHandle<()>>,
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

    /// Opens the store in the file `path`, which is created if it is absent, and so is its folder.
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
        let database = Database::builder().set_cache_size(CACHE_BYTES).create(path).with_context(opening)?;
        let transaction = database.begin_write().with_context(opening)?;
        transaction.open_table(VALUES).with_context(opening)?;
        transaction.commit().with_context(opening)?;

        let database = std::sync::Arc::new(database);
        let (writes, waiting) = mpsc::channel();
        let writer = std::thread::Builder::new().name("key-value writer".into()).spawn({
            let database = database.clone();
            move || write_until_closed(&database, &waiting)
        })?;
        Ok(Self { database, writes: Some(writes), writer: Some(writer) })
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

/// Whether `path` is a file that begins so.
fn begins_with(path: &Path, bytes: &[u8]) -> bool {
    let mut begin = vec![0; bytes.len()];
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut begin)).is_ok_and(|()| begin == bytes)
}

fn write_until_closed(database: &Database, waiting: &mpsc::Receiver<Write>) {
    let mut batch = Vec::new();
    while let Ok(first) = waiting.recv() {
        batch.push(first);
        batch.extend(waiting.try_iter().take(BATCH - 1));
        match commit(database, &batch) {
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
            }
        }
    }
}

/// Applies `batch` in one transaction; the outer error is of all of it, an inner one of a write alone.
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
        let transaction = self.database.begin_read().map_err(failed)?;
        let values = transaction.open_table(VALUES).map_err(failed)?;
        Ok(values.get(key).map_err(failed)?.map(|value| value.value().to_vec()))
    }

    async fn set(&self, key: String, value: Vec<u8>) -> Result<()> {
        self.write(key, Operation::Set(value)).await.map(drop)
    }

    async fn delete(&self, key: String) -> Result<()> {
        self.write(key, Operation::Delete).await.map(drop)
    }

    async fn exists(&self, key: &str) -> Result<bool> {
        let transaction = self.database.begin_read().map_err(failed)?;
        let values = transaction.open_table(VALUES).map_err(failed)?;
        Ok(values.get(key).map_err(failed)?.is_some())
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
        let transaction = self.database.begin_read().map_err(failed)?;
        let values = transaction.open_table(VALUES).map_err(failed)?;
        let mut keys = Vec::new();
        for entry in values.iter().map_err(failed)? {
            keys.push(entry.map_err(failed)?.0.value().to_owned());
        }
        Ok(keys)
    }
}
