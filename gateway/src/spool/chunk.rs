//! One chunk: while it is written, and while it waits.

mod disk_copy;

use std::{
    io,
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
use disk_copy::DiskCopy;

/// The chunk that a push is writing.
///
/// Bytes gather in memory; [`flush`](Self::flush) brings them to the file. Where the disk refuses them, they stay in
/// memory until it takes them, or the functions do. A name that it refuses is remembered likewise: nothing that is done to
/// a chunk loses it.
#[derive(Debug)]
pub(crate) struct OpenChunk {
    name: ChunkName,
    folder: PathBuf,
    bytes: u64,
    charge: Charge,
    copy: DiskCopy,
    pool: Arc<Pool>,
    /// From here on its bytes are in memory; those before are on disk alone.
    memory_from: u64,
    /// Full blocks, in order.
    full: Vec<Bytes>,
    block: Block,
    /// Whether it is to stay in memory also while the disk takes it.
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
            memory_from: 0,
            full: Vec::new(),
            block,
            in_memory: true,
        }
    }

    /// Gives it its place in the push, or another one.
    pub(crate) fn number(&mut self, index: u64, generation: Generation) {
        self.name = ChunkName { index, generation, ..self.name };
        self.copy.rename(self.name.path(&self.folder));
    }

    /// It is not wanted any more, unless it is numbered again.
    pub(crate) fn keep(&mut self, number: u64) {
        self.name.index = number;
        self.copy.rename(self.name.kept_path(&self.folder));
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

    pub(crate) fn write(&mut self, mut bytes: &[u8]) {
        self.charge.add(bytes.len() as u64);
        while !bytes.is_empty() {
            let rest = self.block.fill(bytes);
            self.bytes += (bytes.len() - rest.len()) as u64;
            bytes = rest;
            if self.block.is_full() {
                let full = std::mem::replace(&mut self.block, self.pool.take());
                self.full.push(Bytes::from_owner(full));
                if !self.in_memory {
                    self.leave_memory();
                }
            }
        }
    }

    /// Brings what was written to the file.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        // Its bytes are safe under any name.
        let _ = self.copy.rename_due();
        let pieces = self.full.iter().map(AsRef::as_ref).chain([self.block.as_ref()]);
        let written = self.copy.write(self.memory_from, pieces);
        self.charge.written(self.copy.bytes, &written);
        written
    }

    /// Brings it to the file and gives its memory back, now and from now on, as far as the disk takes it.
    pub(crate) fn leave_memory(&mut self) {
        self.in_memory = false;
        if self.flush().is_ok() {
            self.memory_from = self.bytes;
            self.full.clear();
            self.block.clear();
        }
    }

    /// It waits from now on. Its last frame came `end_ms` after the push's begin; `continues`: see [`ChunkName`].
    pub(crate) fn close(mut self, end_ms: u64, continues: bool) -> Chunk {
        if !self.in_memory {
            self.leave_memory();
        }
        if continues {
            self.name.continues = true;
            self.copy.rename(self.name.path(&self.folder));
        }
        let Self { name, folder, bytes, charge, copy, memory_from, full: mut blocks, block, .. } = self;
        blocks.push(Bytes::from_owner(block));
        let mut chunk = Chunk { name, folder, end_ms, bytes, memory_from, blocks, copy, charge };
        chunk.let_go();
        // What is kept is soon deleted.
        if is_kept(chunk.path()) { chunk } else { chunk.waiting() }
    }

    /// All of its bytes.
    pub(crate) fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = self.copy.read(self.memory_from)?;
        self.full.iter().for_each(|block| bytes.extend_from_slice(block));
        bytes.extend_from_slice(self.block.as_ref());
        Ok(bytes)
    }

    /// Moves the bytes from `at` on to `next`, which has its headers already. `bytes`: all that it has.
    ///
    /// A crash in between leaves them in one of the two: see [`split_path`].
    pub(crate) fn split(&mut self, at: u64, mut bytes: Vec<u8>, next: &mut Self) {
        next.write(&bytes[at as usize..]);
        bytes.truncate(at as usize);
        let is_on_disk = self.copy.bytes > at;
        let path = next.copy.path.clone();
        if is_on_disk {
            next.copy.path = split_path(&path, at);
            if next.flush().is_err() {
                next.leave_disk();
            }
        }
        if let Err(error) = self.truncate(at) {
            tracing::error!("{} cannot be cut: {error}", self.copy.path.display());
            // A file that has more than the chunk is none of it, and the next chunk's says nothing before it is cut.
            self.hold(bytes);
            next.leave_disk();
        }
        if is_on_disk {
            next.copy.rename(path);
        }
    }

    /// Has its bytes, which are perhaps fewer than before, in memory alone until they are next brought to the disk.
    fn hold(&mut self, bytes: Vec<u8>) {
        self.charge.remove(self.bytes - bytes.len() as u64);
        self.charge.on_disk(0);
        self.copy.disown();
        self.memory_from = 0;
        self.bytes = bytes.len() as u64;
        self.full = vec![bytes.into()];
        self.block.clear();
    }

    /// Deletes its file, whose bytes are all in memory.
    fn leave_disk(&mut self) {
        self.copy.abandon();
        self.charge.on_disk(0);
    }

    fn truncate(&mut self, at: u64) -> io::Result<()> {
        self.copy.truncate(at)?;
        self.charge.on_disk(self.copy.bytes);
        self.charge.remove(self.bytes - at);
        if at > self.memory_from {
            let in_memory = (at - self.memory_from) as usize;
            let (whole, rest) = (in_memory / BLOCK_BYTES, in_memory % BLOCK_BYTES);
            let mut block = self.pool.take();
            block.fill(&self.full.get(whole).map_or(self.block.as_ref(), AsRef::as_ref)[..rest]);
            self.full.truncate(whole);
            self.block = block;
        } else {
            self.memory_from = at;
            self.full.clear();
            self.block.clear();
        }
        self.bytes = at;
        Ok(())
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
    /// From here on its bytes are in memory.
    memory_from: u64,
    blocks: Vec<Bytes>,
    copy: DiskCopy,
    charge: Charge,
}

impl Chunk {
    /// A chunk that a restart found.
    pub(crate) fn found(account: &Arc<Account>, path: PathBuf, name: ChunkName, bytes: u64) -> Self {
        let mut charge = Charge::new(account);
        charge.add(bytes);
        charge.on_disk(bytes);
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        let copy = DiskCopy { bytes, ..DiskCopy::new(path) };
        let (end_ms, blocks) = (name.offset_ms, Vec::new());
        Self { name, folder, end_ms, bytes, memory_from: bytes, blocks, copy, charge }.waiting()
    }

    fn waiting(self) -> Self {
        if self.is_on_disk() {
            self.sync_later();
        }
        self
    }

    /// As [`OpenChunk::number`].
    pub(crate) fn number(&mut self, index: u64, generation: Generation) {
        self.name = ChunkName { index, generation, ..self.name };
        self.copy.rename(self.name.path(&self.folder));
        if self.copy.due.is_none() {
            self.sync_later();
        }
    }

    fn sync_later(&self) {
        self.charge.sync_later(self.copy.path.clone());
    }

    /// Its file, whole once [`is_on_disk`](Self::is_on_disk).
    pub(crate) fn path(&self) -> &Path {
        &self.copy.path
    }

    /// Its bytes, if all of them are in memory.
    pub(crate) fn blocks(&self) -> Option<Vec<Bytes>> {
        (self.memory_from == 0 && self.bytes > 0).then(|| self.blocks.clone())
    }

    pub(super) fn is_on_disk(&self) -> bool {
        self.copy.bytes == self.bytes
    }

    /// Whether it is on disk as a whole, under its own name.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_on_disk() && self.copy.due.is_none()
    }

    /// Brings all of it to its file.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.copy.due.is_some() && self.copy.rename_due().is_ok() {
            self.sync_later();
        }
        if self.is_on_disk() {
            return Ok(());
        }
        let written = self.copy.write(self.memory_from, self.blocks.iter().map(AsRef::as_ref));
        self.charge.written(self.copy.bytes, &written);
        written?;
        self.let_go();
        self.sync_later();
        Ok(())
    }

    /// Makes it ready to be sent: its number names the same bytes after a crash. It is on disk as a whole; or, where the
    /// disk refuses it, in memory, and a restart finds a file without bytes.
    pub(crate) fn prepare(&mut self) -> io::Result<()> {
        if self.flush().is_ok() {
            return Ok(());
        }
        if self.memory_from > 0 {
            self.blocks.insert(0, self.copy.read(self.memory_from)?.into());
            self.memory_from = 0;
        }
        self.copy.empty()?;
        self.charge.on_disk(0);
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
            self.memory_from = self.bytes;
            self.blocks.clear();
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
