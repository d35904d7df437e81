//! What both ends of a queue share.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use protocol::StreamPath;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::orders::OrdersSender;
use crate::spool::{Chunk, Record};

#[derive(Debug)]
pub(super) struct Queue {
    pub(super) path: StreamPath,
    pub(super) folder: PathBuf,
    state: Mutex<State>,
    /// Wakes the reader: a chunk, the codecs or the end came.
    pub(super) arrived: Notify,
    pub(super) orders: OrdersSender,
    /// Cancelled when the functions will not have the push at all.
    pub(super) refused: CancellationToken,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) record: Record,
    pub(super) chunks: VecDeque<Chunk>,
    pub(super) next_index: u64,
    /// Set when the functions want nothing of the past and the writer does not know it yet.
    pub(super) discard: bool,
    pub(super) codecs_known: bool,
}

impl Queue {
    pub(super) fn new(path: StreamPath, folder: PathBuf, record: Record, chunks: Vec<Chunk>) -> Self {
        let next_index = chunks.last().map_or(0, |chunk| chunk.name.index + 1);
        let codecs_known = record.ended_at_ms.is_some();
        let state = State { record, chunks: chunks.into(), next_index, discard: false, codecs_known };
        Self {
            path,
            folder,
            state: state.into(),
            arrived: Notify::new(),
            orders: OrdersSender::default(),
            refused: CancellationToken::new(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn save(&self, state: &State) {
        if let Err(error) = state.record.save(&self.folder) {
            tracing::error!("{}: {} cannot be written: {error}", self.path, self.folder.display());
        }
    }
}

/// Deletes a chunk that nobody wants any more.
pub(super) fn discard(chunk: Chunk) {
    if let Err(error) = chunk.delete() {
        tracing::error!("{} cannot be deleted: {error}", chunk.path().display());
    }
}
