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
    AskAdmission, BeginSession, CHUNK_CONTINUES_HEADER, CHUNK_OFFSET_HEADER, ChunkAnswer, ChunkPolicy,
    Confirmed, EndAnswer, EndSession, GENERATION_HEADER, Generation, Heartbeat, HeartbeatAnswer, LaneAnswer,
    LostChunk, Order, PROBLEM_CONTENT_TYPE, PUSH_HEADER, Problem, SessionAnswer, StreamPath, conflict,
};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};

pub(crate) const TOKEN: &str = "secret";

/// A call, as the script sees it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The host that was called.
    pub(crate) host: SocketAddr,
    pub(crate) kind: Kind,
    pub(crate) stream: String,
    pub(crate) session: String,
    pub(crate) seq: u64,
    /// Of a chunk: what its headers say.
    pub(crate) told: Told,
    /// How many calls of this kind came before it, over all streams.
    pub(crate) nth: u64,
}

/// What the headers of a chunk say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) push: String,
    pub(crate) offset_ms: u64,
    pub(crate) generation: Generation,
    pub(crate) continues: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Admission,
    Begin,
    Chunk,
    Lost,
    End,
    Heartbeat,
    Tick,
    Compose,
    Deliver,
}

/// What happens to a call.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// It succeeds, if it is right.
    Succeed,
    /// It has no effect.
    Fail(u16, Problem),
    /// Something on the way answers.
    Foreign(u16),
    /// It succeeds, and the connection breaks before the answer.
    LoseReply,
    /// It succeeds a while later.
    Delay(Duration),
    /// It has no effect, and the connection breaks a while later.
    #[allow(dead_code, reason = "only the torture has it")]
    Hang(Duration),
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
    /// Those that were adopted, in the order in which they began.
    pub(crate) sessions: Vec<Session>,
    offers: u64,
    pub(crate) asked: Vec<AskAdmission>,
    /// How often somebody asked.
    pub(crate) admitted: u64,
    pub(crate) heartbeats: Vec<Heartbeat>,
    pub(crate) ticks: u64,
    /// Chunks that the script had fail.
    pub(crate) refused: u64,
    /// Whether a push is recorded from its begin.
    pub(crate) record: bool,
    /// Orders that a begin is answered besides.
    pub(crate) more_orders: Vec<Order>,
    pub(crate) policy: Option<ChunkPolicy>,
    /// Refuses calls with another token from now on.
    pub(crate) token: Option<&'static str>,
    /// Answered to the heartbeats from now on: `since` is the count.
    pub(crate) changes: Vec<SessionAnswer>,
    /// Headers of the answer to every chunk.
    pub(crate) chunk_headers: Vec<(&'static str, &'static str)>,
    /// Answered to every call of a lane.
    pub(crate) lane: LaneAnswer,
    counts: HashMap<Kind, u64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) name: String,
    pub(crate) stream: String,
    pub(crate) begin: BeginSession,
    pub(crate) chunks: Vec<(u64, Bytes)>,
    /// What was told with each chunk.
    pub(crate) told: Vec<Told>,
    pub(crate) lost: Vec<(u64, LostChunk)>,
    pub(crate) confirmed: Vec<Confirmed>,
    pub(crate) ended: Option<EndSession>,
}

impl Session {
    fn next(&self) -> u64 {
        (self.chunks.len() + self.lost.len()) as u64
    }

    /// Whether it has ended, and nothing of it is missing.
    pub(crate) fn is_complete(&self) -> bool {
        self.ended.as_ref().is_some_and(|end| end.chunks == self.next())
    }
}

impl Log {
    /// How often a call was made.
    pub(crate) fn calls(&self, kind: Kind) -> u64 {
        self.counts.get(&kind).copied().unwrap_or(0)
    }

    fn session(&mut self, name: &str) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|session| session.name == name)
    }
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
        Self::serve(listener, address, state)
    }

    /// Another host of the same functions: what one is told the other one knows.
    pub(crate) async fn another_host(&self) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self::serve(listener, address, Arc::clone(&self.state))
    }

    fn serve(listener: TcpListener, address: SocketAddr, state: Arc<State>) -> Self {
        let serving = Arc::clone(&state);
        let server = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                socket.set_nodelay(true).unwrap();
                let state = Arc::clone(&serving);
                connections.spawn(async move {
                    let service = service_fn(|request| answer(Arc::clone(&state), address, request));
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
            log.sessions.len() == count && log.sessions.iter().all(Session::is_complete)
        })
        .await;
        self.log().sessions.clone()
    }
}

async fn answer(
    state: Arc<State>,
    host: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let token = request.headers().get("authorization").map(|value| value.as_bytes().to_vec());
    let expected = state.log.lock().unwrap().token;
    if token.as_deref() != Some(format!("Bearer {}", expected.unwrap_or(TOKEN)).as_bytes()) {
        assert!(expected.is_some(), "{token:?}");
        return Ok(refuse(StatusCode::UNAUTHORIZED, "Unauthorized", None));
    }
    let (parts, body) = request.into_parts();
    let length =
        parts.headers.get("content-length").map(|value| value.to_str().unwrap().parse::<u64>().unwrap());
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    assert_eq!(length, Some(body.len() as u64), "{}", parts.uri);
    let path = parts.uri.path().to_owned();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let mut told = Told::default();
    let (kind, stream, session, seq) = match (&parts.method, segments.as_slice()) {
        (&Method::POST, ["heartbeat"]) => (Kind::Heartbeat, None, "", 0),
        (&Method::POST, ["tick"]) => (Kind::Tick, None, "", 0),
        (&Method::POST, ["compose"]) => (Kind::Compose, None, "", 0),
        (&Method::POST, ["deliver"]) => (Kind::Deliver, None, "", 0),
        (&Method::POST, ["streams", d, a, s, "admission"]) => (Kind::Admission, Some([d, a, s]), "", 0),
        (&Method::POST, ["streams", d, a, s, "sessions"]) => (Kind::Begin, Some([d, a, s]), "", 0),
        (&Method::POST, ["streams", d, a, s, "sessions", session, "end"]) => {
            (Kind::End, Some([d, a, s]), *session, 0)
        }
        (&Method::PUT, ["streams", d, a, s, "sessions", session, "chunks", seq]) => {
            let text = |name: &str| Some(parts.headers.get(name)?.to_str().unwrap());
            let is_lost = text("content-type") == Some(protocol::JSON_CONTENT_TYPE);
            told.push = text(PUSH_HEADER).unwrap().to_owned();
            if !is_lost {
                assert_eq!(text("content-type"), Some(protocol::CHUNK_CONTENT_TYPE));
                told.offset_ms = text(CHUNK_OFFSET_HEADER).unwrap().parse().unwrap();
                told.generation = text(GENERATION_HEADER).unwrap().parse().unwrap();
                told.continues = text(CHUNK_CONTINUES_HEADER).is_some_and(|value| value == "1");
            }
            let kind = if is_lost { Kind::Lost } else { Kind::Chunk };
            (kind, Some([d, a, s]), *session, seq.parse().unwrap())
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
    let call = Call { host, kind, stream, session: session.to_owned(), seq, told, nth };
    let act = (state.script.lock().unwrap())(&call);
    if let Act::Delay(delay) | Act::Hang(delay) = act {
        tokio::time::sleep(delay).await;
    }
    match act {
        Act::Hang(_) => return Err(std::io::Error::other("it hung")),
        Act::Fail(status, problem) => {
            state.log.lock().unwrap().refused += u64::from(call.kind == Kind::Chunk);
            state.changed.notify_waiters();
            return Ok(respond(StatusCode::from_u16(status).unwrap(), &problem));
        }
        Act::Foreign(status) => {
            let response = Response::builder().status(status).header("content-type", "text/html");
            return Ok(response.body(Full::from("<html>not the functions</html>")).unwrap());
        }
        _ => {}
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
        Kind::Compose | Kind::Deliver => respond(StatusCode::OK, &log.lane),
        Kind::Tick => {
            log.ticks += 1;
            respond(StatusCode::OK, &log.lane)
        }
        Kind::Admission => {
            log.admitted += 1;
            log.asked.push(serde_json::from_slice(&body).unwrap());
            Response::builder().status(StatusCode::NO_CONTENT).body(Full::default()).unwrap()
        }
        Kind::Heartbeat => {
            let heartbeat: Heartbeat = serde_json::from_slice(&body).unwrap();
            for confirmed in &heartbeat.confirmed {
                let session = log.session(&confirmed.session).unwrap();
                if !session.confirmed.contains(confirmed) {
                    session.confirmed.push(confirmed.clone());
                }
            }
            let last = log.changes.len();
            let since = heartbeat.since.map_or(last, |since| usize::try_from(since).unwrap());
            let sessions = log.changes[since..].to_vec();
            log.heartbeats.push(heartbeat);
            respond(StatusCode::OK, &HeartbeatAnswer { since: last as u64, sessions })
        }
        Kind::Begin => {
            let begin: BeginSession = serde_json::from_slice(&body).unwrap();
            let name = format!("s{}", log.offers);
            log.offers += 1;
            let age_ms = Some(begin.began_ago_ms);
            // An offer that is not adopted is never heard of again.
            log.sessions.retain(|session| session.begin.push != begin.push);
            log.sessions.push(Session {
                name: name.clone(),
                stream: call.stream.clone(),
                begin,
                chunks: Vec::new(),
                told: Vec::new(),
                lost: Vec::new(),
                confirmed: Vec::new(),
                ended: None,
            });
            let first = Order { generation: "1.0".parse().unwrap(), record: true, age_ms, in_ms: None };
            let mut orders = if log.record { vec![first] } else { Vec::new() };
            orders.extend(&log.more_orders);
            respond(StatusCode::OK, &SessionAnswer { session: name, orders, chunk: policy, denied: None })
        }
        Kind::Chunk | Kind::Lost | Kind::End => {
            let Some(session) = log.session(&call.session) else {
                return refuse(StatusCode::NOT_FOUND, "NoSuchSession", None);
            };
            assert_eq!(session.stream, call.stream);
            if call.kind == Kind::End {
                let end: EndSession = serde_json::from_slice(&body).unwrap();
                let chunks = session.ended.get_or_insert(end).chunks;
                return respond(StatusCode::OK, &EndAnswer { chunks });
            }
            assert_eq!(session.begin.push, call.told.push);
            let next = session.next();
            if call.seq > next {
                return refuse(StatusCode::CONFLICT, conflict::GAP, Some(next));
            }
            let stored = session.chunks.iter().position(|(seq, _)| *seq == call.seq);
            let is_lost = session.lost.iter().any(|(seq, _)| *seq == call.seq);
            match (call.kind, stored) {
                (Kind::Chunk, Some(at)) => {
                    assert_eq!(session.chunks[at].1, body, "chunk {} of {}", call.seq, call.session);
                    assert_eq!(session.told[at], call.told, "chunk {} of {}", call.seq, call.session);
                }
                (Kind::Chunk, None) if is_lost => return refuse(StatusCode::CONFLICT, conflict::LOST, None),
                (Kind::Chunk, None) => {
                    session.chunks.push((call.seq, body));
                    session.told.push(call.told.clone());
                }
                (_, None) if !is_lost => {
                    session.lost.push((call.seq, serde_json::from_slice(&body).unwrap()));
                }
                _ => {}
            }
            let mut response = respond(StatusCode::OK, &ChunkAnswer { seq: call.seq, next: session.next() });
            for (name, value) in &log.chunk_headers {
                response.headers_mut().insert(*name, value.parse().unwrap());
            }
            response
        }
    }
}

fn refuse(status: StatusCode, code: &str, expected: Option<u64>) -> Response<Full<Bytes>> {
    respond(status, &Problem { code: code.into(), message: "not so".into(), expected })
}

fn respond(status: StatusCode, body: &impl serde::Serialize) -> Response<Full<Bytes>> {
    let body = Full::new(Bytes::from(serde_json::to_vec(body).unwrap()));
    let kind = if status == StatusCode::OK { "application/json" } else { PROBLEM_CONTENT_TYPE };
    Response::builder().status(status).header("content-type", kind).body(body).unwrap()
}

/// Sessions by stream, each stream's in the order in which they began.
pub(crate) fn by_stream(sessions: Vec<Session>) -> BTreeMap<String, Vec<Session>> {
    let mut streams: BTreeMap<String, Vec<Session>> = BTreeMap::new();
    for session in sessions {
        streams.entry(session.stream.clone()).or_default().push(session);
    }
    streams
}
