//! What both ends of a queue share.

use std::{
    collections::VecDeque,
    io,
    path::PathBuf,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use protocol::StreamPath;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::orders::{OrdersSender, Schedule};
use crate::{
    operation::Failure,
    spool::{Account, Record, Waiting},
    tell::{Event, Tell},
};

#[derive(Debug)]
pub(super) struct Queue {
    pub(super) path: StreamPath,
    pub(super) folder: PathBuf,
    pub(super) account: Arc<Account>,
    pub(super) tell: Arc<Tell>,
    state: Mutex<State>,
    /// When the last coded frame came, in milliseconds since the push began.
    pub(super) last_frame_ms: AtomicU64,
    /// Wakes whoever waits for a change of the state.
    changed: Notify,
    pub(super) orders: OrdersSender,
    /// Cancelled when the functions will not have the push at all.
    pub(super) refused: CancellationToken,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) record: Record,
    /// What is to be brought to the functions, in order.
    pub(super) waiting: VecDeque<Waiting>,
    pub(super) next_index: u64,
    /// The session that is being adopted, or is.
    pub(super) session: Option<String>,
    /// The index of the chunk whose number is 0.
    pub(super) first_index: u64,
    /// The last chunk that was cut.
    pub(super) last_cut: Option<u64>,
    pub(super) codecs_known: bool,
    /// When the first coded frame came, and that it is to be told.
    pub(super) began: Option<(Instant, Event)>,
    /// That the end is to be told.
    pub(super) ended: Option<Event>,
    /// Whether what was spooled before the functions answered has been gone through.
    pub(super) is_settled: bool,
    /// The chunk that the functions are being given.
    pub(super) trying: Option<u64>,
    /// The chunk that they were last given, and until when: they may have taken it, whatever they answered.
    pub(super) tried: Option<(u64, Instant)>,
    /// When the functions last took something.
    pub(super) taken: Option<Instant>,
    /// Since when something has waited without a break.
    pub(super) waits_since: Option<Instant>,
    /// Whether the disk has refused to say whose push it is, or which session it has.
    pub(super) is_unnoted: bool,
    /// Why it should be recorded and is not.
    pub(super) trouble: Option<Trouble>,
    /// Why its end is not told.
    pub(super) end_trouble: Option<Trouble>,
}

/// Why a push should be recorded and is not: the last try to begin it, to bring a chunk of it or the loss of one, or to tell
/// its end failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trouble {
    pub(crate) failure: Failure,
    pub(crate) since: Instant,
}

/// What of a push waits for the functions.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Waits {
    pub(crate) chunks: usize,
    /// When the last frame of the oldest one came.
    pub(crate) oldest: Option<Instant>,
    pub(crate) trouble: Option<Trouble>,
}

impl Trouble {
    /// Another try failed.
    pub(super) fn note(trouble: &mut Option<Self>, failure: Failure) {
        let since = trouble.map_or_else(Instant::now, |trouble| trouble.since);
        *trouble = Some(Self { failure, since });
    }
}

impl Queue {
    pub(super) fn new(
        path: StreamPath,
        folder: PathBuf,
        account: Arc<Account>,
        tell: Arc<Tell>,
        state: State,
    ) -> Self {
        Self {
            path,
            folder,
            account,
            tell,
            state: state.into(),
            last_frame_ms: AtomicU64::new(0),
            changed: Notify::new(),
            orders: OrdersSender::default(),
            refused: CancellationToken::new(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and wakes whoever waits for it.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.state());
        self.changed.notify_waiters();
        changed
    }

    /// Waits until the state has what is looked for.
    pub(super) async fn until<T>(&self, look: impl Fn(&mut State) -> Option<T>) -> T {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            let found = look(&mut self.state());
            match found {
                Some(found) => return found,
                None => changed.await,
            }
        }
    }

    /// When the last coded frame came, if one has.
    pub(super) fn last_frame(&self) -> Option<Instant> {
        let (began, _) = self.state().began?;
        Some(began + Duration::from_millis(self.last_frame_ms.load(Ordering::Relaxed)))
    }

    /// Takes what is at the front away, of which the functions have nothing more to hear.
    ///
    /// That is written down before its file goes: no file may be left to tell a restart how many there were.
    pub(super) fn take_front(&self, state: &mut State) -> Option<Waiting> {
        let front = state.waiting.pop_front()?;
        if let Some(session) = &mut state.record.session {
            session.known_to = front.index() + 1;
            self.save(state);
        }
        Some(front)
    }

    /// Writes down how far the push is.
    pub(super) fn save(&self, state: &mut State) {
        self.note(state);
        if let Err(error) = state.record.save(&self.folder) {
            tracing::error!("{}: {} cannot be written: {error}", self.path, self.folder.display());
        }
    }

    /// The disk refuses to say whose push it is, or which session it has. It says nothing then, lest a restart begin the
    /// push once more.
    pub(super) fn not_noted(&self, error: &io::Error) {
        tracing::error!("{}: {} cannot be written: {error}", self.path, self.folder.display());
        Record::forget(&self.folder);
        self.state().is_unnoted = true;
    }

    /// Tries to write down what the disk has refused.
    pub(super) fn note(&self, state: &mut State) {
        if state.is_unnoted && state.record.create(&self.folder).is_ok() {
            state.is_unnoted = false;
        }
    }
}

impl State {
    pub(super) fn new(record: Record) -> Self {
        Self {
            record,
            waiting: VecDeque::new(),
            next_index: 0,
            session: None,
            first_index: 0,
            last_cut: None,
            codecs_known: false,
            began: None,
            ended: None,
            is_settled: false,
            trying: None,
            tried: None,
            taken: None,
            waits_since: None,
            is_unnoted: false,
            trouble: None,
            end_trouble: None,
        }
    }

    pub(super) fn waits(&self) -> Waits {
        let oldest_ms = self.waiting.front().map(|front| match front {
            Waiting::Chunk(chunk) => chunk.end_ms,
            Waiting::Lost(gap) => gap.lost.to_ms,
        });
        let oldest = self.began.zip(oldest_ms).map(|((began, _), ms)| began + Duration::from_millis(ms));
        Waits { chunks: self.waiting.len(), oldest, trouble: self.trouble.or(self.end_trouble) }
    }

    /// The place of the oldest chunk that can be given up, which the functions have not begun to take. Where
    /// `even_tried`, also one that they were given and did not answer for, though not while they are given it.
    pub(super) fn oldest_to_give_up(&self, even_tried: bool) -> Option<usize> {
        self.waiting.iter().position(|waiting| match waiting {
            Waiting::Chunk(chunk) => {
                let index = chunk.name.index;
                self.trying != Some(index) && (even_tried || self.last_try(index).is_none())
            }
            Waiting::Lost(_) => false,
        })
    }

    /// When the functions were last given a chunk, if they were.
    pub(super) fn last_try(&self, index: u64) -> Option<Instant> {
        self.tried.filter(|(tried, _)| *tried == index).map(|(_, at)| at)
    }

    /// Goes through what was spooled before the functions answered: drops what is not wanted at both ends, so that
    /// numbers have no gaps. `open_index`: the chunk that is being written, if it is wanted.
    pub(super) fn settle(&mut self, schedule: &Schedule, open_index: Option<u64>) {
        let Some((began, _)) = self.began else { return };
        let at = |ms| began + Duration::from_millis(ms);
        let is_wanted = |waiting: &Waiting| match waiting {
            Waiting::Chunk(chunk) => schedule.wants(at(chunk.name.offset_ms), at(chunk.end_ms)),
            Waiting::Lost(gap) => schedule.wants(at(gap.lost.from_ms), at(gap.lost.to_ms)),
        };
        let first = self.waiting.iter().position(is_wanted).unwrap_or(self.waiting.len());
        self.waiting.drain(..first).for_each(discard);
        if open_index.is_none() {
            let end = self.waiting.iter().rposition(is_wanted).map_or(0, |last| last + 1);
            // From the last on: a crash in between leaves no gap.
            self.waiting.drain(end..).rev().for_each(discard);
            self.next_index = self.waiting.back().map_or(self.next_index, |last| last.index() + 1);
            if let Some(end) = &mut self.record.end {
                end.next_index = self.next_index;
            }
        }
        self.last_cut = self.waiting.back().map(Waiting::index);
        self.first_index = self.waiting.front().map(Waiting::index).or(open_index).unwrap_or(self.next_index);
        self.is_settled = true;
        for waiting in &mut self.waiting {
            let Waiting::Chunk(chunk) = waiting else { continue };
            let held = schedule.at(at(chunk.end_ms)).filter(|order| order.record);
            // It began before a window's begin, which was not known: no other file begins there.
            if let Some(order) = held.filter(|order| order.generation.files != chunk.name.generation.files) {
                chunk.number(chunk.name.index, order.generation);
            }
        }
    }
}

/// Deletes what nobody has to be told any more.
pub(super) fn discard(waiting: Waiting) {
    match waiting {
        Waiting::Chunk(chunk) => {
            if let Err(error) = chunk.delete() {
                tracing::error!("{} cannot be deleted: {error}", chunk.path().display());
            }
        }
        Waiting::Lost(gap) => {
            if let Err(error) = gap.delete() {
                tracing::error!("gap {} cannot be deleted: {error}", gap.index);
            }
        }
    }
}
