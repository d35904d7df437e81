//! One push, from its publish until all of it is acknowledged.

use std::{
    collections::VecDeque,
    fs, io,
    path::PathBuf,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use protocol::{ChunkPolicy, StreamPath};
use tokio::sync::Notify;

use crate::spool::{Chunk, Record, Recovered};

/// What the functions want of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instructions {
    pub(crate) record: bool,
    pub(crate) policy: ChunkPolicy,
}

/// What the connection that receives a push and the task that uploads it share.
#[derive(Debug)]
pub(crate) struct Ingest {
    pub(crate) path: StreamPath,
    pub(crate) folder: PathBuf,
    state: Mutex<State>,
    /// Wakes the uploader: a chunk, the codecs or the end came.
    pub(crate) arrived: Notify,
    /// Wakes the recorder: the functions want something else.
    pub(crate) instructed: Notify,
    live: AtomicBool,
    refused: AtomicBool,
}

#[derive(Debug)]
struct State {
    record: Record,
    chunks: VecDeque<Chunk>,
    next_index: u64,
    instructions: Instructions,
    /// Set when the functions want nothing and the recorder does not know it yet.
    discard: bool,
    codecs_known: bool,
}

/// What the uploader does next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Upload the chunk at the front.
    Chunk,
    /// Tell the end, which was at this time.
    End(u64),
    /// Wait for [`Ingest::arrived`].
    Wait,
}

impl Ingest {
    pub(crate) fn new(path: StreamPath, folder: PathBuf, record: Record) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        record.save(&folder)?;
        Ok(Self::with(path, folder, record, VecDeque::new(), true))
    }

    pub(crate) fn recovered(found: Recovered) -> Self {
        Self::with(found.path, found.folder, found.record, found.chunks, false)
    }

    fn with(path: StreamPath, folder: PathBuf, record: Record, chunks: VecDeque<Chunk>, live: bool) -> Self {
        let next_index = chunks.back().map_or(0, |chunk| chunk.index + 1);
        // Everything is spooled until the functions have answered.
        let instructions = Instructions { record: true, policy: ChunkPolicy::default() };
        let state = State { record, chunks, next_index, instructions, discard: false, codecs_known: !live };
        Self {
            path,
            folder,
            state: Mutex::new(state),
            arrived: Notify::new(),
            instructed: Notify::new(),
            live: AtomicBool::new(live),
            refused: AtomicBool::new(false),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether its connection is there.
    pub(crate) fn is_live(&self) -> bool {
        self.live.load(Ordering::Relaxed)
    }

    /// Whether the functions will not have it at all.
    pub(crate) fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    // The recorder's side.

    /// The index of the next file. Each one is used, or what it was given to is discarded as a whole.
    pub(crate) fn take_index(&self) -> u64 {
        let mut state = self.state();
        state.next_index += 1;
        state.next_index - 1
    }

    pub(crate) fn add_chunk(&self, chunk: Chunk) {
        let mut state = self.state();
        if state.discard {
            discard(chunk);
        } else {
            state.chunks.push_back(chunk);
            self.arrived.notify_one();
        }
    }

    /// What the functions want now, and whether they wanted nothing of what has been spooled.
    pub(crate) fn take_instructions(&self) -> (Instructions, bool) {
        let mut state = self.state();
        (state.instructions, std::mem::take(&mut state.discard))
    }

    /// Brings all that waits to disk.
    pub(crate) fn flush(&self) -> io::Result<()> {
        let mut state = self.state();
        // What is not on disk came after what is.
        let on_disk = state.chunks.iter().rposition(Chunk::is_on_disk).map_or(0, |last| last + 1);
        state.chunks.range_mut(on_disk..).try_for_each(Chunk::flush)
    }

    /// Gives back the memory of what waits and is on disk.
    pub(crate) fn leave_memory(&self) {
        self.state().chunks.iter_mut().for_each(Chunk::leave_memory);
    }

    pub(crate) fn has_waiting_chunks(&self) -> bool {
        !self.state().chunks.is_empty()
    }

    pub(crate) fn set_codecs(&self, video: &str, audio: &str, video_kbps: u32, complete: bool) {
        let mut state = self.state();
        state.record.video_codec = video.to_owned();
        state.record.audio_codec = audio.to_owned();
        state.record.video_kbps = video_kbps;
        if complete {
            state.codecs_known = true;
            self.arrived.notify_one();
        }
    }

    /// The connection is gone.
    pub(crate) fn end(&self, ended_at_ms: u64) {
        let mut state = self.state();
        state.record.ended_at_ms = Some(ended_at_ms);
        state.codecs_known = true;
        self.live.store(false, Ordering::Relaxed);
        self.save(&state);
        self.arrived.notify_one();
    }

    // The uploader's side.

    pub(crate) fn codecs_known(&self) -> bool {
        self.state().codecs_known
    }

    pub(crate) fn record(&self) -> Record {
        self.state().record.clone()
    }

    /// The functions gave a session. What was spooled before is dropped if they want nothing.
    pub(crate) fn begun(&self, session: &str, instructions: Instructions) {
        let mut state = self.state();
        let is_new = state.record.session.as_deref() != Some(session);
        state.record.session = Some(session.to_owned());
        if is_new {
            state.record.index_less_seq = None;
            if !instructions.record {
                state.discard = self.is_live();
                state.chunks.drain(..).for_each(discard);
            }
        }
        self.set_instructions(&mut state, instructions);
    }

    /// The functions will not have it at all.
    pub(crate) fn refuse(&self) {
        self.refused.store(true, Ordering::Relaxed);
        self.instructed.notify_one();
    }

    pub(crate) fn instruct(&self, instructions: Instructions) {
        self.set_instructions(&mut self.state(), instructions);
    }

    fn set_instructions(&self, state: &mut State, instructions: Instructions) {
        if state.instructions != instructions {
            state.instructions = instructions;
            self.instructed.notify_one();
        }
    }

    /// The session is over: what is left goes into another.
    pub(crate) fn session_over(&self) {
        let mut state = self.state();
        state.record.session = None;
        state.record.index_less_seq = None;
        state.record.sessions_over += 1;
        self.save(&state);
    }

    pub(crate) fn next(&self) -> Next {
        let state = self.state();
        match (state.chunks.front(), state.record.ended_at_ms) {
            (Some(_), _) => Next::Chunk,
            (None, Some(ended_at_ms)) => Next::End(ended_at_ms),
            (None, None) => Next::Wait,
        }
    }

    /// Looks at the chunk at the front, with its number in the session.
    ///
    /// The number is on disk before it is first used.
    pub(crate) fn front<T>(&self, look: impl FnOnce(&Chunk, u64) -> T) -> Option<T> {
        let mut state = self.state();
        let index = state.chunks.front()?.index as i64;
        if state.record.index_less_seq.is_none() {
            state.record.index_less_seq = Some(index);
            self.save(&state);
        }
        let seq = index - state.record.index_less_seq.unwrap_or(index);
        state.chunks.front().map(|chunk| look(chunk, seq as u64))
    }

    /// The chunk at the front has another number than was thought.
    pub(crate) fn renumber_front(&self, seq: u64) {
        let mut state = self.state();
        if let Some(chunk) = state.chunks.front() {
            state.record.index_less_seq = Some(chunk.index as i64 - seq as i64);
            self.save(&state);
        }
    }

    /// The chunk at the front is acknowledged.
    pub(crate) fn acknowledged(&self) {
        let chunk = self.state().chunks.pop_front();
        chunk.into_iter().for_each(discard);
    }

    /// Takes the chunk at the front away: its number is the next one's.
    pub(crate) fn take_refused(&self) -> Option<Chunk> {
        let mut state = self.state();
        let chunk = state.chunks.pop_front()?;
        state.record.index_less_seq = state.record.index_less_seq.map(|less| less + 1);
        self.save(&state);
        Some(chunk)
    }

    /// Files that have waited since before `than` and would not survive a loss of power; they are said to.
    pub(crate) fn take_unsynced(&self, than: Instant) -> Vec<PathBuf> {
        self.state().chunks.iter_mut().filter_map(|chunk| chunk.take_unsynced(than)).collect()
    }

    fn save(&self, state: &State) {
        if let Err(error) = state.record.save(&self.folder) {
            tracing::error!("{}: {} cannot be written: {error}", self.path, self.folder.display());
        }
    }
}

fn discard(chunk: Chunk) {
    if let Err(error) = chunk.delete() {
        tracing::error!("{} cannot be deleted: {error}", chunk.path().display());
    }
}
