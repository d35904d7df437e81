//! One push: its session, its chunks in order, its end.

use std::{fs, sync::Arc, time::Duration};

use exposition::Label;
use http::StatusCode;
use opentelemetry::Context as TraceContext;
use protocol::{
    BeginSession, ChunkPath, EndAnswer, EndSession, Generation, LossReason, LostChunk, SessionAnswer,
    SessionPath, conflict,
};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::{backoff::Backoff, before::Before, turns::Turns};
use crate::{
    clock::{LogLimit, ms_since},
    functions::{CallError, ChunkBody, Functions},
    gateway::Gateway,
    operation::{ChunkOutcome, ChunkTrace, Failure, Metrics},
    queue::{Answered, Ended, Next, QueueReader, Waits},
    sessions::Sessions,
    spool::Spool,
};

/// How long the first headers are waited for, so that the functions are told the codecs.
const CODECS_WAIT: Duration = Duration::from_secs(1);

/// How long after the disk refused a refused chunk it is tried again.
const KEEP_AGAIN: Duration = Duration::from_secs(1);

/// Brings pushes to the functions.
#[derive(Debug)]
pub(crate) struct Uploader {
    pub(crate) gateway: Gateway,
    pub(crate) functions: Functions,
    pub(crate) spool: Arc<Spool>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) turns: Turns,
    /// No call commits anything later than this after its begin.
    pub(crate) call_max: Duration,
}

impl Uploader {
    /// Begins the session of a push, after those of the same stream before it; `false` if it will have none.
    ///
    /// Tries for ever: what bounds the wait is the spool.
    pub(super) async fn begin(&self, queue: &QueueReader, before: Option<&Before>) -> bool {
        let Some(began) = queue.began().await else { return false };
        if queue.session().is_some() {
            return true;
        }
        // Codecs that are not known in time are left out.
        let _ = timeout(CODECS_WAIT, queue.codecs_known()).await;
        let mut backoff = Backoff::new(queue.path(), &self.functions);
        loop {
            let after = before.and_then(|before| before.after(began));
            let sent = Instant::now();
            let record = queue.record();
            let begin = BeginSession { after, ..self.gateway.begin(&record, began) };
            match self.functions.call(queue.path().clone(), &begin).await {
                Ok(answer) => {
                    let answered = Answered { sent, received: Instant::now(), began };
                    self.adopt(queue, answer, answered).await;
                    return true;
                }
                Err(error) if error.is_refusal() || record.is_resent && is_unknown(&error) => {
                    self.metrics.begin_failures.of(error.failure()).add_one();
                    self.keep_all_refused(queue, &error).await;
                    return false;
                }
                Err(error) => {
                    self.metrics.begin_failures.of(error.failure()).add_one();
                    queue.in_trouble(error.failure());
                    backoff.wait("session cannot be begun", &error).await;
                }
            }
        }
    }

    /// Adopts an offer; no other is used.
    async fn adopt(&self, queue: &QueueReader, answer: SessionAnswer, answered: Answered) {
        let SessionAnswer { session, chunk, orders, .. } = answer;
        tracing::info!("{}: session {session}, {} orders", queue.path(), orders.len());
        self.sessions.insert(&session, queue.orders_sender(), answered.began);
        queue.adopt(&self.spool, &session, chunk, &orders, answered).await;
    }

    /// Brings all of a push that has a session to the functions: its chunks, and as soon as it ends, its end.
    pub(super) async fn carry(&self, queue: &QueueReader) {
        let Some(session) = queue.session() else { return };
        let path = SessionPath { stream: queue.path().clone(), session };
        let _brought = self.turns.push();
        tokio::join!(self.tell_end(queue, &path), self.bring_chunks(queue, &path));
        self.delete(queue);
    }

    /// Deletes the folder of a push that is brought.
    pub(super) fn delete(&self, queue: &QueueReader) {
        if queue.folder().exists()
            && let Err(error) = fs::remove_dir_all(queue.folder())
        {
            tracing::error!("{}: {} cannot be deleted: {error}", queue.path(), queue.folder().display());
        }
    }

    /// A push that the functions will not have: its publisher is sent away, and what it sent is kept aside so
    /// that the spool stays free for others.
    async fn keep_all_refused(&self, queue: &QueueReader, refusal: &CallError) {
        tracing::error!("{}: push is refused: {refusal}", queue.path());
        queue.refuse();
        loop {
            match queue.next().await {
                Next::Chunk(index, ..) => {
                    self.metrics.chunks.of(ChunkOutcome::Refused).add_one();
                    self.keep_aside(queue, index, refusal, None).await;
                }
                Next::Lost(index, ..) => queue.acknowledged(index),
                Next::Done => break,
            }
        }
        queue.ended().await;
        queue.end_told();
    }

    async fn bring_chunks(&self, queue: &QueueReader, session: &SessionPath) {
        let push = queue.record().push.id;
        let mut bringer = Bringer {
            uploader: self,
            queue,
            session,
            push,
            backoff: Backoff::new(queue.path(), &self.functions),
            trace: None,
            missing: None,
            unreadable: None,
            told_to_wait: None,
        };
        loop {
            let is_taken = match queue.next().await {
                Next::Chunk(index, seq, body) => bringer.put(index, seq, body).await,
                Next::Lost(index, seq, lost, tried) => bringer.tell_lost(index, seq, lost, tried).await,
                Next::Done => return,
            };
            if is_taken {
                bringer.backoff = Backoff::new(queue.path(), &self.functions);
                (bringer.trace, bringer.missing, bringer.told_to_wait) = (None, None, None);
                bringer.unreadable = None;
            }
        }
    }

    /// Puts the chunk at the front aside: trying again would not help. Where the disk refuses that, it waits until the
    /// disk does not.
    async fn keep_aside(&self, queue: &QueueReader, index: u64, error: &CallError, lost: Option<LossReason>) {
        let path = queue.path();
        let kept = self.spool.refused().display();
        tracing::error!("{path}: chunk {index} is refused and kept in {kept}: {error}");
        self.move_aside(queue, index, error, lost).await;
    }

    /// Gives up the chunk at the front, which cannot be read. What is left of it is kept aside: another disk, or the same one
    /// later, may read it.
    async fn lose(&self, queue: &QueueReader, index: u64, error: &CallError) {
        tracing::error!("{}: chunk {index} is damaged: {error}", queue.path());
        self.move_aside(queue, index, error, Some(LossReason::Damaged)).await;
    }

    async fn move_aside(&self, queue: &QueueReader, index: u64, error: &CallError, lost: Option<LossReason>) {
        let (path, kept) = (queue.path(), self.spool.refused().display());
        let mut limit = LogLimit::default();
        while let Err(refusal) = queue.put_aside(index, &self.spool, error.to_string(), lost).await {
            if limit.permits() {
                tracing::error!("{path}: chunk {index} cannot be kept in {kept} yet: {refusal}");
            }
            sleep(KEEP_AGAIN).await;
        }
    }

    /// Tells the end as soon as there is one, until the functions know it.
    async fn tell_end(&self, queue: &QueueReader, session: &SessionPath) {
        let Some(Ended { at, duration_ms, chunks }) = queue.ended().await else { return };
        queue.sync_end(&self.spool).await;
        self.sessions.remove(&session.session);
        let path = queue.path();
        let (mut backoff, mut told_to_wait) = (Backoff::new(path, &self.functions), None);
        loop {
            let end = EndSession { ended_ago_ms: ms_since(at), duration_ms, chunks };
            match self.functions.call(session.clone(), &end).await {
                Ok(EndAnswer { chunks }) => {
                    tracing::info!("{path}: session ended with {chunks} chunks");
                    break;
                }
                // It is past its retention, or cannot be told.
                Err(error) if error.is_refusal() || error.status() == Some(StatusCode::GONE) => {
                    tracing::error!("{path}: the end of {session} is refused: {error}");
                    break;
                }
                Err(error) => {
                    if self.is_trouble(error.failure(), &mut told_to_wait) {
                        queue.end_in_trouble(error.failure());
                    }
                    backoff.wait("session cannot be ended", &error).await;
                }
            }
        }
        queue.end_told();
    }

    /// Whether a push of which a try failed is in trouble. One that has to wait for chunks of another session is in none,
    /// unless that lasts. `told_to_wait`: since when it has to.
    fn is_trouble(&self, failure: Failure, told_to_wait: &mut Option<Instant>) -> bool {
        if failure != Failure::Order {
            *told_to_wait = None;
            return true;
        }
        told_to_wait.get_or_insert_with(Instant::now).elapsed() >= self.call_max
    }
}

/// Whether the functions do not know what a call is about.
fn is_unknown(error: &CallError) -> bool {
    error.status() == Some(StatusCode::NOT_FOUND)
}

/// Brings the chunks of one session.
struct Bringer<'a> {
    uploader: &'a Uploader,
    queue: &'a QueueReader,
    session: &'a SessionPath,
    push: String,
    backoff: Backoff<'a>,
    /// The trace of the chunk at the front, and its index.
    trace: Option<(u64, ChunkTrace)>,
    /// Since when the functions want a chunk before the one at the front that is not here.
    missing: Option<Instant>,
    /// Since when the one at the front cannot be read.
    unreadable: Option<Instant>,
    /// Since when they want something else first, here or not.
    told_to_wait: Option<Instant>,
}

impl Bringer<'_> {
    /// Tries the chunk at the front once; whether the functions have taken it.
    async fn put(&mut self, index: u64, seq: u64, body: ChunkBody) -> bool {
        let (from_ms, generation) = (body.name().offset_ms, body.name().generation);
        let Uploader { metrics, functions, turns, .. } = self.uploader;
        let (bytes, Waits { chunks: waiting, oldest, .. }) = (body.bytes(), self.queue.waits());
        let path = self.path(seq);
        let part_of = self.trace_of(index, seq, bytes).context();
        let put = functions.put_chunk(path, &self.push, body, &part_of);
        let answer = if waiting > 1 { put.await } else { turns.call(put).await };
        self.queue.tried(index);
        let error = match answer {
            Ok(headers) => {
                self.queue.acknowledged(index);
                self.trace.take().into_iter().for_each(|(_, trace)| trace.acknowledged());
                metrics.chunks.of(ChunkOutcome::Acknowledged).add_one();
                metrics.chunk_bytes.add(bytes);
                metrics.take_remuxed(&headers);
                oldest.into_iter().for_each(|ended| metrics.chunk_delay.observe(ended.elapsed()));
                return true;
            }
            Err(error) => error,
        };
        match (error.status(), &error) {
            _ if error.is_refusal() => {
                metrics.chunks.of(ChunkOutcome::Refused).add_one();
                self.uploader.keep_aside(self.queue, index, &error, Some(LossReason::Refused)).await;
                return false;
            }
            // It is past its retention, or told lost: no more is to be told of it.
            (Some(StatusCode::GONE), _) => {
                metrics.chunks.of(ChunkOutcome::Late).add_one();
                self.uploader.keep_aside(self.queue, index, &error, None).await;
                return true;
            }
            (_, CallError::Problem(_, problem)) if problem.code == conflict::LOST => {
                metrics.chunks.of(ChunkOutcome::Late).add_one();
                self.uploader.keep_aside(self.queue, index, &error, None).await;
                return true;
            }
            (_, CallError::Unreadable(_)) => {
                let since = *self.unreadable.get_or_insert_with(Instant::now);
                // A disk may come back, and a file does not.
                if self.queue.is_gone(index) || since.elapsed() >= self.uploader.call_max {
                    self.unreadable = None;
                    self.uploader.lose(self.queue, index, &error).await;
                    return false;
                }
            }
            _ => self.unreadable = None,
        }
        let failure = error.failure();
        metrics.chunk_failures.of(failure).add_one();
        self.note_trouble(failure);
        self.fill_gap(seq, from_ms, generation, &error).await;
        self.backoff.wait("chunk cannot be uploaded", &error).await;
        false
    }

    /// Tells that the chunk at the front will not come, once no try of it can have an effect any more; whether the
    /// functions know it.
    async fn tell_lost(&mut self, index: u64, seq: u64, lost: LostChunk, tried: Option<Instant>) -> bool {
        if let Some(tried) = tried {
            sleep_until(tried + self.uploader.call_max).await;
        }
        let part_of = self.trace_of(index, seq, 0).context();
        let answer = self.uploader.functions.put_lost(self.path(seq), &self.push, &lost, &part_of).await;
        let Err(error) = answer else {
            self.trace.take().into_iter().for_each(|(_, trace)| trace.lost(lost.lost.as_str()));
            self.uploader.metrics.gaps.of(lost.lost).add_one();
            tracing::warn!("{}: chunk {seq} is told lost: {:?}", self.queue.path(), lost.lost);
            self.queue.acknowledged(index);
            return true;
        };
        if error.is_refusal() || error.status() == Some(StatusCode::GONE) {
            tracing::error!("{}: the loss of chunk {seq} cannot be told: {error}", self.queue.path());
            self.queue.acknowledged(index);
            return true;
        }
        self.note_trouble(error.failure());
        self.fill_gap(seq, lost.from_ms, lost.generation, &error).await;
        self.backoff.wait("loss of a chunk cannot be told", &error).await;
        false
    }

    fn note_trouble(&mut self, failure: Failure) {
        if self.uploader.is_trouble(failure, &mut self.told_to_wait) {
            self.queue.in_trouble(failure);
        }
    }

    /// Where the functions want chunks before this one that are not here any more, tells that they will not come. They
    /// had been acknowledged, and the store that held them is lost.
    async fn fill_gap(&mut self, seq: u64, from_ms: u64, generation: Generation, error: &CallError) {
        let CallError::Problem(StatusCode::CONFLICT, problem) = error else { return };
        let is_gap = problem.code == conflict::GAP;
        let Some(expected) = problem.expected.filter(|expected| is_gap && *expected < seq) else { return };
        let since = *self.missing.get_or_insert_with(Instant::now);
        if since.elapsed() < self.uploader.call_max {
            return;
        }
        tracing::error!(
            "{}: chunks {expected} to {}, which were acknowledged, are told lost: {error}",
            self.queue.path(),
            seq - 1
        );
        let lost = LostChunk { lost: LossReason::Acknowledged, from_ms, to_ms: from_ms, generation };
        for missing in expected..seq {
            let part_of = TraceContext::new();
            let path = self.path(missing);
            if let Err(error) = self.uploader.functions.put_lost(path, &self.push, &lost, &part_of).await {
                return tracing::warn!("{}: loss of chunk {missing}: {error}", self.queue.path());
            }
            self.uploader.metrics.gaps.of(lost.lost).add_one();
        }
        self.backoff = Backoff::new(self.queue.path(), &self.uploader.functions);
    }

    /// The trace of the chunk at the front, which begins with the first try. Another chunk's, which was given up, ends.
    fn trace_of(&mut self, index: u64, seq: u64, bytes: u64) -> &ChunkTrace {
        if self.trace.as_ref().is_none_or(|(of, _)| *of != index) {
            self.trace = Some((index, ChunkTrace::begin(&self.path(seq), bytes, self.queue.front_frames())));
        }
        &self.trace.as_ref().expect("it was just begun").1
    }

    fn path(&self, seq: u64) -> ChunkPath {
        ChunkPath { session: self.session.clone(), seq }
    }
}
