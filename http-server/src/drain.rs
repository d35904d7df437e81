//! Request bodies that are read to their end even when nobody wants the rest.
//!
//! A server that answers before it has read the body, and then closes, loses its answer: the peer, still
//! sending, is reset. So what a handler leaves unread is read and thrown away, within bounds.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::stall::{BodyError, Timed};

/// How much of an unwanted body is read: the largest chunk that a gateway sends.
const MAX_BYTES: usize = 64 << 20;

/// How long it is read for.
const MAX_TIME: Duration = Duration::from_secs(30);

/// What became of a request's body.
#[derive(Debug, Default)]
pub(crate) struct Course {
    has_come: AtomicBool,
    has_stalled: AtomicBool,
}

impl Course {
    /// Whether some of it came.
    pub(crate) fn has_come(&self) -> bool {
        self.has_come.load(Ordering::Relaxed)
    }

    /// Whether no more of it is waited for.
    pub(crate) fn has_stalled(&self) -> bool {
        self.has_stalled.load(Ordering::Relaxed)
    }
}

/// A body that is drained when it is dropped, and that fails where it stops coming.
pub struct Drained {
    body: Option<Timed<Incoming>>,
    course: Arc<Course>,
}

impl Drained {
    /// Takes over the body of a request, and notes in `course` what becomes of it.
    pub(crate) fn new(body: Incoming, course: Arc<Course>) -> Self {
        Self { body: Some(Timed::new(body)), course }
    }

    fn body(&mut self) -> &mut Timed<Incoming> {
        self.body.as_mut().expect("the body should be there until drop")
    }
}

impl Drop for Drained {
    fn drop(&mut self) {
        let Some(body) = self.body.take() else { return };
        // A client that sends nothing more would be waited for in vain.
        if body.is_end_stream() || self.course.has_stalled() {
            return;
        }
        // Outside of a runtime there is no connection to save either.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(tokio::time::timeout(MAX_TIME, drain(body)));
        }
    }
}

async fn drain(mut body: Timed<Incoming>) {
    let mut left = MAX_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(length) {
            Some(less) => left = less,
            None => return,
        }
    }
}

impl Body for Drained {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = Pin::new(self.body()).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(_))) => self.course.has_come.store(true, Ordering::Relaxed),
            Poll::Ready(Some(Err(BodyError::Stalled(_)))) => {
                self.course.has_stalled.store(true, Ordering::Relaxed)
            }
            _ => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}
