//! What a chunk takes of the spool.

use std::sync::Arc;

use super::folder::Spool;

/// A file's part of the spool; given back when dropped.
#[derive(Debug)]
pub(crate) struct Charge {
    spool: Arc<Spool>,
    bytes: u64,
}

impl Charge {
    pub(crate) fn new(spool: &Arc<Spool>) -> Self {
        Self { spool: Arc::clone(spool), bytes: 0 }
    }

    /// The spool that is charged.
    pub(crate) fn spool(&self) -> &Spool {
        &self.spool
    }

    pub(crate) fn remove(&mut self, bytes: u64) {
        self.bytes -= bytes;
        self.spool.free_bytes(bytes);
    }

    pub(crate) fn add(&mut self, bytes: u64) {
        self.bytes += bytes;
        self.spool.use_bytes(bytes);
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.spool.free_bytes(self.bytes);
    }
}
