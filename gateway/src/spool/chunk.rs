//! One chunk: while it is written, and while it waits.

use std::{
    fs::{self, File},
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;

use super::{
    charge::Charge,
    folder::Spool,
    record::{ChunkName, split_path},
};
use crate::block::{BLOCK_BYTES, Block, Pool};

/// The chunk that a push is writing.
///
/// Bytes gather in memory; [`flush`](Self::flush) brings them to the file, once it has a
/// [`place`](Self::place) in the spool. Without one it is held in memory alone, until it is wanted or forgotten.
#[derive(Debug)]
pub(crate) struct OpenChunk {
    offset_ms: u64,
    bytes: u64,
    placed: Option<Placed>,
    pool: Arc<Pool>,
    /// Full blocks, in order; none once it has left memory.
    full: Vec<Bytes>,
    block: Block,
    in_memory: bool,
}

/// A chunk's place in the spool.
#[derive(Debug)]
struct Placed {
    name: ChunkName,
    charge: Charge,
    copy: DiskCopy,
}

impl OpenChunk {
    /// An empty chunk in memory. `offset_ms`: when its first tag came, in milliseconds since the push began.
    pub(crate) fn new(pool: &Arc<Pool>, offset_ms: u64) -> Self {
        let block = pool.take();
        Self {
            offset_ms,
            bytes: 0,
            placed: None,
            pool: Arc::clone(pool),
            full: Vec::new(),
            block,
            in_memory: true,
        }
    }

    /// Gives it a place in the spool. `resumes`: nothing was recorded for a time before it.
    pub(crate) fn place(&mut self, spool: &Arc<Spool>, folder: &Path, index: u64, resumes: bool) {
        let mut charge = Charge::new(spool);
        charge.add(self.bytes);
        let name = ChunkName { index, offset_ms: self.offset_ms, resumes };
        let copy = DiskCopy::new(name.path(folder));
        self.placed = Some(Placed { name, charge, copy });
    }

    pub(crate) fn is_placed(&self) -> bool {
        self.placed.is_some()
    }

    /// Whether it is in memory and could be on disk alone.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.in_memory && self.is_placed()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        if let Some(placed) = &mut self.placed {
            placed.charge.add(bytes.len() as u64);
        }
        while !bytes.is_empty() {
            let rest = self.block.fill(bytes);
            self.bytes += (bytes.len() - rest.len()) as u64;
            bytes = rest;
            if self.block.is_full() {
                if self.in_memory {
                    let full = std::mem::replace(&mut self.block, self.pool.take());
                    self.full.push(Bytes::from_owner(full));
                } else {
                    self.flush()?;
                    self.block.clear();
                }
            }
        }
        Ok(())
    }

    /// Brings what was written to the file, if it has a place.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let Some(placed) = &mut self.placed else { return Ok(()) };
        if self.in_memory {
            placed.copy.write(self.full.iter().map(AsRef::as_ref).chain([self.block.as_ref()]))
        } else {
            placed.copy.write_end(self.block.as_ref(), self.bytes)
        }
    }

    /// Brings it to the file and gives its memory back.
    pub(crate) fn leave_memory(&mut self) -> io::Result<()> {
        if self.is_in_memory() {
            self.flush()?;
            self.in_memory = false;
            self.full.clear();
        }
        Ok(())
    }

    /// It waits from now on; one without a place is forgotten.
    pub(crate) fn close(mut self) -> io::Result<Option<Chunk>> {
        if !self.in_memory {
            self.flush()?;
        }
        let Some(Placed { name, charge, copy }) = self.placed else { return Ok(None) };
        let mut blocks = self.full;
        blocks.push(Bytes::from_owner(self.block));
        let blocks = self.in_memory.then_some(blocks);
        Ok(Some(Chunk::new(name, self.bytes, blocks, copy, charge)))
    }

    /// The bytes from `offset` on.
    pub(crate) fn tail(&mut self, offset: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if self.in_memory {
            self.full.iter().for_each(|block| bytes.extend_from_slice(block));
            bytes.extend_from_slice(self.block.as_ref());
        } else if let Some(placed) = &mut self.placed {
            placed.copy.write_end(self.block.as_ref(), self.bytes)?;
            bytes = fs::read(&placed.copy.path)?;
        }
        Ok(bytes.split_off(bytes.len().min(offset as usize)))
    }

    /// Moves the bytes from `at` on to `next`, which has its headers already.
    ///
    /// A crash in between leaves them in one of the two: see [`split_path`].
    pub(crate) fn split(&mut self, at: u64, next: &mut Self) -> io::Result<()> {
        next.write(&self.tail(at)?)?;
        let is_on_disk = self.placed.as_ref().is_some_and(|placed| placed.copy.bytes > at);
        let renamed = match &mut next.placed {
            Some(placed) if is_on_disk => {
                let path = placed.copy.path.clone();
                placed.copy.path = split_path(&path, at);
                next.flush()?;
                Some(path)
            }
            _ => None,
        };
        self.truncate(at)?;
        if let (Some(path), Some(placed)) = (renamed, &mut next.placed) {
            fs::rename(&placed.copy.path, &path)?;
            placed.copy.path = path;
        }
        Ok(())
    }

    fn truncate(&mut self, at: u64) -> io::Result<()> {
        if let Some(placed) = &mut self.placed {
            placed.copy.truncate(at)?;
            placed.charge.remove(self.bytes - at);
        }
        if self.in_memory {
            let (whole, rest) = (at as usize / BLOCK_BYTES, at as usize % BLOCK_BYTES);
            let mut block = self.pool.take();
            block.fill(&self.full.get(whole).map_or(self.block.as_ref(), AsRef::as_ref)[..rest]);
            self.full.truncate(whole);
            self.block = block;
        } else {
            self.block.clear();
        }
        self.bytes = at;
        Ok(())
    }

    /// Deletes its file.
    pub(crate) fn forget(self) -> io::Result<()> {
        self.placed.map_or(Ok(()), |placed| placed.copy.delete())
    }
}

/// A file that has the first bytes of a chunk; there is none before the first of them.
#[derive(Debug)]
struct DiskCopy {
    path: PathBuf,
    file: Option<File>,
    bytes: u64,
}

impl DiskCopy {
    fn new(path: PathBuf) -> Self {
        Self { path, file: None, bytes: 0 }
    }

    /// Appends what it lacks of `pieces`, which are all of the chunk.
    fn write<'a>(&mut self, pieces: impl Iterator<Item = &'a [u8]>) -> io::Result<()> {
        let mut end = 0;
        for piece in pieces {
            end += piece.len() as u64;
            self.write_end(piece, end)?;
        }
        Ok(())
    }

    /// Appends what it lacks of `piece`, which ends at `end`.
    fn write_end(&mut self, piece: &[u8], end: u64) -> io::Result<()> {
        if end <= self.bytes {
            return Ok(());
        }
        let lacking = &piece[piece.len() - (end - self.bytes) as usize..];
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(File::create(&self.path)?),
        };
        file.write_all(lacking)?;
        self.bytes = end;
        Ok(())
    }

    fn truncate(&mut self, at: u64) -> io::Result<()> {
        if let Some(file) = self.file.as_mut().filter(|_| self.bytes > at) {
            file.set_len(at)?;
            file.seek(SeekFrom::Start(at))?;
            self.bytes = at;
        }
        Ok(())
    }

    fn delete(&self) -> io::Result<()> {
        if self.bytes > 0 { fs::remove_file(&self.path) } else { Ok(()) }
    }
}

/// A chunk that waits to be acknowledged.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) name: ChunkName,
    pub(crate) bytes: u64,
    /// Its bytes, while they are in memory.
    blocks: Option<Vec<Bytes>>,
    copy: DiskCopy,
    charge: Charge,
}

impl Chunk {
    /// A chunk that a restart found.
    pub(crate) fn found(spool: &Arc<Spool>, path: PathBuf, name: ChunkName, bytes: u64) -> Self {
        let mut charge = Charge::new(spool);
        charge.add(bytes);
        Self::new(name, bytes, None, DiskCopy { path, file: None, bytes }, charge)
    }

    fn new(name: ChunkName, bytes: u64, blocks: Option<Vec<Bytes>>, copy: DiskCopy, charge: Charge) -> Self {
        let chunk = Self { name, bytes, blocks, copy, charge };
        if chunk.is_on_disk() {
            chunk.sync_later();
        }
        chunk
    }

    fn sync_later(&self) {
        self.charge.spool().sync_later(self.copy.path.clone());
    }

    /// Its file, whole once [`is_on_disk`](Self::is_on_disk).
    pub(crate) fn path(&self) -> &Path {
        &self.copy.path
    }

    /// Its bytes, if they are in memory.
    pub(crate) fn blocks(&self) -> Option<Vec<Bytes>> {
        self.blocks.clone()
    }

    pub(crate) fn is_on_disk(&self) -> bool {
        self.copy.bytes == self.bytes
    }

    /// Brings all of it to its file.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.is_on_disk() {
            return Ok(());
        }
        if let Some(blocks) = &self.blocks {
            self.copy.write(blocks.iter().map(AsRef::as_ref))?;
        }
        self.copy.file = None;
        self.sync_later();
        Ok(())
    }

    /// Gives its memory back, once it is on disk.
    pub(crate) fn leave_memory(&mut self) {
        if self.is_on_disk() {
            self.blocks = None;
        }
    }

    /// Deletes its file.
    pub(crate) fn delete(&self) -> io::Result<()> {
        self.copy.delete()
    }
}

#[cfg(test)]
mod tests;
