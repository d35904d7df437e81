//! The plain proxy: each request is sent on as it came, its body as it comes, on connections that are kept.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_server::{Places, serve_connections};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What went through a proxy.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    requests: AtomicU64,
    sent: AtomicU64,
    read: AtomicU64,
    waits: Mutex<Waits>,
}

/// When at least one request waited for the server.
#[derive(Debug, Default)]
struct Waits {
    waiting: u32,
    since: Option<Instant>,
    total: Duration,
}

/// Bodies up to this size, in bytes, take no time worth counting to be sent: the rest is the server's.
const SMALL: u64 = 1 << 16;

/// What went through a proxy up to a moment: requests, and the bytes of their bodies and of those of the answers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    pub(crate) requests: u64,
    pub(crate) sent: u64,
    pub(crate) read: u64,
    /// Time in which at least one request, of a body of at most 64 KiB, waited for the head of its answer.
    pub(crate) waited: Duration,
}

impl Counts {
    /// What went through it, and counts anew.
    pub(crate) fn take(&self) -> Counted {
        let take = |count: &AtomicU64| count.swap(0, Relaxed);
        let waited = std::mem::take(&mut self.waits().total);
        Counted { requests: take(&self.requests), sent: take(&self.sent), read: take(&self.read), waited }
    }

    fn waits(&self) -> std::sync::MutexGuard<'_, Waits> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that waits for the server, until it is dropped.
struct Waiting(Arc<Counts>);

impl Waiting {
    fn of(counts: &Arc<Counts>) -> Self {
        let mut waits = counts.waits();
        waits.waiting += 1;
        waits.since.get_or_insert_with(Instant::now);
        drop(waits);
        Self(counts.clone())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut waits = self.0.waits();
        waits.waiting -= 1;
        if waits.waiting == 0 {
            let waited = waits.since.take().map_or(Duration::ZERO, |since| since.elapsed());
            waits.total += waited;
        }
    }
}

/// Forwards to the server at `target`; says on the first line of its output where it listens.
pub(crate) fn serve(target: &str) -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        forward(listener, target.into(), Arc::default()).await;
        Ok(())
    })
}

/// The same in a thread of this process; answers where it listens, and what goes through it.
pub(crate) fn spawn(target: &str) -> Result<(String, Arc<Counts>)> {
    let (tell, told) = std::sync::mpsc::channel();
    let (counts, target) = (Arc::<Counts>::default(), Arc::from(target));
    let counted = counts.clone();
    std::thread::spawn(move || -> Result<()> {
        tokio::runtime::Runtime::new()?.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            tell.send(listener.local_addr()?)?;
            forward(listener, target, counted).await;
            Ok(())
        })
    });
    Ok((told.recv().context("the proxy does not listen")?.to_string(), counts))
}

async fn forward(listener: TcpListener, target: Arc<str>, counts: Arc<Counts>) {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).build(tcp);
    let forward = move |mut request: http::Request<http_server::Drained>| {
        let (client, target, counts) = (client.clone(), Arc::clone(&target), Arc::clone(&counts));
        async move {
            let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
            *request.uri_mut() = format!("http://{target}{path}").parse()?;
            let is_head = request.method() == http::Method::HEAD;
            counts.requests.fetch_add(1, Relaxed);
            let body = length(request.headers());
            counts.sent.fetch_add(body, Relaxed);
            let waiting = (body <= SMALL).then(|| Waiting::of(&counts));
            let answer: http::Response<Incoming> = client.request(request).await?;
            drop(waiting);
            if !is_head {
                counts.read.fetch_add(length(answer.headers()), Relaxed);
            }
            anyhow::Ok(answer)
        }
    };
    let service = |_| service_fn(forward.clone());
    serve_connections(Places::ANY, listener, service, CancellationToken::new()).await;
}

fn length(headers: &HeaderMap) -> u64 {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    length.unwrap_or(0)
}
