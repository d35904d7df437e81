//! How long to wait before a retry.

use std::time::{Duration, Instant};

use crate::{functions::CallError, ingest::Ingest};

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// A refusal that only people can lift, such as a wrong token, is tried again this often.
const REFUSED: Duration = Duration::from_secs(5);

/// Failures of one call are said at most this often.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// Exponential, with jitter so that many streams do not come back at once.
#[derive(Debug)]
pub(crate) struct Backoff<'a> {
    pub(crate) ingest: &'a Ingest,
    delay: Duration,
    said: Option<Instant>,
}

impl<'a> Backoff<'a> {
    pub(crate) fn new(ingest: &'a Ingest) -> Self {
        Self { ingest, delay: FIRST, said: None }
    }

    /// The wait after this failure.
    pub(crate) fn next(&mut self, error: &CallError) -> Duration {
        let delay = if error.is_refusal() { REFUSED } else { self.delay };
        self.delay = (self.delay * 2).min(LONGEST);
        delay.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    pub(crate) fn is_worth_saying(&mut self) -> bool {
        let is_due = self.said.is_none_or(|said| said.elapsed() > SAY_EVERY);
        if is_due {
            self.said = Some(Instant::now());
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_five_seconds() {
        let spool = tempfile::tempdir().unwrap();
        let path = protocol::StreamPath::new("d", "a", "s").unwrap();
        let ingest = Ingest::new(path, spool.path().join("push"), Default::default()).unwrap();
        let mut backoff = Backoff::new(&ingest);
        let error = CallError::NoAnswer(anyhow::anyhow!("refused"));
        for expected_ms in [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000] {
            let delay = backoff.next(&error).as_millis();
            assert!((expected_ms / 2..=expected_ms).contains(&delay), "{delay} of {expected_ms}");
        }
    }
}
