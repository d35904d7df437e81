//! The recorder's end of a queue.

use std::{
    io,
    path::Path,
    sync::{Arc, atomic::Ordering},
};

use protocol::{Confirmed, Generation, LostChunk, StreamPath};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    orders::{Orders, Schedule},
    shared::Queue,
};
use crate::{
    clock::unix_ms,
    spool::{Account, Chunk, Codecs, End, Gap, Waiting},
};

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

    /// What the push's chunks are charged to.
    pub(crate) fn account(&self) -> &Arc<Account> {
        &self.queue.account
    }

    /// The first coded frame came.
    pub(crate) fn begin(&self, at: Instant) {
        let Queue { folder, tell, .. } = &*self.queue;
        let created = self.queue.change(|state| {
            state.record.began_at_ms = unix_ms();
            state.began = Some((at, tell.happened(at)));
            state.record.create(folder)
        });
        if let Err(error) = created {
            self.queue.not_noted(&error);
        }
    }

    /// A coded frame came, so long after the first one.
    pub(crate) fn frame(&self, offset_ms: u64) {
        self.queue.last_frame_ms.store(offset_ms, Ordering::Relaxed);
    }

    /// The index of the next file.
    pub(crate) fn take_index(&self) -> u64 {
        let mut state = self.queue.state();
        state.next_index += 1;
        state.next_index - 1
    }

    /// Adds a chunk.
    pub(crate) fn push(&self, chunk: Chunk) {
        self.queue.change(|state| {
            state.last_cut = Some(chunk.name.index);
            if state.waiting.is_empty() {
                state.waits_since = Some(Instant::now());
            }
            state.waiting.push_back(Waiting::Chunk(chunk));
        });
    }

    /// Adds the place of a chunk that will not come.
    pub(crate) fn push_lost(&self, lost: LostChunk) {
        self.queue.change(|state| {
            let index = state.next_index;
            state.next_index += 1;
            state.last_cut = Some(index);
            let gap = Gap::new(&self.queue.folder, index, lost, None);
            if let Err(error) = gap.save() {
                tracing::error!("{}: loss of chunk {index} cannot be written down: {error}", self.queue.path);
            }
            if state.waiting.is_empty() {
                state.waits_since = Some(Instant::now());
            }
            state.waiting.push_back(Waiting::Lost(gap));
        });
    }

    /// Whether a chunk waits that could be given up.
    pub(crate) fn can_give_up(&self) -> bool {
        self.queue.state().oldest_to_give_up(true).is_some()
    }

    /// When the last frame of the oldest chunk that waits came, in milliseconds since the push began.
    pub(crate) fn waits_since_ms(&self) -> Option<u64> {
        match self.queue.state().waiting.front()? {
            Waiting::Chunk(chunk) => Some(chunk.end_ms),
            Waiting::Lost(gap) => Some(gap.lost.to_ms),
        }
    }

    /// Brings all that waits to disk.
    pub(crate) fn flush(&self) -> io::Result<()> {
        let mut state = self.queue.state();
        self.queue.note(&mut state);
        // What waits for its name alone may stand among what has it.
        let is_unsettled =
            |waiting: &Waiting| matches!(waiting, Waiting::Chunk(chunk) if !chunk.is_settled());
        let first = state.waiting.iter().position(is_unsettled).unwrap_or(state.waiting.len());
        state.waiting.range_mut(first..).try_for_each(|waiting| match waiting {
            Waiting::Chunk(chunk) => chunk.flush(),
            Waiting::Lost(_) => Ok(()),
        })
    }

    /// Gives back the memory of what waits and is on disk.
    pub(crate) fn leave_memory(&self) {
        for waiting in &mut self.queue.state().waiting {
            if let Waiting::Chunk(chunk) = waiting {
                chunk.leave_memory();
            }
        }
    }

    /// Completes when the functions want something else than [`orders`](Self::orders) last answered.
    pub(crate) async fn orders_changed(&mut self) {
        if self.orders.changed().await.is_err() {
            std::future::pending().await
        }
    }

    /// What the functions want now.
    pub(crate) fn orders(&mut self) -> Orders {
        self.orders.borrow_and_update().clone()
    }

    /// Why the push is to end, if it is.
    pub(crate) fn denied(&self) -> Option<String> {
        self.orders.borrow().denied.clone()
    }

    /// Whether what was spooled before the functions answered has been gone through.
    pub(crate) fn is_settled(&self) -> bool {
        self.queue.state().is_settled
    }

    /// Goes through it. `open_index`: the chunk that is being written, if it is wanted.
    pub(crate) fn settle(&self, schedule: &Schedule, open_index: Option<u64>) {
        self.queue.change(|state| state.settle(schedule, open_index));
    }

    /// An order took effect after the chunks that were cut so far.
    pub(crate) fn confirm(&self, generation: Generation) {
        let confirmed = {
            let state = self.queue.state();
            let last_seq = state.last_cut.and_then(|index| index.checked_sub(state.first_index));
            state.session.clone().map(|session| Confirmed { session, generation, last_seq })
        };
        confirmed.into_iter().for_each(|confirmed| self.queue.tell.confirm(confirmed));
    }

    /// Cancelled when the functions will not have the push at all.
    pub(crate) fn refused(&self) -> &CancellationToken {
        &self.queue.refused
    }

    /// What is known of the codecs; `complete` when there is no more to wait for.
    pub(crate) fn set_codecs(&self, codecs: Codecs, complete: bool) {
        self.queue.change(|state| {
            state.record.codecs = codecs;
            state.codecs_known |= complete;
        });
    }

    /// The connection is gone.
    pub(crate) fn end(self) {
        let queue = &self.queue;
        let duration_ms = queue.last_frame_ms.load(Ordering::Relaxed);
        let ended = queue.last_frame();
        queue.change(|state| {
            state.codecs_known = true;
            state.record.end = Some(End { duration_ms, next_index: state.next_index });
            if let Some(at) = ended {
                state.ended = Some(queue.tell.happened(at));
                queue.save(state);
            }
        });
    }
}
