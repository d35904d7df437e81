//! Serving HTTP/1.1 on a listener, and stopping without breaking off what runs.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, EXPECT};
use http::{HeaderValue, Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

use crate::drain::{Course, Drained};

/// For the head of a request to arrive.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// What a connection may hold of what it received, and of what it is to send, for as long as it is open: bodies come in
/// pieces that are no larger, and a head is refused that is.
const BUFFER_BYTES: usize = 128 << 10;

/// For a client to make room for more of an answer; in tests a second.
const WRITE_TIMEOUT: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 60 });

/// For requests that run while the server stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);

/// How long to wait when no connection can be accepted, for want of file descriptors for example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// How many connections there are at once, and for how long one may have no room for more of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    most: usize,
    write: Option<Duration>,
}

impl Places {
    /// As many as there are, each for as long as its client is there.
    pub const ANY: Self = Self { most: Semaphore::MAX_PERMITS, write: None };

    /// As many as there are; one that has no room for more of an answer for a minute is broken off.
    pub const BRISK: Self = Self { most: Semaphore::MAX_PERMITS, write: Some(WRITE_TIMEOUT) };

    /// So many at most; what connects beyond that is closed. One that has no room for more of an answer for a minute is
    /// broken off, so that it holds its place no longer.
    #[must_use]
    pub fn some(most: usize) -> Self {
        Self { most, write: Some(WRITE_TIMEOUT) }
    }
}

/// Serves each connection with what `service` makes for its peer, until `stop` is cancelled.
///
/// Then no connection is accepted any more, and the requests that run have 20 s to end.
pub async fn serve_connections<F, S, B>(
    Places { most, write }: Places,
    listener: TcpListener,
    service: F,
    stop: CancellationToken,
) where
    F: Fn(SocketAddr) -> S,
    S: Service<Request<Drained>, Response = Response<B>> + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<Fault>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Fault>,
{
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(most));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("a connection could not be accepted: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::debug!(%peer, "there are {most} connections already");
            continue;
        };
        // With Nagle's algorithm, the end of a response waits for the acknowledgement of its beginning.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("TCP_NODELAY was refused: {error}");
        }
        let connection = connection(stream, write, service(peer));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%peer, "a connection ended: {error}");
            }
            drop(place);
        });
    }
    drop(listener);
    let drained = pin!(graceful.shutdown());
    if tokio::time::timeout(DRAIN_TIMEOUT, drained).await.is_err() {
        tracing::warn!("requests still ran after {} s and were broken off", DRAIN_TIMEOUT.as_secs());
    }
}

/// One connection, whose requests `service` answers.
fn connection<T, S, B>(
    stream: T,
    write: Option<Duration>,
    service: S,
) -> impl GracefulConnection<Error = hyper::Error> + Send
where
    T: AsyncRead + AsyncWrite + Send + 'static,
    S: Service<Request<Drained>, Response = Response<B>> + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<Fault>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Fault>,
{
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(write);
    http1::Builder::new()
        .max_buf_size(BUFFER_BYTES)
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(
            TokioIo::new(Box::pin(stream)),
            service_fn(move |request| answer(&service, request)),
        )
}

/// Answers one request.
///
/// A client that expects `100 Continue` may keep its body when the answer comes first (RFC 9110, section 10.1.1). The
/// begin of its next request would be taken for that body, so its connection ends with the answer. So does that of a
/// client whose body stopped coming.
fn answer<S, B>(
    service: &S,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response<B>, S::Error>> + Send + use<S, B>
where
    S: Service<Request<Drained>, Response = Response<B>>,
    S::Future: Send,
{
    let may_keep_body = request.headers().contains_key(EXPECT) && !request.body().is_end_stream();
    let course = Arc::new(Course::default());
    let answered = service.call(request.map(|body| Drained::new(body, course.clone())));
    async move {
        let mut response = answered.await?;
        if may_keep_body && !course.has_come() || course.has_stalled() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }
}

#[cfg(test)]
mod stall_tests;
#[cfg(test)]
mod tests;
