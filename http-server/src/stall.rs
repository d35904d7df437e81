//! Request bodies that stop coming.
//!
//! A client that keeps back what it promised would hold its connection, and whoever reads the body, for as long as it
//! likes. Only the time counts in which somebody waits for more: a reader may take its time, and a body that keeps coming
//! may be as long and as slow as it is.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

/// How long a reader waits for [`LEAST_BYTES`]: as long as for the head of a request; in tests a second.
pub(crate) const PATIENCE: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 30 });

/// What has to come meanwhile, unless the body ends. One byte now and then is no progress; a line that carries less
/// carries no stream either.
const LEAST_BYTES: u64 = 1 << 10;

/// Why no more of a body can be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It stopped coming.
    #[error("{0}")]
    Stalled(Stalled),
    /// The connection failed, or what came on it is no body.
    #[error(transparent)]
    Connection(hyper::Error),
}

/// A body of which nothing, or next to nothing, came for half a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stalled {
    /// How many bytes came of it.
    pub came: u64,
    /// How many its sender said it has; `None` for a chunked one.
    pub promised: Option<u64>,
}

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.promised {
            Some(promised) => write!(f, "the body stopped coming: {} of {promised} bytes came", self.came),
            None => write!(f, "the body stopped coming before its end, after byte {}", self.came),
        }
    }
}

/// How much longer is waited.
struct Patience {
    came: u64,
    /// What came since there was all of [`PATIENCE`].
    came_lately: u64,
    /// How much longer, where nobody waits.
    left: Duration,
    /// Until when, while somebody waits.
    until: Option<Instant>,
}

impl Patience {
    const fn new() -> Self {
        Self { came: 0, came_lately: 0, left: PATIENCE, until: None }
    }

    /// Until when more has to come, which somebody waits for `now`.
    fn wait(&mut self, now: Instant) -> Instant {
        *self.until.get_or_insert(now + self.left)
    }

    /// Notes that so many bytes came.
    fn take(&mut self, bytes: u64, now: Instant) {
        self.came += bytes;
        self.came_lately += bytes;
        let until = self.until.take();
        if self.came_lately >= LEAST_BYTES {
            (self.came_lately, self.left) = (0, PATIENCE);
        } else if let Some(until) = until {
            self.left = until.saturating_duration_since(now);
        }
    }
}

/// A body whose reader waits only so long for more of it.
pub(crate) struct Timed<B> {
    body: B,
    promised: Option<u64>,
    patience: Patience,
    /// Once somebody had to wait: most bodies are there at once, and need none.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<B: Body<Data = Bytes, Error = hyper::Error> + Unpin> Timed<B> {
    pub(crate) fn new(body: B) -> Self {
        let promised = body.size_hint().exact();
        Self { body, promised, patience: Patience::new(), timer: None }
    }

    /// Waits on, unless it was too long.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<Stalled> {
        let until = self.patience.wait(Instant::now());
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        if timer.deadline() != until {
            timer.as_mut().reset(until);
        }
        timer.as_mut().poll(cx).map(|()| Stalled { came: self.patience.came, promised: self.promised })
    }
}

impl<B: Body<Data = Bytes, Error = hyper::Error> + Unpin> Body for Timed<B> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.patience.take(frame.data_ref().map_or(0, |data| data.len() as u64), Instant::now());
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(BodyError::Connection(error)))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => self.poll_patience(cx).map(|stalled| Some(Err(BodyError::Stalled(stalled)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waits for bytes that come so long after each other, and looks for the next ones only after a pause; answers how
    /// many came in time.
    fn check(bytes: u64, after: Duration, pause: Duration, in_time: usize) {
        let (mut patience, mut now) = (Patience::new(), Instant::now());
        let came = std::iter::repeat_with(|| {
            now += pause;
            let until = patience.wait(now);
            now += after;
            patience.take(bytes, now);
            now < until
        });
        let all = 1_000;
        assert_eq!(came.take(all).take_while(|&is_in_time| is_in_time).count(), in_time.min(all));
    }

    #[test]
    fn a_body_that_keeps_coming_may_take_as_long_as_it_does() {
        check(LEAST_BYTES, PATIENCE * 9 / 10, Duration::ZERO, usize::MAX);
        check(LEAST_BYTES / 4, PATIENCE / 5, Duration::ZERO, usize::MAX);
        check(LEAST_BYTES, PATIENCE, Duration::ZERO, 0);
    }

    #[test]
    fn a_byte_now_and_then_is_no_progress() {
        check(1, PATIENCE * 2 / 9, Duration::ZERO, 4);
        check(LEAST_BYTES / 4 - 1, PATIENCE * 2 / 9, Duration::ZERO, 4);
    }

    #[test]
    fn a_reader_may_take_its_time_with_what_has_come() {
        check(1, Duration::ZERO, PATIENCE * 3, usize::MAX);
    }

    #[test]
    fn a_stall_is_told_with_what_came_and_what_was_promised() {
        let check = |promised, text: &str| assert_eq!(Stalled { came: 5, promised }.to_string(), text);
        check(Some(7), "the body stopped coming: 5 of 7 bytes came");
        check(None, "the body stopped coming before its end, after byte 5");
    }
}
