//! The uploader's end of a queue.

use std::{io, path::Path, sync::Arc, time::Duration};

use protocol::{ChunkPolicy, LossReason, LostChunk, Order, StreamPath};
use tokio::time::Instant;

use super::{
    orders::{Answered, OrdersSender},
    shared::{Queue, State, Trouble, Waits, discard},
};
use crate::{
    functions::ChunkBody,
    operation::Failure,
    spool::{Account, Chunk, Gap, Record, Refused, Session, Spool, Waiting},
};

/// Takes the chunks of one push away, in order, and keeps the push's record.
#[derive(Clone, Debug)]
pub(crate) struct QueueReader {
    queue: Arc<Queue>,
}

/// What the uploader does next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Upload the chunk of this index, under this number.
    Chunk(u64, u64, ChunkBody),
    /// Tell that the chunk of this index and this number will not come, which was last tried then.
    Lost(u64, u64, LostChunk, Option<Instant>),
    /// Nothing, and nothing will come.
    Done,
}

/// How a push ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    pub(crate) at: Instant,
    pub(crate) duration_ms: u64,
    pub(crate) chunks: u64,
}

impl QueueReader {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self { queue }
    }

    /// Whether both are of one push.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.queue, &other.queue)
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

    /// What is known of the push now.
    pub(crate) fn record(&self) -> Record {
        self.queue.state().record.clone()
    }

    /// The session that was adopted.
    pub(crate) fn session(&self) -> Option<String> {
        self.queue.state().record.session.as_ref().map(|session| session.id.clone())
    }

    /// Waits for the first coded frame; `None` if the push ends without one.
    pub(crate) async fn began(&self) -> Option<Instant> {
        let look = |state: &mut State| match state.began {
            Some((began, _)) => Some(Some(began)),
            None => state.record.end.map(|_| None),
        };
        self.queue.until(look).await
    }

    /// When the last coded frame came, so far.
    pub(crate) fn last_frame(&self) -> Option<Instant> {
        self.queue.last_frame()
    }

    /// Completes when both codecs are known, or the push has ended.
    pub(crate) async fn codecs_known(&self) {
        self.queue.until(|state| state.codecs_known.then_some(())).await;
    }

    /// Where later orders for the session go.
    pub(crate) fn orders_sender(&self) -> OrdersSender {
        self.queue.orders.clone()
    }

    /// Adopts the session that the functions offer: it is written down before any of its chunks is sent, or, where the
    /// disk refuses that, a restart finds no push. What was spooled before and is not wanted is dropped.
    pub(crate) async fn adopt(
        &self,
        spool: &Spool,
        session: &str,
        chunk: ChunkPolicy,
        orders: &[Order],
        answered: Answered,
    ) {
        let queue = &self.queue;
        {
            let mut state = queue.state();
            state.session = Some(session.to_owned());
            state.trouble = None;
        }
        queue.orders.send(chunk, orders, answered);
        let settled = |state: &mut State| {
            if !state.is_settled && state.record.end.is_some() {
                state.settle(&queue.orders.now().schedule.unwrap_or_default(), None);
            }
            state.is_settled.then_some(())
        };
        queue.until(settled).await;
        let record = queue.change(|state| {
            let first_index = state.first_index;
            let id = session.to_owned();
            state.record.session = Some(Session { id, first_index, known_to: 0, is_end_told: false });
            // An end may count fewer chunks than before; after the session was written down, a crash would leave the rest
            // to be told as lost.
            if state.record.end.is_some() {
                queue.save(state);
            }
            state.record.clone()
        });
        let folder = queue.folder.clone();
        let saved = spool.spawn(move || record.save_durably(&folder)).await;
        if let Err(error) = saved.map_err(io::Error::other).flatten() {
            queue.not_noted(&error);
        }
        if let Some((_, began)) = queue.state().began {
            queue.tell.adopted(session, began);
        }
    }

    /// The last try to begin it, or to bring a chunk of it or the loss of one, failed.
    pub(crate) fn in_trouble(&self, failure: Failure) {
        Trouble::note(&mut self.queue.state().trouble, failure);
    }

    /// The last try to tell its end failed.
    pub(crate) fn end_in_trouble(&self, failure: Failure) {
        Trouble::note(&mut self.queue.state().end_trouble, failure);
    }

    /// What of it waits, and why.
    pub(crate) fn waits(&self) -> Waits {
        self.queue.state().waits()
    }

    /// When the first and the last frame of the chunk at the front came.
    pub(crate) fn front_frames(&self) -> Option<(Instant, Instant)> {
        let state = self.queue.state();
        let (began, _) = state.began?;
        let Some(Waiting::Chunk(chunk)) = state.waiting.front() else { return None };
        let at = |ms| began + Duration::from_millis(ms);
        Some((at(chunk.name.offset_ms), at(chunk.end_ms)))
    }

    /// The functions will not have the push at all.
    pub(crate) fn refuse(&self) {
        self.queue.refused.cancel();
        let event = self.queue.state().began.map(|(_, event)| event);
        event.into_iter().for_each(|event| self.queue.tell.told(event));
    }

    /// Waits until there is something to do.
    pub(crate) async fn next(&self) -> Next {
        let queue = &self.queue;
        let look = |state: &mut State| {
            let first_index = state.first_index;
            let is_over = state.record.end.is_some();
            match state.waiting.front_mut() {
                Some(Waiting::Chunk(chunk)) => {
                    if let Err(error) = chunk.prepare() {
                        tracing::error!(
                            "{}: {} cannot be written: {error}",
                            queue.path,
                            chunk.path().display()
                        );
                    }
                    let (index, body) = (chunk.name.index, ChunkBody::of(chunk));
                    state.trying = Some(index);
                    Some(Next::Chunk(index, index - first_index, body))
                }
                Some(Waiting::Lost(gap)) => {
                    Some(Next::Lost(gap.index, gap.index - first_index, gap.lost, gap.tried))
                }
                None => is_over.then_some(Next::Done),
            }
        };
        queue.until(look).await
    }

    /// The functions were given a chunk, and have answered or will not.
    pub(crate) fn tried(&self, index: u64) {
        let mut state = self.queue.state();
        state.trying = None;
        state.tried = Some((index, Instant::now()));
    }

    /// The functions know of the chunk at the front, or of its loss.
    pub(crate) fn acknowledged(&self, index: u64) {
        let front = self.queue.change(|state| {
            state.taken = Some(Instant::now());
            state.trouble = None;
            if matches!(state.waiting.front(), Some(Waiting::Chunk(_))) {
                self.queue.account.note_taken();
            }
            let is_front = state.waiting.front().is_some_and(|front| front.index() == index);
            if is_front { self.queue.take_front(state) } else { None }
        });
        front.into_iter().for_each(discard);
    }

    /// Moves the chunk at the front to the refused ones. `lost`: why the functions are told that it will not come. Where
    /// the disk refuses that, it stays at the front.
    pub(crate) async fn put_aside(
        &self,
        index: u64,
        spool: &Arc<Spool>,
        reason: String,
        lost: Option<LossReason>,
    ) -> io::Result<()> {
        let moving = {
            let mut state = self.queue.state();
            let record = state.record.clone();
            // Nobody gives it up meanwhile.
            state.trying = Some(index);
            match state.waiting.front_mut() {
                Some(Waiting::Chunk(chunk)) if chunk.name.index == index => chunk
                    .flush()
                    .map(|()| Some((Refused::new(record, chunk, reason), chunk.path().to_owned()))),
                _ => Ok(None),
            }
        };
        let kept = match moving {
            Ok(Some((refused, path))) => {
                let folder = spool.refused().to_owned();
                let is_damaged = lost == Some(LossReason::Damaged);
                let keep = if is_damaged { Refused::keep_as_it_is } else { Refused::keep };
                let kept = spool.spawn(move || match keep(&refused, &folder, &path) {
                    // There is nothing left to keep.
                    Err(error) if is_gone(&path) => {
                        tracing::error!("{} is gone: {error}", path.display());
                        Ok(None)
                    }
                    kept => kept.map(Some),
                });
                kept.await.map_err(io::Error::other).flatten()
            }
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        self.queue.change(|state| {
            state.trying = None;
            let id = kept?;
            // Only now: a restart deletes what is told lost.
            let front = match (state.waiting.front(), lost) {
                (Some(Waiting::Chunk(chunk)), _) if chunk.name.index != index => None,
                (Some(Waiting::Chunk(chunk)), Some(reason)) => {
                    let gap = gap_of(&self.queue.folder, chunk, reason, Some(Instant::now()));
                    self.save_gap(&gap);
                    Some(std::mem::replace(&mut state.waiting[0], Waiting::Lost(gap)))
                }
                (Some(Waiting::Chunk(_)), None) => self.queue.take_front(state),
                _ => None,
            };
            if let (Some(id), Some(Waiting::Chunk(chunk))) = (id, front) {
                spool.keep_refused(&self.queue.path, id, chunk);
            }
            Ok(())
        })
    }

    /// Whether the file of the chunk at the front is not there any more.
    pub(crate) fn is_gone(&self, index: u64) -> bool {
        match self.queue.state().waiting.front() {
            Some(Waiting::Chunk(chunk)) => chunk.name.index == index && is_gone(chunk.path()),
            _ => false,
        }
    }

    fn save_gap(&self, gap: &Gap) {
        if let Err(error) = gap.save() {
            tracing::error!(
                "{}: loss of chunk {} cannot be written down: {error}",
                self.queue.path,
                gap.index
            );
        }
    }

    /// Gives up a chunk that somebody drops by hand; `None` while the functions are being given it, `false` if it does
    /// not wait.
    pub(crate) fn drop_chunk(&self, index: u64) -> Option<bool> {
        self.queue.change(|state| {
            let is_it =
                |waiting: &Waiting| matches!(waiting, Waiting::Chunk(chunk) if chunk.name.index == index);
            match state.waiting.iter().position(is_it) {
                _ if state.trying == Some(index) => None,
                Some(at) => Some(self.give_up(state, at)),
                None => Some(false),
            }
        })
    }

    /// Gives up the oldest chunk that waits, and that the functions have not begun to take; `false` if there is none.
    /// `even_tried`: as in [`State::oldest_to_give_up`].
    pub(crate) fn shed(&self, even_tried: bool) -> bool {
        self.queue.change(|state| match state.oldest_to_give_up(even_tried) {
            Some(at) => self.give_up(state, at),
            None => false,
        })
    }

    fn give_up(&self, state: &mut State, at: usize) -> bool {
        let Waiting::Chunk(chunk) = &state.waiting[at] else { return false };
        let tried = state.last_try(chunk.name.index);
        let gap = gap_of(&self.queue.folder, chunk, LossReason::Shed, tried);
        self.save_gap(&gap);
        discard(std::mem::replace(&mut state.waiting[at], Waiting::Lost(gap)));
        true
    }

    /// Whether something has waited for so long.
    pub(crate) fn has_waited(&self, since: Duration) -> bool {
        let state = self.queue.state();
        !state.waiting.is_empty() && state.waits_since.is_some_and(|at| at.elapsed() >= since)
    }

    /// Whether the functions have taken something within this time.
    pub(crate) fn was_taken(&self, within: Duration) -> bool {
        self.queue.state().taken.is_some_and(|at| at.elapsed() < within)
    }

    /// Waits for the end of the push; `None` if it is told already.
    pub(crate) async fn ended(&self) -> Option<Ended> {
        let queue = &self.queue;
        let look = |state: &mut State| {
            let end = state.record.end?;
            let is_told = state.record.session.as_ref().is_some_and(|session| session.is_end_told);
            let (began, _) = state.began?;
            let at = began + Duration::from_millis(end.duration_ms);
            let chunks = end.next_index.saturating_sub(state.first_index);
            Some((!is_told).then_some(Ended { at, duration_ms: end.duration_ms, chunks }))
        };
        queue.until(look).await
    }

    /// Has the end survive a loss of power: the functions are about to wait for as many chunks as it counts.
    pub(crate) async fn sync_end(&self, spool: &Spool) {
        let (record, folder) = (self.record(), self.queue.folder.clone());
        let saved = spool.spawn(move || record.save_durably(&folder)).await;
        if let Err(error) = saved.map_err(io::Error::other).flatten() {
            tracing::error!("{}: the end cannot be written down: {error}", self.queue.path);
        }
    }

    /// The functions know the end, or will never have it.
    pub(crate) fn end_told(&self) {
        let queue = &self.queue;
        let (session, event) = queue.change(|state| {
            if let Some(session) = &mut state.record.session {
                session.is_end_told = true;
            }
            state.end_trouble = None;
            queue.save(state);
            (state.session.clone(), state.ended)
        });
        event.into_iter().for_each(|event| queue.tell.told(event));
        session.into_iter().for_each(|session| queue.tell.end_told(&session));
    }
}

/// Whether a file is not in its folder: a disk that cannot tell does not say so.
fn is_gone(path: &Path) -> bool {
    path.try_exists().is_ok_and(|exists| !exists) && path.parent().is_some_and(Path::is_dir)
}

/// The place of a chunk that will not come.
fn gap_of(folder: &Path, chunk: &Chunk, lost: LossReason, tried: Option<Instant>) -> Gap {
    let (from_ms, generation) = (chunk.name.offset_ms, chunk.name.generation);
    let lost = LostChunk { lost, from_ms, to_ms: chunk.end_ms.max(from_ms), generation };
    Gap::new(folder, chunk.name.index, lost, tried)
}
