//! One push: its session, its chunks in order, its end.

use std::{fs, sync::Arc, time::Duration};

use http::StatusCode;
use protocol::{BeginSession, ChunkPath, EndAnswer, EndSession, SessionAnswer, SessionPath};
use tokio::time::timeout;

use super::backoff::Backoff;
use crate::{
    clock::unix_ms,
    functions::{CallError, ChunkBody, Functions},
    queue::{Next, Orders, QueueReader},
    sessions::Sessions,
    spool::Spool,
};

/// How long the first headers are waited for, so that the functions are told the codecs.
const CODECS_WAIT: Duration = Duration::from_secs(1);

/// Answers about what was sent, not about who sent it or when: the same again would be answered the same.
const REFUSALS: [StatusCode; 3] =
    [StatusCode::BAD_REQUEST, StatusCode::PAYLOAD_TOO_LARGE, StatusCode::UNPROCESSABLE_ENTITY];

/// Brings pushes to the functions.
#[derive(Debug)]
pub(crate) struct Uploader {
    /// Name of the gateway.
    pub(crate) gateway: String,
    pub(crate) functions: Functions,
    pub(crate) spool: Arc<Spool>,
    pub(crate) sessions: Arc<Sessions>,
}

/// The functions take no more for this session, and the push has more.
struct SessionOver;

impl Uploader {
    /// Uploads all of a push and returns when the functions know its end.
    ///
    /// Tries for ever: what bounds the wait is the spool, which holds publishers back when it is full.
    pub(crate) async fn upload(&self, queue: &QueueReader) {
        while let Err(SessionOver) = self.upload_session(queue).await {
            queue.session_over();
        }
        if let Err(error) = fs::remove_dir_all(queue.folder()) {
            tracing::error!("{}: {} cannot be deleted: {error}", queue.path(), queue.folder().display());
        }
    }

    async fn upload_session(&self, queue: &QueueReader) -> Result<(), SessionOver> {
        let session = match queue.record().session {
            Some(session) => session.id,
            None => match self.begin(queue).await {
                Ok(session) => session,
                Err(refusal) => {
                    self.keep_all_refused(queue, &refusal).await;
                    return Ok(());
                }
            },
        };
        self.sessions.insert(&session, queue.orders_sender());
        let outcome = self.upload_chunks(queue, &session).await;
        self.sessions.remove(&session);
        outcome
    }

    /// The session's name, or why there will never be one.
    async fn begin(&self, queue: &QueueReader) -> Result<String, CallError> {
        // Codecs that are not known in time are left out.
        let _ = timeout(CODECS_WAIT, queue.codecs_known()).await;
        let mut backoff = Backoff::new(queue.path());
        loop {
            let begin: BeginSession = queue.record().begin(&self.gateway);
            match self.functions.call(queue.path().clone(), &begin).await {
                Ok(SessionAnswer { session, record, chunk }) => {
                    tracing::info!("{}: session {session}, record: {record}", queue.path());
                    queue.begun(&session, Orders { record, chunk });
                    return Ok(session);
                }
                Err(CallError::Status(status, problem)) if REFUSALS.contains(&status) => {
                    return Err(CallError::Status(status, problem));
                }
                Err(error) => backoff.wait("session cannot be begun", &error).await,
            }
        }
    }

    /// A push that the functions will not have: its publisher is sent away, and what it sent is kept aside so
    /// that the spool stays free for others.
    async fn keep_all_refused(&self, queue: &QueueReader, refusal: &CallError) {
        tracing::error!("{}: push is refused: {refusal}", queue.path());
        queue.refuse();
        while queue.next().await == Next::Chunk {
            self.keep_refused(queue, refusal);
        }
    }

    async fn upload_chunks(&self, queue: &QueueReader, session: &str) -> Result<(), SessionOver> {
        let session = SessionPath { stream: queue.path().clone(), session: session.to_owned() };
        loop {
            match queue.next().await {
                Next::Chunk => self.put_front(queue, &session).await?,
                Next::End(ended_at_ms) => {
                    self.end(queue, &session, ended_at_ms).await;
                    return Ok(());
                }
            }
        }
    }

    /// Uploads the chunk at the front until it is acknowledged, or refused and kept aside.
    async fn put_front(&self, queue: &QueueReader, session: &SessionPath) -> Result<(), SessionOver> {
        let began_at_ms = queue.began_at_ms();
        let mut backoff = Backoff::new(queue.path());
        loop {
            let Some((seq, body)) = queue.front(|chunk, seq| (seq, ChunkBody::of(chunk, began_at_ms))) else {
                return Ok(());
            };
            let chunk = ChunkPath { session: session.clone(), seq };
            let Err(error) = self.functions.put_chunk(chunk, body).await else {
                queue.acknowledged();
                return Ok(());
            };
            match &error {
                CallError::Status(StatusCode::NOT_FOUND | StatusCode::GONE, _) => {
                    tracing::warn!("{}: {error}; what is left goes into a new session", queue.path());
                    return Err(SessionOver);
                }
                CallError::Status(StatusCode::CONFLICT, problem) => match problem.expected {
                    Some(expected) if expected > seq => {
                        tracing::warn!("{}: {error}; going on there", queue.path());
                        queue.renumber_front(expected);
                    }
                    Some(expected) if expected < seq => {
                        tracing::error!(
                            "{}: chunk {expected} is wanted again after it was acknowledged and deleted: \
                             {error}; what is left goes into a new session",
                            queue.path()
                        );
                        // Best effort: the functions may not know the session's end by themselves for long.
                        let end = EndSession { ended_at_ms: unix_ms() };
                        let _ = self.functions.call(session.clone(), &end).await;
                        return Err(SessionOver);
                    }
                    _ => backoff.wait("chunk is in conflict", &error).await,
                },
                CallError::Status(status, _) if REFUSALS.contains(status) => {
                    self.keep_refused(queue, &error);
                    return Ok(());
                }
                _ => backoff.wait("chunk cannot be uploaded", &error).await,
            }
        }
    }

    /// Puts the chunk at the front aside: trying again would not help, and the next one can be taken.
    fn keep_refused(&self, queue: &QueueReader, error: &CallError) {
        let path = queue.path();
        let Some(mut chunk) = queue.take_refused() else { return };
        let kept = self.spool.refused(&queue.record().push.id, chunk.name.index);
        tracing::error!(
            "{path}: chunk of {} bytes is refused and kept in {}: {error}",
            chunk.bytes,
            kept.display()
        );
        let outcome = chunk
            .flush()
            .and_then(|()| fs::rename(chunk.path(), &kept))
            .and_then(|()| fs::write(kept.with_extension("txt"), format!("{path}: {error}\n")));
        if let Err(error) = outcome {
            tracing::error!("{path}: refused chunk cannot be kept: {error}");
        }
    }

    /// Tells the end until the functions know it.
    async fn end(&self, queue: &QueueReader, session: &SessionPath, ended_at_ms: u64) {
        let path = queue.path();
        let mut backoff = Backoff::new(path);
        loop {
            match self.functions.call(session.clone(), &EndSession { ended_at_ms }).await {
                Ok(EndAnswer { chunks }) => {
                    return tracing::info!("{path}: session ended with {chunks} chunks");
                }
                // It is over already.
                Err(CallError::Status(StatusCode::NOT_FOUND | StatusCode::GONE, _)) => return,
                Err(CallError::Status(status, problem)) if REFUSALS.contains(&status) => {
                    let error = CallError::Status(status, problem);
                    return tracing::error!("{path}: the end of {session} is refused: {error}");
                }
                Err(error) => backoff.wait("session cannot be ended", &error).await,
            }
        }
    }
}
