//! Functions that remember what they were told, and fail as they are asked to.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use protocol::{
    BeginSession, CHUNK_OFFSET_HEADER, CHUNK_TIME_HEADER, ChunkAnswer, ChunkPolicy, EndAnswer, EndSession,
    Heartbeat, HeartbeatAnswer, Problem, SessionAnswer, SessionChange, StreamPath, TickAnswer,
};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};

pub(crate) const TOKEN: &str = "secret";

/// A call, as the script sees it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) kind: Kind,
    pub(crate) stream: String,
    pub(crate) session: String,
    pub(crate) seq: u64,
    /// Of a chunk: how long after the push's begin it began, if it was told.
    pub(crate) offset_ms: Option<u64>,
    /// How many calls of this kind came before it, over all streams.
    pub(crate) nth: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Begin,
    Chunk,
    End,
    Heartbeat,
    Tick,
}

/// What happens to a call.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// It succeeds, if it is right.
    Succeed,
    /// It has no effect.
    Fail(u16, Problem),
    /// It succeeds, and the connection breaks before the answer.
    LoseReply,
    /// It succeeds a while later.
    Delay(Duration),
}

pub(crate) fn fail(status: u16) -> Act {
    Act::Fail(
        status,
        Problem { code: "Scripted".into(), message: "as the script says".into(), expected: None },
    )
}

type Script = Box<dyn FnMut(&Call) -> Act + Send>;

pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
    server: JoinHandle<()>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.server.abort();
    }
}

struct State {
    log: Mutex<Log>,
    script: Mutex<Script>,
    changed: Notify,
}

#[derive(Default)]
pub(crate) struct Log {
    /// In the order in which they began.
    pub(crate) sessions: Vec<Session>,
    pub(crate) heartbeats: u64,
    pub(crate) ticks: u64,
    pub(crate) record: bool,
    pub(crate) policy: Option<ChunkPolicy>,
    /// Answered to the heartbeats from now on: `since` is the count.
    pub(crate) changes: Vec<SessionChange>,
    pub(crate) seen_by_heartbeat: Vec<String>,
    counts: HashMap<Kind, u64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) name: String,
    pub(crate) stream: String,
    pub(crate) begin: BeginSession,
    pub(crate) chunks: Vec<(u64, Bytes)>,
    /// How long after the push's begin each chunk began, in milliseconds; none after a time without recording.
    pub(crate) offsets_ms: Vec<Option<u64>>,
    pub(crate) ended: Option<EndSession>,
}

impl Fake {
    pub(crate) async fn start(script: impl FnMut(&Call) -> Act + Send + 'static) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), script).await
    }

    pub(crate) async fn start_at(
        address: SocketAddr,
        script: impl FnMut(&Call) -> Act + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Log { record: true, ..Log::default() };
        let state =
            Arc::new(State { log: log.into(), script: Mutex::new(Box::new(script)), changed: Notify::new() });
        let serving = Arc::clone(&state);
        let server = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                socket.set_nodelay(true).unwrap();
                let state = Arc::clone(&serving);
                connections.spawn(async move {
                    let service = service_fn(|request| answer(Arc::clone(&state), request));
                    // Broken connections are part of the script.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Self { address, state, server }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.state.log.lock().unwrap()
    }

    /// Waits until the log is as wanted.
    pub(crate) async fn until(&self, what: &str, is_met: impl Fn(&Log) -> bool) {
        let met = async {
            loop {
                let changed = self.state.changed.notified();
                if is_met(&self.log()) {
                    return;
                }
                changed.await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(60), met).await.is_err() {
            let log = self.log();
            let seen: Vec<_> = log
                .sessions
                .iter()
                .map(|session| (&session.name, &session.stream, session.chunks.len(), &session.ended))
                .collect();
            panic!("{what} did not happen, sessions: {seen:?}");
        }
    }

    /// Waits until that many sessions have ended, all that began.
    pub(crate) async fn ended(&self, count: usize) -> Vec<Session> {
        self.until(&format!("the end of {count} sessions"), |log| {
            log.sessions.len() == count && log.sessions.iter().all(|session| session.ended.is_some())
        })
        .await;
        self.log().sessions.clone()
    }
}

async fn answer(
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let token = request.headers().get("authorization").map(|value| value.as_bytes().to_vec());
    assert_eq!(token.as_deref(), Some(format!("Bearer {TOKEN}").as_bytes()));
    let (parts, body) = request.into_parts();
    let length =
        parts.headers.get("content-length").map(|value| value.to_str().unwrap().parse::<u64>().unwrap());
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    assert_eq!(length, Some(body.len() as u64), "{}", parts.uri);
    let path = parts.uri.path().to_owned();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let mut offset_ms = None;
    let (kind, stream, session, seq) = match (&parts.method, segments.as_slice()) {
        (&Method::POST, ["heartbeat"]) => (Kind::Heartbeat, None, "", 0),
        (&Method::POST, ["tick"]) => (Kind::Tick, None, "", 0),
        (&Method::POST, ["streams", d, a, s, "sessions"]) => (Kind::Begin, Some([d, a, s]), "", 0),
        (&Method::POST, ["streams", d, a, s, "sessions", session, "end"]) => {
            (Kind::End, Some([d, a, s]), *session, 0)
        }
        (&Method::PUT, ["streams", d, a, s, "sessions", session, "chunks", seq]) => {
            assert_eq!(parts.headers["content-type"], protocol::CHUNK_CONTENT_TYPE);
            let time: u64 = parts.headers[CHUNK_TIME_HEADER].to_str().unwrap().parse().unwrap();
            assert!(time > 1_600_000_000_000, "{time}");
            let offset = parts.headers.get(CHUNK_OFFSET_HEADER);
            offset_ms = offset.map(|offset| offset.to_str().unwrap().parse().unwrap());
            (Kind::Chunk, Some([d, a, s]), *session, seq.parse().unwrap())
        }
        (method, _) => panic!("unexpected call {method} {path}"),
    };
    let stream =
        stream.map_or(String::new(), |[d, a, s]| StreamPath::from_segments(d, a, s).unwrap().to_string());
    let nth = {
        let mut log = state.log.lock().unwrap();
        let count = log.counts.entry(kind).or_default();
        *count += 1;
        *count - 1
    };
    let call = Call { kind, stream, session: session.to_owned(), seq, offset_ms, nth };
    let act = (state.script.lock().unwrap())(&call);
    if let Act::Delay(delay) = act {
        tokio::time::sleep(delay).await;
    }
    if let Act::Fail(status, problem) = act {
        return Ok(respond(StatusCode::from_u16(status).unwrap(), &problem));
    }
    let response = perform(&mut state.log.lock().unwrap(), &call, body);
    state.changed.notify_waiters();
    match act {
        Act::LoseReply => Err(std::io::Error::other("reply is lost")),
        _ => Ok(response),
    }
}

fn perform(log: &mut Log, call: &Call, body: Bytes) -> Response<Full<Bytes>> {
    let policy = log.policy.unwrap_or_default();
    match call.kind {
        Kind::Tick => {
            log.ticks += 1;
            respond(StatusCode::OK, &TickAnswer::default())
        }
        Kind::Heartbeat => {
            let heartbeat: Heartbeat = serde_json::from_slice(&body).unwrap();
            log.heartbeats += 1;
            log.seen_by_heartbeat = heartbeat.sessions;
            // A `since` past the last change counts as the last one: so does the catalog.
            let since = log.changes.len().min(usize::try_from(heartbeat.since).unwrap());
            let sessions = log.changes[since..].to_vec();
            respond(StatusCode::OK, &HeartbeatAnswer { since: log.changes.len() as u64, sessions })
        }
        Kind::Begin => {
            let begin: BeginSession = serde_json::from_slice(&body).unwrap();
            let same = |session: &&Session| {
                session.begin.push == begin.push && session.begin.gateway == begin.gateway
            };
            let name = match log.sessions.iter().find(same) {
                Some(session) => session.name.clone(),
                None => {
                    let name = format!("s{}", log.sessions.len());
                    let (chunks, offsets_ms, ended) = (Vec::new(), Vec::new(), None);
                    let stream = call.stream.clone();
                    log.sessions.push(Session {
                        name: name.clone(),
                        stream,
                        begin,
                        chunks,
                        offsets_ms,
                        ended,
                    });
                    name
                }
            };
            respond(StatusCode::OK, &SessionAnswer { session: name, record: log.record, chunk: policy })
        }
        Kind::Chunk | Kind::End => {
            let Some(session) = log.sessions.iter_mut().find(|session| session.name == call.session) else {
                return refuse(StatusCode::NOT_FOUND, None);
            };
            assert_eq!(session.stream, call.stream);
            if call.kind == Kind::Chunk && session.ended.is_some() {
                return refuse(StatusCode::GONE, None);
            }
            if call.kind == Kind::End {
                session.ended = Some(serde_json::from_slice(&body).unwrap());
                return respond(StatusCode::OK, &EndAnswer { chunks: session.chunks.len() as u64 });
            }
            let next = session.chunks.len() as u64;
            if call.seq > next {
                return refuse(StatusCode::CONFLICT, Some(next));
            }
            if let Some((_, stored)) = session.chunks.get(call.seq as usize) {
                assert_eq!(
                    *stored, body,
                    "chunk {} of {} is repeated with other bytes",
                    call.seq, call.session
                );
                assert_eq!(session.offsets_ms[call.seq as usize], call.offset_ms, "of chunk {}", call.seq);
            } else {
                session.chunks.push((call.seq, body));
                session.offsets_ms.push(call.offset_ms);
            }
            respond(StatusCode::OK, &ChunkAnswer { seq: call.seq, next: session.chunks.len() as u64 })
        }
    }
}

fn refuse(status: StatusCode, expected: Option<u64>) -> Response<Full<Bytes>> {
    respond(status, &Problem { code: "Refused".into(), message: "not so".into(), expected })
}

fn respond(status: StatusCode, body: &impl serde::Serialize) -> Response<Full<Bytes>> {
    let body = Full::new(Bytes::from(serde_json::to_vec(body).unwrap()));
    Response::builder().status(status).header("content-type", "application/json").body(body).unwrap()
}

/// Sessions by stream, each stream's in the order in which they began.
pub(crate) fn by_stream(sessions: Vec<Session>) -> BTreeMap<String, Vec<Session>> {
    let mut streams: BTreeMap<String, Vec<Session>> = BTreeMap::new();
    for session in sessions {
        streams.entry(session.stream.clone()).or_default().push(session);
    }
    streams
}
