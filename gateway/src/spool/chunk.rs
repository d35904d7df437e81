//! One chunk: while it is written, and while it waits.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;

use super::{charge::Charge, folder::Spool, record::chunk_path};
use crate::block::{Block, Pool};

/// The chunk that a push is writing.
///
/// Bytes gather in memory; [`flush`](Self::flush) brings them to the file, once it has a
/// [`place`](Self::place) in the spool. Without one it is held in memory alone, until it is wanted or forgotten.
#[derive(Debug)]
pub(crate) struct OpenChunk {
    time_ms: u64,
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
    index: u64,
    charge: Charge,
    copy: DiskCopy,
}

impl OpenChunk {
    /// An empty chunk in memory. `time_ms`: when its first tag came, Unix milliseconds.
    pub(crate) fn new(pool: &Arc<Pool>, time_ms: u64) -> Self {
        let block = pool.take();
        Self {
            time_ms,
            bytes: 0,
            placed: None,
            pool: Arc::clone(pool),
            full: Vec::new(),
            block,
            in_memory: true,
        }
    }

    /// Gives it a place in the spool.
    pub(crate) fn place(&mut self, spool: &Arc<Spool>, folder: &Path, index: u64) {
        let mut charge = Charge::new(spool);
        charge.add(self.bytes);
        let copy = DiskCopy::new(chunk_path(folder, index, self.time_ms));
        self.placed = Some(Placed { index, charge, copy });
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
        let Some(Placed { index, charge, copy }) = self.placed else { return Ok(None) };
        let mut blocks = self.full;
        blocks.push(Bytes::from_owner(self.block));
        let (time_ms, bytes) = (self.time_ms, self.bytes);
        let blocks = self.in_memory.then_some(blocks);
        Ok(Some(Chunk::new(index, time_ms, bytes, blocks, copy, charge)))
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

    fn delete(&self) -> io::Result<()> {
        if self.bytes > 0 { fs::remove_file(&self.path) } else { Ok(()) }
    }
}

/// A chunk that waits to be acknowledged.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// Its place in the push; chunks of one push have consecutive indexes.
    pub(crate) index: u64,
    /// When its first tag came, Unix milliseconds.
    pub(crate) time_ms: u64,
    pub(crate) bytes: u64,
    /// Its bytes, while they are in memory.
    blocks: Option<Vec<Bytes>>,
    copy: DiskCopy,
    charge: Charge,
}

impl Chunk {
    /// A chunk that a restart found.
    pub(crate) fn found(spool: &Arc<Spool>, path: PathBuf, index: u64, time_ms: u64, bytes: u64) -> Self {
        let mut charge = Charge::new(spool);
        charge.add(bytes);
        Self::new(index, time_ms, bytes, None, DiskCopy { path, file: None, bytes }, charge)
    }

    fn new(
        index: u64,
        time_ms: u64,
        bytes: u64,
        blocks: Option<Vec<Bytes>>,
        copy: DiskCopy,
        charge: Charge,
    ) -> Self {
        let chunk = Self { index, time_ms, bytes, blocks, copy, charge };
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
mod tests {
    use super::*;
    use crate::block::BLOCK_BYTES;

    /// Writes pieces, doing something before each one, and checks the chunk's file.
    fn check(name: &str, mut between: impl FnMut(usize, &mut OpenChunk)) -> Chunk {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), 1 << 30).unwrap();
        let pool = Arc::default();
        let mut open = OpenChunk::new(&pool, 7);
        let mut expected = Vec::new();
        for at in 0..9 {
            if at == 2 {
                open.place(&spool, folder.path(), 3);
            }
            between(at, &mut open);
            let piece = vec![at as u8; BLOCK_BYTES / 3 + at];
            open.write(&piece).unwrap();
            expected.extend_from_slice(&piece);
        }
        assert!(open.tail(100_000).unwrap() == expected[100_000..], "{name}");
        let mut chunk = open.close().unwrap().unwrap();
        assert_eq!((chunk.index, chunk.time_ms, chunk.bytes), (3, 7, expected.len() as u64), "{name}");
        if let Some(blocks) = chunk.blocks() {
            assert!(blocks.concat() == expected, "{name}");
        }
        chunk.flush().unwrap();
        assert!(chunk.is_on_disk(), "{name}");
        assert!(fs::read(chunk.path()).unwrap() == expected, "{name}");
        chunk.leave_memory();
        assert!(chunk.blocks().is_none(), "{name}");
        chunk.delete().unwrap();
        assert!(!chunk.path().exists(), "{name}");
        chunk
    }

    #[test]
    fn the_file_is_what_was_written_whenever_it_was_brought_there() {
        check("at the end", |_, _| {});
        check("before each piece", |_, open| open.flush().unwrap());
        check("now and then", |at, open| {
            if at % 3 == 0 {
                open.flush().unwrap()
            }
        });
        for left in 0..9 {
            let chunk = check("out of memory", |at, open| {
                if at == left {
                    open.leave_memory().unwrap()
                }
            });
            assert_eq!(chunk.index, 3);
        }
    }

    #[test]
    fn a_chunk_without_a_place_is_forgotten() {
        let mut open = OpenChunk::new(&Arc::default(), 7);
        open.write(b"FLV").unwrap();
        open.flush().unwrap();
        assert!(open.close().unwrap().is_none());
    }
}
