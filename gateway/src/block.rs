//! Memory for chunks: blocks of one size that are used again.
//!
//! A chunk that is uploaded soon after it was written is sent from memory. The blocks come from a pool,
//! since fresh memory costs more to get than the media costs to copy.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

/// Bytes of a block: a write to disk, and a frame of an upload's body.
pub(crate) const BLOCK_BYTES: usize = 256 << 10;

/// Blocks in use above which chunks are read from disk again: 8 MiB. They are there anyway, and in the system's memory as
/// long as it has room: reading them costs little of what bringing them does.
const CROWDED: usize = 32;

/// Unused blocks that are kept: as many. What goes back to the allocator with each chunk stays with one thread or another.
const KEPT: usize = CROWDED;

#[derive(Debug, Default)]
pub(crate) struct Pool {
    free: Mutex<Vec<Vec<u8>>>,
    used: AtomicUsize,
}

impl Pool {
    /// An empty block.
    pub(crate) fn take(self: &Arc<Self>) -> Block {
        self.used.fetch_add(1, Ordering::Relaxed);
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let bytes = free.unwrap_or_else(|| Vec::with_capacity(BLOCK_BYTES));
        Block { bytes, pool: Arc::clone(self) }
    }

    /// Whether chunks should no longer stay in memory.
    pub(crate) fn is_crowded(&self) -> bool {
        self.used.load(Ordering::Relaxed) > CROWDED
    }
}

/// Up to [`BLOCK_BYTES`] bytes; goes back to its pool.
#[derive(Debug)]
pub(crate) struct Block {
    bytes: Vec<u8>,
    pool: Arc<Pool>,
}

impl Block {
    /// Copies as much as fits and returns the rest.
    pub(crate) fn fill<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (fits, rest) = bytes.split_at(bytes.len().min(BLOCK_BYTES - self.bytes.len()));
        self.bytes.extend_from_slice(fits);
        rest
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() == BLOCK_BYTES
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
    }
}

impl AsRef<[u8]> for Block {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.pool.used.fetch_sub(1, Ordering::Relaxed);
        let mut free = self.pool.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < KEPT {
            let mut bytes = std::mem::take(&mut self.bytes);
            bytes.clear();
            free.push(bytes);
        }
    }
}
