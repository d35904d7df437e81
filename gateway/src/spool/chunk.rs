//! One chunk: while it is written, and while it waits.

use std::{
    fs::{self, File},
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use protocol::Generation;

use super::{
    charge::{Account, Charge},
    record::{ChunkName, is_kept, split_path},
};
use crate::block::{BLOCK_BYTES, Block, Pool};

/// The chunk that a push is writing.
///
/// Bytes gather in memory; [`flush`](Self::flush) brings them to the file.
#[derive(Debug)]
pub(crate) struct OpenChunk {
    name: ChunkName,
    folder: PathBuf,
    bytes: u64,
    charge: Charge,
    copy: DiskCopy,
    pool: Arc<Pool>,
    /// Full blocks, in order; none once it has left memory.
    full: Vec<Bytes>,
    block: Block,
    in_memory: bool,
}

impl OpenChunk {
    /// An empty chunk in memory; nobody wants it until it is [numbered](Self::number).
    pub(crate) fn new(account: &Arc<Account>, pool: &Arc<Pool>, folder: &Path, name: ChunkName) -> Self {
        let block = pool.take();
        Self {
            name,
            folder: folder.to_owned(),
            bytes: 0,
            charge: Charge::new(account),
            copy: DiskCopy::new(name.kept_path(folder)),
            pool: Arc::clone(pool),
            full: Vec::new(),
            block,
            in_memory: true,
        }
    }

    /// Gives it its place in the push, or another one.
    pub(crate) fn number(&mut self, index: u64, generation: Generation) -> io::Result<()> {
        self.name = ChunkName { index, generation, ..self.name };
        self.copy.rename(self.name.path(&self.folder))
    }

    /// It is not wanted any more, unless it is numbered again.
    pub(crate) fn keep(&mut self, number: u64) -> io::Result<()> {
        self.name.index = number;
        self.copy.rename(self.name.kept_path(&self.folder))
    }

    pub(crate) fn name(&self) -> ChunkName {
        self.name
    }

    pub(crate) fn is_in_memory(&self) -> bool {
        self.in_memory
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.charge.add(bytes.len() as u64);
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

    /// Brings what was written to the file.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.in_memory {
            self.copy.write(self.full.iter().map(AsRef::as_ref).chain([self.block.as_ref()]))
        } else {
            self.copy.write_end(self.block.as_ref(), self.bytes)
        }
    }

    /// Brings it to the file and gives its memory back.
    pub(crate) fn leave_memory(&mut self) -> io::Result<()> {
        if self.in_memory {
            self.flush()?;
            self.in_memory = false;
            self.full.clear();
            self.block.clear();
        }
        Ok(())
    }

    /// It waits from now on. Its last frame came `end_ms` after the push's begin; `continues`: see [`ChunkName`].
    pub(crate) fn close(mut self, end_ms: u64, continues: bool) -> io::Result<Chunk> {
        if !self.in_memory {
            self.flush()?;
        }
        if continues {
            self.name.continues = true;
            self.copy.rename(self.name.path(&self.folder))?;
        }
        let Self { name, folder, bytes, charge, copy, mut full, block, in_memory, .. } = self;
        full.push(Bytes::from_owner(block));
        let blocks = in_memory.then_some(full);
        let mut chunk = Chunk { name, folder, end_ms, bytes, blocks, copy, charge };
        chunk.let_go();
        // What is kept is soon deleted.
        Ok(if is_kept(chunk.path()) { chunk } else { chunk.waiting() })
    }

    /// The bytes from `offset` on.
    pub(crate) fn tail(&mut self, offset: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if self.in_memory {
            self.full.iter().for_each(|block| bytes.extend_from_slice(block));
            bytes.extend_from_slice(self.block.as_ref());
        } else {
            self.flush()?;
            bytes = fs::read(&self.copy.path)?;
        }
        Ok(bytes.split_off(bytes.len().min(offset as usize)))
    }

    /// Moves the bytes from `at` on to `next`, which has its headers already.
    ///
    /// A crash in between leaves them in one of the two: see [`split_path`].
    pub(crate) fn split(&mut self, at: u64, next: &mut Self) -> io::Result<()> {
        next.write(&self.tail(at)?)?;
        let is_on_disk = self.copy.bytes > at;
        let path = next.copy.path.clone();
        if is_on_disk {
            next.copy.path = split_path(&path, at);
            next.flush()?;
        }
        self.truncate(at)?;
        if is_on_disk { next.copy.rename(path) } else { Ok(()) }
    }

    fn truncate(&mut self, at: u64) -> io::Result<()> {
        self.copy.truncate(at)?;
        self.charge.remove(self.bytes - at);
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

    fn rename(&mut self, path: PathBuf) -> io::Result<()> {
        if self.bytes > 0 && path != self.path {
            fs::rename(&self.path, &path)?;
        }
        self.path = path;
        Ok(())
    }

    fn delete(&self) -> io::Result<()> {
        if self.bytes > 0 { fs::remove_file(&self.path) } else { Ok(()) }
    }
}

/// A chunk that waits to be acknowledged, or is kept while nothing is recorded.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) name: ChunkName,
    folder: PathBuf,
    /// When its last frame came, in milliseconds since the push began.
    pub(crate) end_ms: u64,
    pub(crate) bytes: u64,
    /// Its bytes, while they are in memory.
    blocks: Option<Vec<Bytes>>,
    copy: DiskCopy,
    charge: Charge,
}

impl Chunk {
    /// A chunk that a restart found.
    pub(crate) fn found(account: &Arc<Account>, path: PathBuf, name: ChunkName, bytes: u64) -> Self {
        let mut charge = Charge::new(account);
        charge.add(bytes);
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        let copy = DiskCopy { path, file: None, bytes };
        Self { name, folder, end_ms: name.offset_ms, bytes, blocks: None, copy, charge }.waiting()
    }

    fn waiting(self) -> Self {
        if self.is_on_disk() {
            self.sync_later();
        }
        self
    }

    /// As [`OpenChunk::number`].
    pub(crate) fn number(&mut self, index: u64, generation: Generation) -> io::Result<()> {
        self.name = ChunkName { index, generation, ..self.name };
        self.copy.rename(self.name.path(&self.folder))?;
        self.sync_later();
        Ok(())
    }

    fn sync_later(&self) {
        self.charge.sync_later(self.copy.path.clone());
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
        self.let_go();
        self.sync_later();
        Ok(())
    }

    /// Closes its file once it is whole: what waits holds no descriptor.
    fn let_go(&mut self) {
        if self.is_on_disk() {
            self.copy.file = None;
        }
    }

    /// Gives its memory back, once it is on disk.
    pub(crate) fn leave_memory(&mut self) {
        if self.is_on_disk() {
            self.blocks = None;
        }
    }

    /// What it has of the spool; its file is another's now.
    pub(super) fn into_charge(self) -> Charge {
        self.charge
    }

    /// Deletes its file.
    pub(crate) fn delete(&self) -> io::Result<()> {
        self.copy.delete()
    }
}

#[cfg(test)]
mod tests;
