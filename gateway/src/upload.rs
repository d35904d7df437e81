//! Bringing a push to the functions: its session, its chunks in order, its end.

mod backoff;

use std::{fs, sync::Arc, time::Duration};

use http::StatusCode;
use protocol::{ChunkAnswer, EndAnswer, EndSession, SessionAnswer};
use tokio::time::{sleep, timeout};

use crate::{
    functions::{CallError, ChunkBody},
    ingest::{Ingest, Instructions, Next},
    server::Gateway,
};
use backoff::Backoff;

/// How long the first headers are waited for, so that the functions are told the codecs.
const CODECS_WAIT: Duration = Duration::from_secs(1);

/// Answers about what was sent, not about who sent it or when: the same again would be answered the same.
const REFUSALS: [StatusCode; 3] =
    [StatusCode::BAD_REQUEST, StatusCode::PAYLOAD_TOO_LARGE, StatusCode::UNPROCESSABLE_ENTITY];

/// Uploads all of a push and returns when the functions know its end.
///
/// Tries forever: what bounds the wait is the spool, which holds publishers back when it is full.
pub(crate) async fn upload(gateway: &Gateway, ingest: &Arc<Ingest>) {
    while upload_session(gateway, ingest).await == Outcome::SessionOver {
        ingest.session_over();
    }
    if let Err(error) = fs::remove_dir_all(&ingest.folder) {
        tracing::error!("{}: {} cannot be deleted: {error}", ingest.path, ingest.folder.display());
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// The functions know the end.
    Ended,
    /// The functions take no more for this session, and the push goes on.
    SessionOver,
}

async fn upload_session(gateway: &Gateway, ingest: &Arc<Ingest>) -> Outcome {
    let session = match ingest.record().session {
        Some(session) => session,
        None => match begin(gateway, ingest).await {
            Ok(session) => session,
            Err(refusal) => return keep_all_refused(gateway, ingest, &refusal).await,
        },
    };
    gateway.sessions.insert(&session, ingest);
    let outcome = upload_chunks(gateway, ingest, &session).await;
    gateway.sessions.remove(&session);
    outcome
}

/// The session's name, or why there will never be one.
async fn begin(gateway: &Gateway, ingest: &Arc<Ingest>) -> Result<String, CallError> {
    let codecs = async {
        while !ingest.codecs_known() {
            ingest.arrived.notified().await;
        }
    };
    // Without the codecs then.
    let _ = timeout(CODECS_WAIT, codecs).await;
    let path = format!("{}/sessions", ingest.path.url_path());
    let mut backoff = Backoff::new(ingest);
    loop {
        let body = ingest.record().begin(&gateway.name);
        match gateway.functions.post::<SessionAnswer>(&path, &body).await {
            Ok(SessionAnswer { session, record, chunk }) => {
                tracing::info!("{}: session {session}, record: {record}", ingest.path);
                ingest.begun(&session, Instructions { record, policy: chunk });
                return Ok(session);
            }
            Err(CallError::Status(status, problem)) if REFUSALS.contains(&status) => {
                return Err(CallError::Status(status, problem));
            }
            Err(error) => backoff.wait("session cannot be begun", &error).await,
        }
    }
}

/// A push that the functions will not have: its publisher is sent away, and what it sent is kept aside so that
/// the spool stays free for others.
async fn keep_all_refused(gateway: &Gateway, ingest: &Arc<Ingest>, refusal: &CallError) -> Outcome {
    tracing::error!("{}: push is refused: {refusal}", ingest.path);
    ingest.refuse();
    loop {
        match ingest.next() {
            Next::Wait => ingest.arrived.notified().await,
            Next::Chunk => keep_refused(gateway, ingest, refusal),
            Next::End(_) => return Outcome::Ended,
        }
    }
}

async fn upload_chunks(gateway: &Gateway, ingest: &Arc<Ingest>, session: &str) -> Outcome {
    let session_path = format!("{}/sessions/{session}", ingest.path.url_path());
    loop {
        match ingest.next() {
            Next::Wait => ingest.arrived.notified().await,
            Next::Chunk => {
                if put_front(gateway, ingest, &session_path).await == Outcome::SessionOver {
                    return Outcome::SessionOver;
                }
            }
            Next::End(ended_at_ms) => return end(gateway, ingest, &session_path, ended_at_ms).await,
        }
    }
}

/// Uploads the chunk at the front until it is acknowledged or refused.
async fn put_front(gateway: &Gateway, ingest: &Arc<Ingest>, session_path: &str) -> Outcome {
    let mut backoff = Backoff::new(ingest);
    loop {
        let Some((seq, body)) = ingest.front(|chunk, seq| (seq, ChunkBody::of(chunk))) else {
            return Outcome::Ended;
        };
        let path = format!("{session_path}/chunks/{seq}");
        let error = match gateway.functions.put_chunk::<ChunkAnswer>(&path, body).await {
            Ok(_) => {
                ingest.acknowledged();
                return Outcome::Ended;
            }
            Err(error) => error,
        };
        match &error {
            CallError::Status(StatusCode::NOT_FOUND | StatusCode::GONE, _) => {
                tracing::warn!("{}: {error}; what is left goes into a new session", ingest.path);
                return Outcome::SessionOver;
            }
            CallError::Status(StatusCode::CONFLICT, problem) => match problem.expected {
                Some(expected) if expected > seq => {
                    tracing::warn!("{}: {error}; going on there", ingest.path);
                    ingest.renumber_front(expected);
                }
                Some(expected) if expected < seq => {
                    tracing::error!(
                        "{}: chunk {expected} is wanted again after it was acknowledged and deleted: {error}; \
                         what is left goes into a new session",
                        ingest.path
                    );
                    // Best effort: the functions may not know the session's end by themselves for long.
                    let end = EndSession { ended_at_ms: crate::unix_ms() };
                    let _ = gateway.functions.post::<EndAnswer>(&format!("{session_path}/end"), &end).await;
                    return Outcome::SessionOver;
                }
                _ => backoff.wait("chunk is in conflict", &error).await,
            },
            CallError::Status(status, _) if REFUSALS.contains(status) => {
                keep_refused(gateway, ingest, &error);
                return Outcome::Ended;
            }
            _ => backoff.wait("chunk cannot be uploaded", &error).await,
        }
    }
}

/// Puts the chunk at the front aside: trying again would not help, and the next one can be taken.
fn keep_refused(gateway: &Gateway, ingest: &Arc<Ingest>, error: &CallError) {
    let Some(mut chunk) = ingest.take_refused() else { return };
    let kept = gateway.spool.refused(&ingest.record().push, chunk.index);
    tracing::error!(
        "{}: chunk of {} bytes is refused and kept in {}: {error}",
        ingest.path,
        chunk.bytes,
        kept.display()
    );
    let outcome = chunk
        .flush()
        .and_then(|()| fs::rename(chunk.path(), &kept))
        .and_then(|()| fs::write(kept.with_extension("txt"), format!("{}: {error}\n", ingest.path)));
    if let Err(error) = outcome {
        tracing::error!("{}: refused chunk cannot be kept: {error}", ingest.path);
    }
}

async fn end(gateway: &Gateway, ingest: &Arc<Ingest>, session_path: &str, ended_at_ms: u64) -> Outcome {
    let path = format!("{session_path}/end");
    let mut backoff = Backoff::new(ingest);
    loop {
        match gateway.functions.post::<EndAnswer>(&path, &EndSession { ended_at_ms }).await {
            Ok(EndAnswer { chunks }) => {
                tracing::info!("{}: session ended with {chunks} chunks", ingest.path);
                return Outcome::Ended;
            }
            // It is over already.
            Err(CallError::Status(StatusCode::NOT_FOUND | StatusCode::GONE, _)) => return Outcome::Ended,
            Err(CallError::Status(status, problem)) if REFUSALS.contains(&status) => {
                let error = CallError::Status(status, problem);
                tracing::error!("{}: the end of {session_path} is refused: {error}", ingest.path);
                return Outcome::Ended;
            }
            Err(error) => backoff.wait("session cannot be ended", &error).await,
        }
    }
}

impl Backoff<'_> {
    /// Waits a little before a retry.
    async fn wait(&mut self, what: &str, error: &CallError) {
        let delay = self.next(error);
        if self.is_worth_saying() {
            if error.is_refusal() {
                tracing::error!(
                    "{}: {what}: {error}; trying again, but only people can change this",
                    self.ingest.path
                );
            } else {
                tracing::warn!("{}: {what}: {error}; trying again", self.ingest.path);
            }
        }
        sleep(delay).await;
    }
}
