//! Whether what is pushed is recorded, and if not, why.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde::Serialize;

use super::metrics::{Failure, Lane};

/// How long calls may fail before that is a reason: hosts are replaced, and calls are made again.
const GRACE: Duration = Duration::from_secs(3);

/// How long a call may be under way without an answer to any.
const SILENT: Duration = Duration::from_secs(15);

/// The calls that are made each second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Heartbeat,
    Tick,
    Compose,
    Deliver,
}

impl From<Lane> for Kind {
    fn from(lane: Lane) -> Self {
        match lane {
            Lane::Tick => Self::Tick,
            Lane::Compose => Self::Compose,
            Lane::Deliver => Self::Deliver,
        }
    }
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// For programs: lower-case words and underscores.
    pub code: String,
    /// For people.
    pub message: String,
}

/// How the calls go that are made each second.
#[derive(Debug, Default)]
pub(crate) struct Health {
    calls: Mutex<[Course; 4]>,
    /// When calls were first made.
    began: Mutex<Option<Instant>>,
}

/// How calls of a kind go.
#[derive(Clone, Copy, Debug, Default)]
struct Course {
    answered: Option<Instant>,
    /// Since when they fail, and why the last one did.
    failing: Option<(Instant, Failure)>,
}

impl Health {
    /// Calls are made from now on.
    pub(crate) fn begin(&self, now: Instant) {
        self.began.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(now);
    }

    /// A call was answered as it should be.
    pub(crate) fn succeeded(&self, kind: Kind, now: Instant) {
        self.calls()[kind as usize] = Course { answered: Some(now), failing: None };
    }

    /// A call failed.
    pub(crate) fn failed(&self, kind: Kind, failure: Failure, now: Instant) {
        let course = &mut self.calls()[kind as usize];
        let since = course.failing.map_or(now, |(since, _)| since);
        course.failing = Some((since, failure));
    }

    /// There are no such calls.
    pub(crate) fn absent(&self, kind: Kind) {
        self.calls()[kind as usize] = Course::default();
    }

    /// What is not as it should be with the functions.
    pub(crate) fn reasons(&self, now: Instant) -> Vec<Reason> {
        let calls = *self.calls();
        let began = *self.began.lock().unwrap_or_else(PoisonError::into_inner);
        let [heartbeat, lanes @ ..] = calls;
        if let Some(failure) = heartbeat.fails(now) {
            // The lanes fail for the same reason.
            return vec![functions(failure)];
        }
        let heard = heartbeat.answered.max(began);
        if heard.is_some_and(|heard| now.saturating_duration_since(heard) > SILENT) {
            return vec![Reason::new("functions_silent", "the functions do not answer heartbeats")];
        }
        let named = ["tick", "compose", "deliver"].into_iter().zip(lanes);
        let failing = named.filter_map(|(lane, course)| Some((lane, course.fails(now)?)));
        failing
            .map(|(lane, failure)| {
                let Reason { message, .. } = functions(failure);
                Reason { code: format!("{lane}_fails"), message: format!("calls of /{lane} fail: {message}") }
            })
            .collect()
    }

    fn calls(&self) -> MutexGuard<'_, [Course; 4]> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Course {
    fn fails(&self, now: Instant) -> Option<Failure> {
        let (since, failure) = self.failing?;
        // A wrong token does not become right by itself.
        let is_lasting = failure == Failure::Token || now.saturating_duration_since(since) >= GRACE;
        is_lasting.then_some(failure)
    }
}

impl Reason {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }
}

/// Why calls of the functions fail. What they said is in the log alone: anybody may ask for health.
fn functions(failure: Failure) -> Reason {
    let (code, message) = match failure {
        Failure::Unreachable => ("functions_unreachable", "the functions cannot be reached"),
        Failure::Foreign => ("functions_foreign", "something else answers where the functions should"),
        Failure::Token => ("functions_refuse_token", "the functions refuse the ingest token"),
        Failure::Unavailable => {
            ("functions_unavailable", "the functions cannot do their work: their store or work bucket fails")
        }
        _ => ("functions_fail", "the functions refuse what they are told"),
    };
    Reason::new(code, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(health: &Health, now: Instant) -> Vec<String> {
        health.reasons(now).into_iter().map(|reason| reason.code).collect()
    }

    #[test]
    fn calls_that_fail_for_a_while_are_a_reason_until_one_succeeds() {
        let (health, began) = (Health::default(), Instant::now());
        let at = |seconds| began + Duration::from_secs(seconds);
        health.begin(began);
        health.succeeded(Kind::Heartbeat, at(1));
        health.failed(Kind::Heartbeat, Failure::Unreachable, at(2));
        assert!(codes(&health, at(4)).is_empty());
        health.failed(Kind::Heartbeat, Failure::Unavailable, at(5));
        health.failed(Kind::Tick, Failure::Unavailable, at(5));
        assert_eq!(codes(&health, at(5)), ["functions_unavailable"]);
        health.succeeded(Kind::Heartbeat, at(9));
        assert_eq!(codes(&health, at(9)), ["tick_fails"]);
        health.succeeded(Kind::Tick, at(10));
        assert!(codes(&health, at(10)).is_empty());
        health.failed(Kind::Heartbeat, Failure::Token, at(11));
        assert_eq!(codes(&health, at(11)), ["functions_refuse_token"]);
    }

    #[test]
    fn a_host_that_hangs_is_a_reason() {
        let (health, began) = (Health::default(), Instant::now());
        assert!(codes(&health, began + 2 * SILENT).is_empty(), "nothing is called yet");
        health.begin(began);
        assert!(codes(&health, began + SILENT).is_empty());
        assert_eq!(codes(&health, began + 2 * SILENT), ["functions_silent"]);
    }
}
