//! An HTTP client of the functions.

mod body;
mod hosts;

use std::{io, path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use bytes::Bytes;
use exposition::Label;
use http::{
    HeaderMap, Request, StatusCode,
    header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE},
    request::Builder,
};
use http_body_util::{BodyExt, Limited, combinators::UnsyncBoxBody};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use opentelemetry::Context as TraceContext;
use protocol::{
    CHUNK_CONTENT_TYPE, CHUNK_CONTINUES_HEADER, CHUNK_OFFSET_HEADER, Call, ChunkAnswer, ChunkPath,
    GENERATION_HEADER, JSON_CONTENT_TYPE, LostChunk, PROBLEM_CONTENT_TYPE, PUSH_HEADER, Problem, Route,
};
use rustix::io::Errno;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    operation::{CallTrace, Failure},
    settings::Current,
    spool::ChunkName,
    trust,
};
use body::Body;
pub(crate) use body::ChunkBody;
use hosts::{Attempt, Hosts};

/// Longest answer that is read.
const MAX_ANSWER_BYTES: usize = 4 << 20;

/// How long a call may take; a chunk gets more time by its size.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// The slowest upload that is waited for, in bytes per millisecond: 1 Mbit/s.
const SLOWEST_BYTES_PER_MS: u64 = 125;

/// Unused connections are closed after this long, sooner than servers do.
const IDLE: Duration = Duration::from_secs(20);

/// Why a call did not succeed.
#[derive(Debug)]
pub(crate) enum CallError {
    /// The call could not even be made.
    Unsent(anyhow::Error),
    /// What was to be sent cannot be read.
    Unreadable(io::Error),
    /// No answer: the call may or may not have had its effect.
    NoAnswer(anyhow::Error),
    /// An answer that is not the functions' own, such as a proxy's: trouble on the way, whatever it says.
    Foreign(StatusCode, String),
    /// What the functions answered.
    Problem(StatusCode, Problem),
}

impl CallError {
    /// The status that the functions themselves answered.
    pub(crate) fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Problem(status, _) => Some(*status),
            Self::Unsent(_) | Self::Unreadable(_) | Self::NoAnswer(_) | Self::Foreign(..) => None,
        }
    }

    /// Whether the host that was called has failed, so that another one may answer.
    pub(crate) fn is_of_host(&self) -> bool {
        match self {
            Self::NoAnswer(_) => true,
            Self::Foreign(status, _) => status.is_server_error(),
            Self::Unsent(_) | Self::Unreadable(_) | Self::Problem(..) => false,
        }
    }

    /// Why it failed, as it is counted.
    pub(crate) fn failure(&self) -> Failure {
        match self {
            Self::Unsent(_) | Self::Unreadable(_) => Failure::Other,
            Self::NoAnswer(_) => Failure::Unreachable,
            Self::Foreign(..) => Failure::Foreign,
            Self::Problem(status, _) => match status.as_u16() {
                401 | 403 => Failure::Token,
                404 => Failure::UnknownSession,
                409 => Failure::Order,
                424 => Failure::Bucket,
                408 | 429 | 500.. => Failure::Unavailable,
                _ if self.is_refusal() => Failure::Refused,
                _ => Failure::Other,
            },
        }
    }

    /// Whether what was sent would be answered the same again, whoever sent it and whenever.
    pub(crate) fn is_refusal(&self) -> bool {
        let refusals =
            [StatusCode::BAD_REQUEST, StatusCode::PAYLOAD_TOO_LARGE, StatusCode::UNPROCESSABLE_ENTITY];
        self.status().is_some_and(|status| refusals.contains(&status))
    }
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unsent(error) | Self::NoAnswer(error) => write!(f, "{error:#}"),
            Self::Unreadable(error) => write!(f, "it cannot be read: {error}"),
            Self::Foreign(status, text) => write!(f, "{status}, not from the functions: {text}"),
            Self::Problem(status, problem) => write!(f, "{status}: {}: {}", problem.code, problem.message),
        }
    }
}

/// A client of the functions.
///
/// Each call goes to the next host in turn, and to that one alone: callers try again, since what they say depends on when
/// they say it.
#[derive(Clone, Debug)]
pub(crate) struct Functions {
    client: Client<HttpsConnector<HttpConnector>, UnsyncBoxBody<Bytes, io::Error>>,
    hosts: Arc<Hosts>,
    /// Have the token that is shown.
    settings: Current,
}

impl Functions {
    /// `ca_file`: certificates in PEM that are trusted beside those that the web trusts.
    pub(crate) fn new(urls: &[String], settings: Current, ca_file: Option<&Path>) -> anyhow::Result<Self> {
        let hosts = Arc::new(Hosts::new(urls)?);
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(Duration::from_secs(5)));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(trust::client_config(ca_file)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self { client, hosts, settings })
    }

    /// How many hosts there are beside the one that was called.
    pub(crate) fn other_hosts(&self) -> usize {
        self.hosts.others()
    }

    /// Whether a call would go to a host that has not failed lately.
    pub(crate) fn has_host(&self) -> bool {
        self.hosts.is_one_due()
    }

    /// Sends a JSON body to its route and reads the answer.
    pub(crate) async fn call<C: Call>(&self, address: C::Address, body: &C) -> Result<C::Answer, CallError> {
        self.send_json(self.request(&C::route(address), &TraceContext::new()), body, CALL_TIMEOUT).await
    }

    /// The same, for a call that may work as long as functions let one.
    pub(crate) async fn call_long<C: Call>(
        &self,
        address: C::Address,
        body: &C,
    ) -> Result<C::Answer, CallError> {
        let timeout = Duration::from_secs(protocol::CALL_MAX_S) + CALL_TIMEOUT;
        self.send_json(self.request(&C::route(address), &TraceContext::new()), body, timeout).await
    }

    /// Sends a chunk of a push, from memory if it is there; answers the headers of the answer. `part_of`: the chunk's
    /// trace.
    pub(crate) async fn put_chunk(
        &self,
        path: ChunkPath,
        push: &str,
        chunk: ChunkBody,
        part_of: &TraceContext,
    ) -> Result<HeaderMap, CallError> {
        let ChunkName { offset_ms, generation, continues, .. } = chunk.name;
        let timeout = CALL_TIMEOUT + Duration::from_millis(chunk.bytes / SLOWEST_BYTES_PER_MS);
        let bytes = chunk.bytes;
        let body = chunk.open().await.map_err(unopened)?;
        let mut request = self.request(&Route::Chunk(path), part_of);
        request.head = request
            .head
            .header(CONTENT_TYPE, CHUNK_CONTENT_TYPE)
            .header(CONTENT_LENGTH, bytes)
            .header(PUSH_HEADER, push)
            .header(CHUNK_OFFSET_HEADER, offset_ms)
            .header(GENERATION_HEADER, generation.to_string());
        if continues {
            request.head = request.head.header(CHUNK_CONTINUES_HEADER, "1");
        }
        let (_, headers) = self.send::<ChunkAnswer>(request, body, timeout).await?;
        Ok(headers)
    }

    /// Tells that a chunk of a push will not come.
    pub(crate) async fn put_lost(
        &self,
        path: ChunkPath,
        push: &str,
        lost: &LostChunk,
        part_of: &TraceContext,
    ) -> Result<ChunkAnswer, CallError> {
        let mut request = self.request(&Route::Chunk(path), part_of);
        request.head = request.head.header(PUSH_HEADER, push);
        self.send_json(request, lost, CALL_TIMEOUT).await
    }

    async fn send_json<A: DeserializeOwned>(
        &self,
        mut request: CallRequest,
        body: &impl Serialize,
        timeout: Duration,
    ) -> Result<A, CallError> {
        let body = serde_json::to_vec(body).map_err(|error| CallError::Unsent(error.into()))?;
        request.head = request.head.header(CONTENT_TYPE, JSON_CONTENT_TYPE);
        let (answer, _) = self.send(request, Body::of(body), timeout).await?;
        Ok(answer)
    }

    /// A request by its route alone; where to is known when it is sent.
    fn request(&self, route: &Route, part_of: &TraceContext) -> CallRequest {
        let trace = CallTrace::begin(route, part_of);
        let mut head = Request::builder()
            .method(route.method())
            .uri(route.to_string())
            .header(AUTHORIZATION, self.settings.authorization());
        if let Some(headers) = head.headers_mut() {
            trace.write(headers);
        }
        CallRequest { head, trace }
    }

    async fn send<A: DeserializeOwned>(
        &self,
        CallRequest { head, mut trace }: CallRequest,
        body: Body,
        timeout: Duration,
    ) -> Result<(A, HeaderMap), CallError> {
        let answer = self.exchange(head, body, timeout, &mut trace).await;
        if let Err(error) = &answer {
            trace.failed(error.failure().as_str(), error.to_string());
        }
        answer
    }

    async fn exchange<A: DeserializeOwned>(
        &self,
        head: Builder,
        Body { bytes, unread }: Body,
        timeout: Duration,
        trace: &mut CallTrace,
    ) -> Result<(A, HeaderMap), CallError> {
        let mut attempt = self.hosts.attempt();
        let request = at_host(head, &attempt).body(bytes).map_err(|error| CallError::Unsent(error.into()))?;
        trace.sent_to(request.uri());
        let answer = async {
            let response = self.client.request(request).await?;
            let (head, body) = response.into_parts();
            trace.answered(head.status);
            let body = Limited::new(body, MAX_ANSWER_BYTES);
            let body = body.collect().await.map_err(|error| anyhow::anyhow!(error))?.to_bytes();
            anyhow::Ok((head.status, head.headers, body))
        };
        let answer = tokio::time::timeout(timeout, answer).await;
        let answer = answer.unwrap_or_else(|_| Err(anyhow::anyhow!("no answer within {timeout:?}")));
        let (status, headers, body) = match (answer, unread.take()) {
            (Ok(answer), _) => answer,
            (Err(_), Some(error)) => {
                attempt.spare();
                return Err(CallError::Unreadable(error));
            }
            (Err(error), None) => return Err(CallError::NoAnswer(error)),
        };
        let body = match status {
            StatusCode::OK => &body[..],
            StatusCode::NO_CONTENT => b"null",
            _ => {
                let error = error(status, is_problem(&headers), &body);
                if !error.is_of_host() {
                    attempt.answered();
                }
                return Err(error);
            }
        };
        let answer = serde_json::from_slice(body).context("while reading the answer");
        let answer = answer.map_err(CallError::NoAnswer)?;
        attempt.answered();
        Ok((answer, headers))
    }
}

/// Why the file of a chunk could not be opened. Where this process may open none, that says nothing of the file.
fn unopened(error: io::Error) -> CallError {
    match Errno::from_io_error(&error) {
        Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM) => CallError::Unsent(error.into()),
        _ => CallError::Unreadable(error),
    }
}

/// A call of the functions that is about to be sent.
struct CallRequest {
    head: Builder,
    trace: CallTrace,
}

/// The request, to the host of the attempt.
fn at_host(request: Builder, attempt: &Attempt<'_>) -> Builder {
    let uri = request.uri_ref().map(|route| format!("{}{route}", attempt.url()));
    request.uri(uri.unwrap_or_default())
}

/// Whether an answer has the media type of a [`Problem`].
fn is_problem(headers: &HeaderMap) -> bool {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(PROBLEM_CONTENT_TYPE))
}

/// What an answer that is no success says.
fn error(status: StatusCode, is_problem: bool, body: &[u8]) -> CallError {
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) if is_problem && !problem.code.is_empty() => CallError::Problem(status, problem),
        _ => {
            let text = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
            CallError::Foreign(status, text)
        }
    }
}

#[cfg(test)]
mod tests;
