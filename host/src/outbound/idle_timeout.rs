//! A body that fails when it pauses for too long.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};
use wasmtime_wasi_http::Error;

/// Fails with [`Error::ConnectionReadTimeout`] when a frame takes longer than the bound.
pub(crate) struct IdleTimeout<B> {
    /// `None` once it has failed: what it held is free again.
    body: Option<B>,
    /// Runs only while a frame is awaited.
    pause: Option<Pin<Box<Sleep>>>,
    bound: Duration,
}

impl<B> IdleTimeout<B> {
    pub(crate) fn new(body: B, bound: Duration) -> Self {
        Self { body: Some(body), pause: None, bound }
    }
}

impl<B: Body<Data = Bytes, Error = Error> + Unpin> Body for IdleTimeout<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) {
            self.pause = None;
            return Poll::Ready(frame);
        }
        let bound = self.bound;
        ready!(self.pause.get_or_insert_with(|| Box::pin(sleep(bound))).as_mut().poll(cx));
        self.body = None;
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}
