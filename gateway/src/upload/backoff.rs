//! How long to wait before a retry.

use std::time::Duration;

use http::StatusCode;
use protocol::StreamPath;
use tokio::time::sleep;

use crate::{
    clock::LogLimit,
    functions::{CallError, Functions},
};

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// What only people can change, such as a wrong token, and what something on the way says, is tried again this often.
const SLOW: Duration = Duration::from_secs(5);

/// The least time between two tries where the user's bucket refuses, or a session is not known: the store may be being
/// rebuilt.
const MINUTE: Duration = Duration::from_secs(60);

/// Exponential, with jitter so that many streams do not come back at once.
#[derive(Debug)]
pub(crate) struct Backoff<'a> {
    path: &'a StreamPath,
    functions: &'a Functions,
    delay: Duration,
    /// How many more hosts are tried at once, before the next wait.
    spares: usize,
    log_limit: LogLimit,
}

impl<'a> Backoff<'a> {
    pub(crate) fn new(path: &'a StreamPath, functions: &'a Functions) -> Self {
        let spares = functions.other_hosts();
        Self { path, functions, delay: FIRST, spares, log_limit: LogLimit::default() }
    }

    /// Waits a little before a retry; not at all where a host has failed and another one has not.
    pub(crate) async fn wait(&mut self, what: &str, error: &CallError) {
        let delay = if self.takes_spare(error) { Duration::ZERO } else { self.next(error) };
        if self.log_limit.permits() {
            tracing::warn!("{}: {what}: {error}; trying again in {} ms", self.path, delay.as_millis());
        }
        sleep(delay).await;
    }

    /// Whether another host is tried at once. Each gets one try between two waits, whatever it may answer to others.
    fn takes_spare(&mut self, error: &CallError) -> bool {
        let takes = error.is_of_host() && self.spares > 0 && self.functions.has_host();
        self.spares = if takes { self.spares - 1 } else { self.functions.other_hosts() };
        takes
    }

    /// The wait after this failure.
    fn next(&mut self, error: &CallError) -> Duration {
        let delay = match error {
            CallError::Problem(StatusCode::FAILED_DEPENDENCY | StatusCode::NOT_FOUND, _) => return MINUTE,
            CallError::Problem(status, _) | CallError::Foreign(status, _) if is_lasting(*status) => SLOW,
            _ => self.delay,
        };
        self.delay = (self.delay * 2).min(LONGEST);
        delay.mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

/// Whether trying again at once will not help by itself.
fn is_lasting(status: StatusCode) -> bool {
    status.is_client_error() && !matches!(status.as_u16(), 408 | 409 | 425 | 429)
}

#[cfg(test)]
mod tests {
    use protocol::Problem;

    use super::*;
    use crate::settings::Current;

    fn problem(status: u16) -> CallError {
        let problem = Problem { code: "c".into(), message: "m".into(), expected: None };
        CallError::Problem(StatusCode::from_u16(status).unwrap(), problem)
    }

    fn functions(hosts: usize) -> Functions {
        Functions::new(&vec!["http://127.0.0.1:1".to_owned(); hosts], Current::default(), None).unwrap()
    }

    fn no_answer() -> CallError {
        CallError::NoAnswer(anyhow::anyhow!("refused"))
    }

    #[test]
    fn each_other_host_is_tried_once_before_a_wait() {
        let path = StreamPath::new("d", "a", "s").unwrap();
        for hosts in [1, 2, 3] {
            let functions = functions(hosts);
            let mut backoff = Backoff::new(&path, &functions);
            for _ in 0..2 {
                for _ in 1..hosts {
                    assert!(backoff.takes_spare(&no_answer()), "{hosts}");
                }
                assert!(!backoff.takes_spare(&no_answer()), "{hosts}");
            }
            let proxy = CallError::Foreign(StatusCode::BAD_GATEWAY, "<html>".into());
            assert_eq!(backoff.takes_spare(&proxy), hosts > 1);
            let mine = [problem(503), CallError::Unsent(anyhow::anyhow!("disk"))];
            assert!(mine.iter().all(|error| !backoff.takes_spare(error)), "{hosts}");
        }
    }

    #[test]
    fn waits_grow_to_five_seconds() {
        let path = StreamPath::new("d", "a", "s").unwrap();
        let functions = functions(1);
        let mut backoff = Backoff::new(&path, &functions);
        let error = no_answer();
        for expected_ms in [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000] {
            let delay = backoff.next(&error).as_millis();
            assert!((expected_ms / 2..=expected_ms).contains(&delay), "{delay} of {expected_ms}");
        }
    }

    #[test]
    fn a_refusing_bucket_and_an_unknown_session_are_tried_each_minute() {
        let path = StreamPath::new("d", "a", "s").unwrap();
        let functions = functions(1);
        let mut backoff = Backoff::new(&path, &functions);
        for _ in 0..3 {
            assert_eq!(backoff.next(&problem(424)), MINUTE);
            assert_eq!(backoff.next(&problem(404)), MINUTE);
        }
        assert!(backoff.next(&problem(503)) <= FIRST);
        let foreign = CallError::Foreign(StatusCode::NOT_FOUND, "<html>".into());
        assert!((SLOW / 2..=SLOW).contains(&backoff.next(&foreign)));
        assert!((SLOW / 2..=SLOW).contains(&backoff.next(&problem(401))));
    }
}
