//! The recorder's end of a queue.

use std::{io, path::Path, sync::Arc};

use protocol::StreamPath;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    orders::Orders,
    shared::{Queue, discard},
};
use crate::spool::{Chunk, Codecs};

/// Adds the chunks of one push, as its connection receives them.
#[derive(Debug)]
pub(crate) struct QueueWriter {
    queue: Arc<Queue>,
    orders: watch::Receiver<Orders>,
}

impl QueueWriter {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        let orders = queue.orders.subscribe();
        Self { queue, orders }
    }

    /// The stream that is pushed.
    pub(crate) fn path(&self) -> &StreamPath {
        &self.queue.path
    }

    /// Where the push's chunks lie.
    pub(crate) fn folder(&self) -> &Path {
        &self.queue.folder
    }

    /// The index of the next file. Each one is used, or what it was given to is discarded as a whole.
    pub(crate) fn take_index(&self) -> u64 {
        let mut state = self.queue.state();
        state.next_index += 1;
        state.next_index - 1
    }

    /// Adds a chunk, unless the functions want nothing of what was recorded so far.
    pub(crate) fn push(&self, chunk: Chunk) {
        let mut state = self.queue.state();
        if state.discard {
            discard(chunk);
        } else {
            state.chunks.push_back(chunk);
            self.queue.arrived.notify_one();
        }
    }

    /// Whether no chunk waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.state().chunks.is_empty()
    }

    /// Brings all that waits to disk.
    pub(crate) fn flush(&self) -> io::Result<()> {
        let mut state = self.queue.state();
        // What is not on disk came after what is.
        let on_disk = state.chunks.iter().rposition(Chunk::is_on_disk).map_or(0, |last| last + 1);
        state.chunks.range_mut(on_disk..).try_for_each(Chunk::flush)
    }

    /// Gives back the memory of what waits and is on disk.
    pub(crate) fn leave_memory(&self) {
        self.queue.state().chunks.iter_mut().for_each(Chunk::leave_memory);
    }

    /// Completes when the functions want something else than [`orders`](Self::orders) last answered.
    pub(crate) async fn orders_changed(&mut self) {
        if self.orders.changed().await.is_err() {
            std::future::pending().await
        }
    }

    /// What the functions want now, and whether they want nothing of what has been recorded so far.
    pub(crate) fn orders(&mut self) -> (Orders, bool) {
        let discarded = std::mem::take(&mut self.queue.state().discard);
        (*self.orders.borrow_and_update(), discarded)
    }

    /// Cancelled when the functions will not have the push at all.
    pub(crate) fn refused(&self) -> &CancellationToken {
        &self.queue.refused
    }

    /// What is known of the codecs; `complete` when there is no more to wait for.
    pub(crate) fn set_codecs(&self, codecs: Codecs, complete: bool) {
        let mut state = self.queue.state();
        state.record.codecs = codecs;
        if complete {
            state.codecs_known = true;
            self.queue.arrived.notify_one();
        }
    }

    /// The connection is gone, so long after the push began.
    pub(crate) fn end(self, offset_ms: u64) {
        let mut state = self.queue.state();
        state.record.ended_at_ms = Some(state.record.push.began_at_ms + offset_ms);
        state.codecs_known = true;
        self.queue.save(&state);
        self.queue.arrived.notify_one();
    }
}
