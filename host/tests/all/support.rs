//! What the tests share: guests, hosts made of them, a server to send to.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use host::{Host, HostBuilder, Manifest, WasiBody};
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::guests::GUESTS;

/// A manifest with `component` as the table of the one component, which answers every route.
pub(crate) fn manifest(component: &str) -> Manifest {
    let text = format!(
        "spin_manifest_version = 2\n\
         application = {{ name = \"test\" }}\n\
         trigger.http = [{{ route = \"/...\", component = \"guest\" }}]\n\
         [component.guest]\n{component}"
    );
    Manifest::parse(&text, GUESTS.clone()).unwrap()
}

/// A builder that compiles nothing twice, over all tests and runs.
pub(crate) fn builder(manifest: Manifest) -> HostBuilder {
    HostBuilder::new(manifest).cache(GUESTS.join("../compiled"))
}

/// A host whose one component is `probe` with the grants in `component`.
pub(crate) fn probe(component: &str) -> Host {
    builder(manifest(&format!("source = \"probe.wasm\"\n{component}"))).build().unwrap()
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: String,
}

impl Answer {
    /// The body of a 200.
    pub(crate) fn granted(self) -> String {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        self.body
    }

    /// The body of a 500, which says what was refused.
    pub(crate) fn refused(self) -> String {
        assert_eq!(self.status, StatusCode::INTERNAL_SERVER_ERROR, "{}", self.body);
        self.body
    }
}

pub(crate) async fn send(host: &Host, method: &str, target: &str, body: Bytes) -> Answer {
    let length = body.len();
    let body: WasiBody = Full::new(body).map_err(|never| match never {}).boxed_unsync();
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header(header::HOST, "test.example")
        .header(header::CONTENT_LENGTH, length)
        .body(body)
        .unwrap();
    let response = host.handle(request, "192.0.2.1:1234".parse().unwrap()).await;
    let status = response.status();
    let body = response.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    Answer { status, body: String::from_utf8_lossy(&body).into_owned() }
}

pub(crate) async fn get(host: &Host, target: &str) -> Answer {
    send(host, "GET", target, Bytes::new()).await
}

/// A host that listens.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    stop: CancellationToken,
    serving: tokio::task::JoinHandle<anyhow::Result<()>>,
}

impl Served {
    pub(crate) async fn new(host: Host) -> Self {
        Self::of(Arc::new(host)).await
    }

    pub(crate) async fn of(host: Arc<Host>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let serving = tokio::spawn(host.serve(listener, stop.clone()));
        Self { address, stop, serving }
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.serving.await.unwrap().unwrap();
    }
}

/// A server that reads each request whole and answers 201 with the length and the sum of its body.
pub(crate) async fn receiver() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = service_fn(|request: Request<hyper::body::Incoming>| async move {
                let body = request.into_body().collect().await?.to_bytes();
                let answer = http::Response::builder().status(201).header("x-received", summary(&body));
                Ok::<_, hyper::Error>(answer.body(Full::new(Bytes::from(summary(&body)))).unwrap())
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    address
}

/// Length and sum of bytes, as guest and receiver report them.
pub(crate) fn summary(bytes: &[u8]) -> String {
    format!("{} {}", bytes.len(), bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>())
}

/// `length` bytes that a shift or a swap does not leave alone.
pub(crate) fn pattern(length: usize) -> Bytes {
    (0..length).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect()
}
