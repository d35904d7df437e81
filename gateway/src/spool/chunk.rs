//! One chunk: while it is written, and while it waits.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use bytes::Bytes;

use super::{Charge, Spool, record::chunk_path};
use crate::block::{Block, Pool};

/// The chunk that a push is writing.
///
/// Bytes gather in a block; [`flush`](Self::flush) brings them to the file. Without a file the chunk is held
/// in memory alone, until it is wanted or forgotten.
#[derive(Debug)]
pub(crate) struct OpenChunk {
    time_ms: u64,
    bytes: u64,
    file: Option<OnDisk>,
    pool: Arc<Pool>,
    /// Full blocks, in order; empty once the chunk is not kept in memory.
    full: Vec<Bytes>,
    in_memory: bool,
    block: Block,
    /// Bytes of `block` that are in the file.
    flushed: usize,
}

#[derive(Debug)]
struct OnDisk {
    index: u64,
    path: PathBuf,
    file: File,
    charge: Charge,
}

impl OpenChunk {
    /// An empty chunk in memory. `time_ms`: when its first tag came, Unix milliseconds.
    pub(crate) fn new(pool: &Arc<Pool>, time_ms: u64) -> Self {
        Self {
            time_ms,
            bytes: 0,
            file: None,
            pool: Arc::clone(pool),
            full: Vec::new(),
            in_memory: true,
            block: pool.take(),
            flushed: 0,
        }
    }

    /// Gives it a file, with all that it holds.
    pub(crate) fn spool(&mut self, spool: &Arc<Spool>, folder: &Path, index: u64) -> io::Result<()> {
        let path = chunk_path(folder, index, self.time_ms);
        let file = File::create(&path)?;
        let mut on_disk = OnDisk { index, path, file, charge: Charge::new(spool) };
        for block in &self.full {
            on_disk.append(block)?;
        }
        self.file = Some(on_disk);
        self.flush()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether it has a file.
    pub(crate) fn is_spooled(&self) -> bool {
        self.file.is_some()
    }

    pub(crate) fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.bytes += bytes.len() as u64;
        while !bytes.is_empty() {
            bytes = self.block.fill(bytes);
            if self.block.is_full() {
                self.turn_block()?;
            }
        }
        Ok(())
    }

    /// Brings what was written to the file, if there is one.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if let Some(on_disk) = &mut self.file {
            let new = &self.block.as_ref()[self.flushed..];
            if !new.is_empty() {
                on_disk.append(new)?;
                self.flushed = self.block.len();
            }
        }
        Ok(())
    }

    fn turn_block(&mut self) -> io::Result<()> {
        self.flush()?;
        if self.file.is_some() && self.pool.is_crowded() {
            self.in_memory = false;
            self.full.clear();
        }
        if self.in_memory {
            let full = std::mem::replace(&mut self.block, self.pool.take());
            self.full.push(Bytes::from_owner(full));
        } else {
            self.block.clear();
        }
        self.flushed = 0;
        Ok(())
    }

    /// What is written of a chunk in a file becomes one that waits; a chunk in memory alone is forgotten.
    pub(crate) fn close(mut self) -> io::Result<Option<Chunk>> {
        self.flush()?;
        let Some(on_disk) = self.file else { return Ok(None) };
        let mut blocks = self.full;
        if self.in_memory {
            blocks.push(Bytes::from_owner(self.block));
        }
        Ok(Some(Chunk {
            index: on_disk.index,
            time_ms: self.time_ms,
            path: on_disk.path,
            bytes: self.bytes,
            blocks: (self.in_memory && !self.pool.is_crowded()).then_some(blocks),
            since: Instant::now(),
            synced: false,
            _charge: on_disk.charge,
        }))
    }

    /// The bytes from `offset` on, which must be in a file or in memory.
    pub(crate) fn tail(&mut self, offset: u64) -> io::Result<Vec<u8>> {
        self.flush()?;
        if let Some(on_disk) = &self.file {
            let mut bytes = fs::read(&on_disk.path)?;
            return Ok(bytes.split_off((offset as usize).min(bytes.len())));
        }
        let mut bytes: Vec<u8> = self.full.iter().flat_map(|block| block.iter().copied()).collect();
        bytes.extend_from_slice(self.block.as_ref());
        Ok(bytes.split_off((offset as usize).min(bytes.len())))
    }

    /// Deletes its file.
    pub(crate) fn forget(self) -> io::Result<()> {
        match self.file {
            Some(on_disk) => fs::remove_file(on_disk.path),
            None => Ok(()),
        }
    }
}

impl OnDisk {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.charge.add(bytes.len() as u64);
        Ok(())
    }
}

/// A chunk that waits to be acknowledged.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// Its place in the push; chunks of one push have consecutive indexes.
    pub(crate) index: u64,
    /// When its first tag came, Unix milliseconds.
    pub(crate) time_ms: u64,
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    /// Its bytes, while they are in memory.
    pub(crate) blocks: Option<Vec<Bytes>>,
    /// Since when it waits.
    pub(crate) since: Instant,
    /// Whether it would survive a loss of power.
    pub(crate) synced: bool,
    _charge: Charge,
}

impl Chunk {
    /// A chunk that a restart found.
    pub(crate) fn found(spool: &Arc<Spool>, path: PathBuf, index: u64, time_ms: u64, bytes: u64) -> Self {
        let mut charge = Charge::new(spool);
        charge.add(bytes);
        Self {
            index,
            time_ms,
            path,
            bytes,
            blocks: None,
            since: Instant::now(),
            synced: true,
            _charge: charge,
        }
    }
}
