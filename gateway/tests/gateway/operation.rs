//! What an operator sees over HTTP, and what one does.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use flv::TagKind;
use gateway::{
    Config, Control, Settings,
    admin::{Admin, check_exposure},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Gateway, control,
    fake::{Act, Fake, Kind, fail},
    functions,
    media::{AUDIO_HEADER, SHAPE, VIDEO_HEADER, write_flv},
    publisher::Publisher,
};

const OPERATOR: &str = "op-secret";

/// What an operator's address serves of a gateway alone.
pub(crate) fn admin(control: Control) -> Admin {
    Admin {
        control: Some(control),
        token: None,
        parts: Vec::new(),
        log_filter: None,
        reload: None,
        backup: None,
    }
}

/// The operator's address of a gateway.
pub(crate) struct Operator {
    pub(crate) address: SocketAddr,
    pub(crate) token: Option<String>,
    pub(crate) control: Control,
    stop: CancellationToken,
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Operator {
    pub(crate) async fn start(token: Option<&str>) -> Self {
        let control = control(Settings { admin_token: token.map(str::to_owned), ..Settings::default() });
        Self::of(admin(control), token).await
    }

    pub(crate) async fn of(admin: Admin, token: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let control = admin.control.clone().unwrap();
        tokio::spawn(admin.serve(listener, stop.clone()));
        Self { address, token: token.map(str::to_owned), control, stop }
    }

    /// A gateway that this operator has.
    pub(crate) async fn gateway(&self, functions: &Fake, spool: &std::path::Path) -> Gateway {
        let control = self.control.clone();
        Gateway::configured(&functions.url(), spool, |config| Config { control, ..config }).await
    }

    /// The status and body of an answer.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, String) {
        let token = self.token.as_ref().map(|token| format!("authorization: Bearer {token}\r\n"));
        self.ask_with(method, path, &token.unwrap_or_default(), body).await
    }

    async fn ask_with(&self, method: &str, path: &str, headers: &str, body: Option<&Value>) -> (u16, String) {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        let host =
            if headers.contains("host:") { String::new() } else { format!("host: {}\r\n", self.address) };
        let body =
            body.map(|body| ("content-type: application/json\r\n", body.to_string())).unwrap_or_default();
        let head = format!("{method} {path} HTTP/1.1\r\n{host}{headers}{}connection: close\r\n", body.0);
        let request = format!("{head}content-length: {}\r\n\r\n{}", body.1.len(), body.1);
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    pub(crate) async fn json(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let (status, body) = self.ask(method, path, body).await;
        (status, serde_json::from_str(&body).unwrap())
    }

    /// A sample, as it is written with its labels.
    pub(crate) async fn sample(&self, sample: &str) -> f64 {
        let (status, text) = self.ask("GET", "/metrics", None).await;
        assert_eq!(status, 200);
        let found = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        found.unwrap_or_else(|| panic!("{sample} is not in {text}")).parse().unwrap()
    }

    /// Waits until a sample is as wanted.
    pub(crate) async fn until(&self, sample: &str, is_met: impl Fn(f64) -> bool) {
        let began = Instant::now();
        loop {
            let value = self.sample(sample).await;
            if is_met(value) {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{sample} is {value}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the health answers this status, for this reason where there is one.
    pub(crate) async fn until_health(&self, path: &str, status: u16, reason: Option<&str>) {
        let began = Instant::now();
        loop {
            let (found, body) = self.json("GET", path, None).await;
            let codes: Vec<_> =
                body["reasons"].as_array().unwrap().iter().map(|reason| &reason["code"]).collect();
            if found == status && reason.is_none_or(|reason| codes.contains(&&json!(reason))) {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{path}: {found}, {body}");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A publisher of one keyframe and a sound.
pub(crate) async fn publish(gateway: &Gateway, name: &str) -> Publisher {
    let mut publisher = Publisher::start_from([127, 0, 0, 1], gateway, name).await.unwrap();
    publisher.tag(TagKind::Video, 0, &VIDEO_HEADER);
    publisher.tag(TagKind::Audio, 0, &AUDIO_HEADER);
    publisher.tag(TagKind::Video, 0, &[0x17, 1, 0, 0, 0, 1]);
    publisher.tag(TagKind::Audio, 10, &[0xaf, 1, 7]);
    publisher.flush().await;
    publisher
}

#[tokio::test]
async fn a_push_moves_the_metrics() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.flv");
    let pushed = write_flv(&file, SHAPE);
    let (functions, operator) = (functions().await, Operator::start(None).await);
    assert_eq!(operator.sample("live_recorder_publishes_total").await, 0.0);
    let gateway = operator.gateway(&functions, &folder.path().join("spool")).await;
    gateway.push(&file, "x").await.unwrap();
    let session = functions.ended(1).await.remove(0);
    gateway.push(&file, "..").await.unwrap_err();
    let publisher = publish(&gateway, "y").await;
    operator.until("live_recorder_recorded_publishers", |count| count == 1.0).await;

    let chunks = session.chunks.len() as f64;
    let bytes: usize = session.chunks.iter().map(|(_, chunk)| chunk.len()).sum();
    for (sample, least) in [
        ("live_recorder_publishes_total", 2.0),
        ("live_recorder_publishes_refused_total{reason=\"name\"}", 1.0),
        ("live_recorder_publishers", 1.0),
        ("live_recorder_connections", 1.0),
        ("live_recorder_connections_taken_total", 3.0),
        ("live_recorder_frames_total{track=\"video\"}", 1.0 + pushed.len() as f64 / 4.0),
        ("live_recorder_frames_total{track=\"audio\"}", 1.0),
        ("live_recorder_received_bytes_total", bytes as f64 / 2.0),
        ("live_recorder_chunks_total{outcome=\"acknowledged\"}", chunks),
        ("live_recorder_chunk_bytes_total", bytes as f64),
        ("live_recorder_chunk_delay_seconds_count", chunks),
        ("live_recorder_spool_limit_bytes", (1 << 30) as f64),
        ("live_recorder_spool_disk_free_bytes", 1.0),
        ("live_recorder_heartbeats_total", 1.0),
        ("live_recorder_lane_calls_total{lane=\"tick\"}", 1.0),
        ("live_recorder_lane_duration_seconds_bucket{lane=\"deliver\",le=\"+Inf\"}", 1.0),
        ("live_recorder_lane_last_success_timestamp_seconds{lane=\"compose\"}", 1.7e9),
        ("live_recorder_build_info{version=\"0.1.0\"}", 1.0),
    ] {
        let value = operator.sample(sample).await;
        assert!(value >= least, "{sample} is {value}, not {least}");
    }
    assert_eq!(operator.sample("live_recorder_chunks_total{outcome=\"acknowledged\"}").await, chunks);
    let (_, text) = operator.ask("GET", "/metrics", None).await;
    assert!(!text.contains("live/x") && !text.contains("live/y"), "no label grows with streams");
    publisher.finish().await;
    operator.until("live_recorder_publishers", |count| count == 0.0).await;
    gateway.stop().await;
}

#[tokio::test]
async fn what_should_be_recorded_and_is_not_is_told_by_reason() {
    let folder = tempfile::tempdir().unwrap();
    let status = Arc::new(AtomicU16::new(503));
    let scripted = Arc::clone(&status);
    let functions = Fake::start(move |call| match (call.kind, scripted.load(Ordering::Relaxed)) {
        (Kind::Begin, status @ 503) | (Kind::Chunk, status @ 424) => fail(status),
        (Kind::Chunk, status @ 413) => fail(status),
        _ => Act::Succeed,
    })
    .await;
    let operator = Operator::start(None).await;
    let gateway = operator.gateway(&functions, folder.path()).await;
    let unrecorded = |reason: &str| format!("live_recorder_unrecorded_pushes{{reason=\"{reason}\"}}");
    let publisher = publish(&gateway, "x").await;
    operator.until(&unrecorded("unavailable"), |count| count == 1.0).await;
    let (_, body) = operator.json("GET", "/publishers", None).await;
    assert_eq!(body["publishers"][0]["unrecorded"], "unavailable");
    status.store(424, Ordering::Relaxed);
    publisher.finish().await;
    operator.until(&unrecorded("bucket"), |count| count == 1.0).await;
    assert!(operator.sample("live_recorder_begins_failed_total{reason=\"unavailable\"}").await >= 1.0);
    assert_eq!(operator.sample("live_recorder_chunk_tries_failed_total{reason=\"bucket\"}").await, 1.0);
    operator.until("live_recorder_lag_seconds", |seconds| seconds > 0.5).await;
    operator.until_health("/healthz", 503, Some("bucket_refuses")).await;
    // It is tried again in a minute; another push need not wait.
    status.store(413, Ordering::Relaxed);
    publish(&gateway, "y").await.finish().await;
    operator.until("live_recorder_gaps_told_total{reason=\"refused\"}", |count| count == 1.0).await;
    assert_eq!(operator.sample("live_recorder_chunks_total{outcome=\"refused\"}").await, 1.0);
    assert_eq!(operator.sample("live_recorder_spool_refused_chunks").await, 1.0);
    gateway.crash().await;
}

#[tokio::test]
async fn health_turns_red_and_heals_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let status = Arc::new(AtomicU16::new(401));
    let scripted = Arc::clone(&status);
    let functions = Fake::start(move |call| match (call.kind, scripted.load(Ordering::Relaxed)) {
        (Kind::Heartbeat | Kind::Tick, status @ (401 | 503)) => fail(status),
        (Kind::Heartbeat, 599) => Act::Foreign(502),
        (Kind::Deliver, 598) => fail(503),
        _ => Act::Succeed,
    })
    .await;
    let operator = Operator::start(None).await;
    operator.until_health("/readyz", 503, Some("recovering")).await;
    let gateway = operator.gateway(&functions, folder.path()).await;
    for (scripted, reason) in [
        (401, "functions_refuse_token"),
        (503, "functions_unavailable"),
        (599, "functions_foreign"),
        (598, "deliver_fails"),
    ] {
        status.store(scripted, Ordering::Relaxed);
        operator.until_health("/healthz", 503, Some(reason)).await;
        assert_eq!(operator.sample("live_recorder_healthy").await, 0.0);
        // What is pushed meanwhile waits in the spool.
        operator.until_health("/readyz", 200, None).await;
        status.store(200, Ordering::Relaxed);
        operator.until_health("/healthz", 200, None).await;
    }
    let address = functions.address;
    drop(functions);
    operator.until_health("/healthz", 503, Some("functions_unreachable")).await;
    let _functions = Fake::start_at(address, |_| Act::Succeed).await;
    operator.until_health("/healthz", 200, None).await;
    gateway.stop().await;
}

#[tokio::test]
async fn only_an_operator_sees_publishers_and_ends_them() {
    let folder = tempfile::tempdir().unwrap();
    let (functions, operator) = (functions().await, Operator::start(Some(OPERATOR)).await);
    let gateway = operator.gateway(&functions, folder.path()).await;
    let mut publisher = publish(&gateway, "x?key=hidden-argument").await;
    operator.until("live_recorder_frames_total{track=\"audio\"}", |count| count == 1.0).await;

    for path in ["/metrics", "/healthz", "/readyz"] {
        assert_eq!(operator.ask_with("GET", path, "", None).await.0, 200, "{path}");
    }
    for scheme in ["Bearer", "bearer"] {
        let headers = format!("authorization: {scheme} {OPERATOR}\r\n");
        assert_eq!(operator.ask_with("GET", "/publishers", &headers, None).await.0, 200, "{scheme}");
    }
    let kick = json!({ "name": "h/live/x" });
    for headers in ["", "authorization: Bearer other\r\n", "authorization: Basic op-secret\r\n"] {
        for (method, path, body) in [
            ("GET", "/publishers", None),
            ("POST", "/kick", Some(&kick)),
            ("POST", "/drain", Some(&json!({}))),
        ] {
            assert_eq!(operator.ask_with(method, path, headers, body).await.0, 401, "{path}");
        }
    }
    let (status, body) = operator.json("GET", "/publishers", None).await;
    let seen = &body["publishers"][0];
    assert_eq!((status, seen["stream"].as_str()), (200, Some("h/live/x")));
    assert_eq!(
        (seen["video_codec"].as_str(), seen["audio_codec"].as_str()),
        (Some("h264"), Some("aac")),
        "{seen}"
    );
    assert_eq!((&seen["recorded"], &seen["media_bytes"]), (&json!(true), &json!(9)), "{seen}");
    assert!(seen["age_s"].as_f64() > Some(0.0) && seen["silent_s"].as_f64().is_some(), "{seen}");
    assert!(!body.to_string().contains("hidden"), "{body}");

    assert_eq!(operator.ask("POST", "/kick", Some(&json!({ "name": "h/live/y" }))).await.0, 404);
    assert_eq!(operator.ask("POST", "/kick", Some(&json!({ "names": 1 }))).await.0, 400);
    assert_eq!(operator.json("POST", "/kick", Some(&kick)).await, (200, json!({ "kicked": 1 })));
    let told = publisher.refused().await;
    assert!(told.contains("an operator of the gateway has ended the connection"), "{told}");
    functions.ended(1).await;
    assert_eq!(operator.sample("live_recorder_publishers_kicked_total").await, 1.0);
    assert_eq!(operator.ask("GET", "/log-level", None).await.0, 404);
    assert_eq!(operator.ask("GET", "/drain", None).await.0, 200);
    assert_eq!(operator.ask("DELETE", "/drain", None).await.0, 405);
    gateway.stop().await;
}

#[tokio::test]
async fn without_a_token_no_web_page_reaches_it_and_no_other_machine() {
    let operator = Operator::start(None).await;
    let drain = json!({ "wait_s": 0 });
    assert_eq!(operator.ask_with("POST", "/drain", "host: rebound.example\r\n", Some(&drain)).await.0, 403);
    let form = "content-type: text/plain\r\n";
    assert_eq!(operator.ask_with("POST", "/drain", form, None).await.0, 415);
    assert!(!operator.control.drain_state().draining);
    let may_serve = |token: Option<&str>, address: &str| {
        check_exposure(address.parse().unwrap(), token.is_some()).is_ok()
    };
    for address in ["0.0.0.0:1", "192.0.2.1:1", "[::]:1"] {
        assert!(!may_serve(None, address) && may_serve(Some("t"), address));
    }
    assert!(may_serve(None, "[::1]:1"));
}

#[tokio::test]
async fn who_holds_connections_or_a_body_back_holds_none_of_them_for_long() {
    let operator = Operator::start(None).await;
    let connect = || async { TcpStream::connect(operator.address).await.unwrap() };
    let mut slow = connect().await;
    let head =
        "POST /drain HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n";
    slow.write_all(format!("{head}connection: close\r\n\r\n{{").as_bytes()).await.unwrap();
    let mut held = vec![slow];
    while held.len() < 64 {
        let mut socket = connect().await;
        socket.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        assert_eq!(socket.read_u8().await.unwrap(), b'H');
        held.push(socket);
    }
    let mut beyond = connect().await;
    assert!(beyond.read_u8().await.is_err(), "it is closed without a word");
    drop(held.split_off(1));
    let began = Instant::now();
    loop {
        let mut socket = connect().await;
        // It may be closed before or after that.
        let _ = socket.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        if socket.read_u8().await.is_ok() {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "no place is free again");
        sleep(Duration::from_millis(20)).await;
    }
    let mut answer = String::new();
    held[0].read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn a_body_that_is_declared_to_be_too_long_is_not_waited_for() {
    let operator = Operator::start(None).await;
    let mut socket = TcpStream::connect(operator.address).await.unwrap();
    let head = "POST /drain HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nexpect: 100-continue\r\n";
    socket.write_all(format!("{head}content-length: 99999999999\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = [0; 13];
    socket.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413 ");
}

#[tokio::test]
async fn a_drained_gateway_refuses_pushes_and_ends_once_all_is_brought() {
    let folder = tempfile::tempdir().unwrap();
    let (functions, operator) = (functions().await, Operator::start(None).await);
    let gateway = operator.gateway(&functions, folder.path()).await;
    let live = publish(&gateway, "x").await;
    let (status, state) =
        operator.json("POST", "/drain", Some(&json!({ "wait_s": 600, "upload_s": 30 }))).await;
    assert_eq!((status, &state["draining"], &state["publishers"]), (202, &json!(true), &json!(1)));
    operator.until_health("/readyz", 503, Some("draining")).await;
    let refused = Publisher::start_from([127, 0, 0, 1], &gateway, "y").await.err().unwrap();
    assert!(refused.contains("this gateway is about to end"), "{refused}");
    assert_eq!(operator.sample("live_recorder_publishes_refused_total{reason=\"draining\"}").await, 1.0);
    live.finish().await;
    // It ends by itself.
    tokio::time::timeout(Duration::from_secs(20), gateway.task).await.unwrap().unwrap().unwrap();
    functions.ended(1).await;
    assert_eq!(std::fs::read_dir(folder.path().join("pushes")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_drained_gateway_ends_pushes_in_time_and_says_what_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let is_away = |call: &crate::fake::Call| call.kind == Kind::Chunk && call.stream.ends_with("/away");
    let functions = Fake::start(move |call| if is_away(call) { fail(503) } else { Act::Succeed }).await;
    let operator = Operator::start(None).await;
    let gateway = operator.gateway(&functions, folder.path()).await;
    let (live, away) = (publish(&gateway, "x").await, publish(&gateway, "away").await);
    functions.until("both begins", |log| log.sessions.len() == 2).await;
    let began = Instant::now();
    operator.json("POST", "/drain", Some(&json!({ "wait_s": 600, "upload_s": 60 }))).await;
    // Said again it is sooner.
    operator.json("POST", "/drain", Some(&json!({ "wait_s": 1, "upload_s": 2 }))).await;
    tokio::join!(live.ended(), away.ended());
    assert!(began.elapsed() >= Duration::from_secs(1));
    let ended = tokio::time::timeout(Duration::from_secs(20), gateway.task).await.unwrap().unwrap();
    let error = ended.unwrap_err().to_string();
    assert!(error.contains("1 pushes with 1 chunks"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path().join("pushes")).unwrap().count(), 1);
}

#[tokio::test]
async fn how_long_a_drained_gateway_uploads_changes_while_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let functions = Fake::start(|call| if call.kind == Kind::Chunk { fail(503) } else { Act::Succeed }).await;
    let operator = Operator::start(None).await;
    let gateway = operator.gateway(&functions, folder.path()).await;
    let live = publish(&gateway, "x").await;
    functions.until("the begin", |log| log.sessions.len() == 1).await;
    operator.json("POST", "/drain", Some(&json!({ "wait_s": 0, "upload_s": 1 }))).await;
    // Said again it is later, and then it is sooner.
    operator.json("POST", "/drain", Some(&json!({ "wait_s": 0, "upload_s": 600 }))).await;
    live.ended().await;
    sleep(Duration::from_secs(2)).await;
    assert!(!gateway.task.is_finished());
    operator.json("POST", "/drain", Some(&json!({ "wait_s": 0, "upload_s": 3 }))).await;
    let ended = tokio::time::timeout(Duration::from_secs(20), gateway.task).await.unwrap().unwrap();
    assert!(ended.is_err(), "a chunk is left");
}
