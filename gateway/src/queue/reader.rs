//! The uploader's end of a queue.

use std::{path::Path, sync::Arc};

use protocol::StreamPath;

use super::{
    orders::{Orders, OrdersSender},
    shared::{Queue, State, discard},
};
use crate::spool::{Chunk, Numbering, Record, Session};

/// Takes the chunks of one push away, in order, and keeps the push's record.
#[derive(Debug)]
pub(crate) struct QueueReader {
    queue: Arc<Queue>,
}

/// What the uploader does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Upload the chunk at the front.
    Chunk,
    /// Tell the end, which was at this time.
    End(u64),
}

impl QueueReader {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self { queue }
    }

    /// The stream that is pushed.
    pub(crate) fn path(&self) -> &StreamPath {
        &self.queue.path
    }

    /// Where the push's chunks lie.
    pub(crate) fn folder(&self) -> &Path {
        &self.queue.folder
    }

    /// What is known of the push now.
    pub(crate) fn record(&self) -> Record {
        self.queue.state().record.clone()
    }

    /// When the push began, Unix milliseconds.
    pub(crate) fn began_at_ms(&self) -> u64 {
        self.queue.state().record.push.began_at_ms
    }

    /// Completes when both codecs are known, or the push has ended.
    pub(crate) async fn codecs_known(&self) {
        while !self.queue.state().codecs_known {
            self.queue.arrived.notified().await;
        }
    }

    /// Waits until there is something to do.
    pub(crate) async fn next(&self) -> Next {
        loop {
            let next = {
                let state = self.queue.state();
                match state.chunks.front() {
                    Some(_) => Some(Next::Chunk),
                    None => state.record.ended_at_ms.map(Next::End),
                }
            };
            match next {
                Some(next) => return next,
                None => self.queue.arrived.notified().await,
            }
        }
    }

    /// Where later orders for the session go.
    pub(crate) fn orders_sender(&self) -> OrdersSender {
        self.queue.orders.clone()
    }

    /// The functions gave a session. What was spooled before is dropped if they want nothing.
    pub(crate) fn begun(&self, session: &str, orders: Orders) {
        let mut state = self.queue.state();
        if state.record.session.as_ref().is_none_or(|known| known.id != session) {
            state.record.session = Some(Session { id: session.to_owned(), numbering: None });
            if !orders.record {
                state.discard = state.record.ended_at_ms.is_none();
                state.chunks.drain(..).for_each(discard);
            }
        }
        self.queue.orders.send(orders);
    }

    /// The functions will not have the push at all.
    pub(crate) fn refuse(&self) {
        self.queue.refused.cancel();
    }

    /// The session is over: what is left goes into another.
    pub(crate) fn session_over(&self) {
        let mut state = self.queue.state();
        state.record.session = None;
        state.record.sessions_over += 1;
        self.queue.save(&state);
    }

    /// Looks at the chunk at the front, with its number in the session.
    ///
    /// The number is on disk before it is first used.
    pub(crate) fn front<T>(&self, look: impl FnOnce(&Chunk, u64) -> T) -> Option<T> {
        let mut state = self.queue.state();
        let State { record, chunks, .. } = &mut *state;
        let index = chunks.front()?.name.index;
        let session = record.session.as_mut()?;
        let is_new = session.numbering.is_none();
        let seq = session.numbering.get_or_insert(Numbering { index, seq: 0 }).seq_of(index);
        if is_new {
            self.queue.save(&state);
        }
        state.chunks.front().map(|chunk| look(chunk, seq))
    }

    /// The chunk at the front has another number than was thought.
    pub(crate) fn renumber_front(&self, seq: u64) {
        let mut state = self.queue.state();
        let State { record, chunks, .. } = &mut *state;
        if let (Some(session), Some(chunk)) = (&mut record.session, chunks.front()) {
            session.numbering = Some(Numbering { index: chunk.name.index, seq });
            self.queue.save(&state);
        }
    }

    /// The functions have the chunk at the front.
    pub(crate) fn acknowledged(&self) {
        let chunk = self.queue.state().chunks.pop_front();
        chunk.into_iter().for_each(discard);
    }

    /// Takes the chunk at the front away: its number becomes the next one's.
    pub(crate) fn take_refused(&self) -> Option<Chunk> {
        let mut state = self.queue.state();
        let chunk = state.chunks.pop_front()?;
        if let Some(numbering) = state.record.session.as_mut().and_then(|session| session.numbering.as_mut())
        {
            numbering.index += 1;
            self.queue.save(&state);
        }
        Some(chunk)
    }
}
