//! How long to wait before a retry.

use std::time::Duration;

use protocol::StreamPath;
use tokio::time::sleep;

use crate::{clock::LogLimit, functions::CallError};

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// A refusal that only people can lift, such as a wrong token, is tried again this often.
const REFUSED: Duration = Duration::from_secs(5);

/// Exponential, with jitter so that many streams do not come back at once.
#[derive(Debug)]
pub(crate) struct Backoff<'a> {
    path: &'a StreamPath,
    delay: Duration,
    log_limit: LogLimit,
}

impl<'a> Backoff<'a> {
    pub(crate) fn new(path: &'a StreamPath) -> Self {
        Self { path, delay: FIRST, log_limit: LogLimit::default() }
    }

    /// Waits a little before a retry.
    pub(crate) async fn wait(&mut self, what: &str, error: &CallError) {
        let delay = self.next(error);
        if self.log_limit.permits() {
            let path = self.path;
            if error.is_refusal() {
                tracing::error!("{path}: {what}: {error}; trying again, but only people can change this");
            } else {
                tracing::warn!("{path}: {what}: {error}; trying again");
            }
        }
        sleep(delay).await;
    }

    /// The wait after this failure.
    fn next(&mut self, error: &CallError) -> Duration {
        let delay = if error.is_refusal() { REFUSED } else { self.delay };
        self.delay = (self.delay * 2).min(LONGEST);
        delay.mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_five_seconds() {
        let path = StreamPath::new("d", "a", "s").unwrap();
        let mut backoff = Backoff::new(&path);
        let error = CallError::NoAnswer(anyhow::anyhow!("refused"));
        for expected_ms in [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000] {
            let delay = backoff.next(&error).as_millis();
            assert!((expected_ms / 2..=expected_ms).contains(&delay), "{delay} of {expected_ms}");
        }
    }
}
