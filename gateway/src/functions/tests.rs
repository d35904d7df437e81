//! A host that accepts calls and answers none: how long each call is held before another host is called.

use std::future::pending;

use futures_util::FutureExt;
use http::Response;
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use protocol::{EndSession, Generation, SessionPath, StreamPath, Tick};
use tokio::{
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::{Instant, advance, pause, resume},
};

use super::*;
use crate::{gateway::Gateway, heartbeat::beat, operation::Control};

/// What is said to any call: each reads its own fields.
const ANSWER: &str =
    r#"{"chunks": 1, "seq": 0, "next": 1, "due": 0, "done": 0, "failures": [], "since": 0, "sessions": []}"#;

/// How far the clock moves at a time. A few times more than a task needs to notice are less than a second.
const STEP: Duration = Duration::from_millis(100);

/// A host that takes every call, and answers each or none; it tells of each call that it has been sent.
async fn host(answers: bool) -> (String, UnboundedReceiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (called, calls) = unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let called = called.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let called = called.clone();
                async move {
                    called.send(()).unwrap();
                    if !answers {
                        pending::<()>().await;
                    }
                    request.into_body().collect().await?;
                    let answer = Response::builder().header(CONTENT_TYPE, JSON_CONTENT_TYPE);
                    Ok::<_, hyper::Error>(answer.body(Full::new(Bytes::from(ANSWER))).unwrap())
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
        }
    });
    (url, calls)
}

/// Functions at a host that answers nothing, whose turn it is, and at one that answers.
struct Two {
    functions: Functions,
    hanging: UnboundedReceiver<()>,
    answering: UnboundedReceiver<()>,
}

impl Two {
    async fn start() -> Self {
        let ((one, hanging), (two, answering)) = (host(false).await, host(true).await);
        let functions = Functions::new(&[one, two], Current::default(), None).unwrap();
        Self { functions, hanging, answering }
    }
}

/// Makes a call that one host holds, for so many seconds, and then the same again.
async fn check(held_s: u64, call: impl AsyncFn(&Functions) -> Result<(), CallError>) {
    let Two { functions, mut hanging, mut answering } = Two::start().await;
    let began = Instant::now();
    let mut first = Box::pin(call(&functions));
    tokio::select! {
        biased;
        early = &mut first => panic!("it ends before the host has it: {early:?}"),
        sent = hanging.recv() => sent.unwrap(),
    }
    // From here on time goes by only as it is told to.
    pause();
    let error = loop {
        if let Some(ended) = first.as_mut().now_or_never() {
            break ended.unwrap_err();
        }
        advance(STEP).await;
    };
    assert_eq!(began.elapsed().as_secs(), held_s);
    assert!(matches!(error, CallError::NoAnswer(_)) && error.is_of_host(), "{error}");
    assert!(answering.try_recv().is_err(), "until then nobody else is called");
    resume();
    for _ in 0..2 {
        call(&functions).await.unwrap();
        answering.recv().await.unwrap();
    }
    assert!(hanging.try_recv().is_err(), "it is left alone");
}

#[tokio::test]
async fn a_host_that_answers_nothing_holds_a_call_for_its_time_and_the_next_one_goes_elsewhere() {
    const BYTES: u64 = 1_250_000;
    let session = || SessionPath { stream: StreamPath::new("d", "a", "s").unwrap(), session: "s".into() };
    check(30, async |functions| functions.call(session(), &EndSession::default()).await.map(drop)).await;
    check(150, async |functions| functions.call_long((), &Tick::default()).await.map(drop)).await;
    // A chunk of ten seconds at 1 Mb/s.
    check(40, async |functions| {
        let name = ChunkName { index: 0, offset_ms: 0, generation: Generation::default(), continues: false };
        let blocks = Some(vec![Bytes::from(vec![7; BYTES as usize])]);
        let chunk = ChunkBody { bytes: BYTES, name, path: "unused".into(), blocks };
        let path = ChunkPath { session: session(), seq: 0 };
        functions.put_chunk(path, "push", chunk, &TraceContext::new()).await.map(drop)
    })
    .await;
}

#[tokio::test]
async fn a_host_that_answers_nothing_holds_a_heartbeat_for_ten_seconds() {
    let Two { functions, mut hanging, mut answering } = Two::start().await;
    let (gateway, control) = (Gateway { name: "g".into(), boot: "s.1".into() }, Control::default());
    let began = Instant::now();
    let beating = tokio::spawn(beat(gateway, functions, Arc::default(), Arc::default(), control.clone()));
    hanging.recv().await.unwrap();
    pause();
    while control.metrics().heartbeat.failed.get() == 0 {
        advance(STEP).await;
    }
    assert_eq!(began.elapsed().as_secs(), 10);
    assert!(answering.try_recv().is_err(), "until then nobody else is called");
    resume();
    // The next one is on time again.
    answering.recv().await.unwrap();
    assert!(hanging.try_recv().is_err(), "it is left alone");
    beating.abort();
}

#[tokio::test]
async fn a_chunk_that_cannot_be_read_is_no_failure_of_the_host() {
    let (url, mut calls) = host(true).await;
    let functions = Functions::new(&[url], Current::default(), None).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (file, gone) = (folder.path().join("file"), folder.path().join("gone"));
    std::fs::write(&file, [7; 90_000]).unwrap();
    let put = async |path: &Path, bytes| {
        let name = ChunkName { index: 0, offset_ms: 0, generation: Generation::default(), continues: false };
        let chunk = ChunkBody { bytes, name, path: path.into(), blocks: None };
        let session = SessionPath { stream: StreamPath::new("d", "a", "s").unwrap(), session: "s".into() };
        let path = ChunkPath { session, seq: 0 };
        functions.put_chunk(path, "push", chunk, &TraceContext::new()).await
    };
    // A folder can be opened and not read.
    for path in [&file, folder.path(), &gone] {
        let error = put(path, 100_000).await.unwrap_err();
        assert!(!error.is_of_host() && functions.has_host(), "{}: {error}", path.display());
    }
    while calls.try_recv().is_ok() {}
    // What follows the chunk is not sent.
    put(&file, 80_000).await.unwrap();
    calls.recv().await.unwrap();
}

#[test]
fn a_process_that_can_open_no_file_says_nothing_of_one() {
    for (errno, is_of_file) in
        [(Errno::MFILE, false), (Errno::NFILE, false), (Errno::IO, true), (Errno::NOENT, true)]
    {
        let error = unopened(errno.into());
        assert_eq!(matches!(error, CallError::Unreadable(_)), is_of_file, "{error}");
    }
}
