//! Whether what is pushed is recorded, and if not, why.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Serialize;
use tokio::time::Instant;

use super::metrics::{Failure, Lane};

/// How long calls may fail before that is a reason: hosts are replaced, and calls are made again.
const GRACE: Duration = Duration::from_secs(3);

/// The calls that are made each second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Heartbeat,
    Tick,
    Compose,
    Deliver,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Heartbeat, Self::Tick, Self::Compose, Self::Deliver];

    /// How long none of these calls may be answered before that is a reason. While some take their time, others are
    /// answered, unless every one that may be under way does.
    fn silent(self) -> Duration {
        Duration::from_secs(match self {
            // A call is given up after ten seconds.
            Self::Heartbeat => 15,
            // It takes up nothing more after ten seconds.
            Self::Tick => 60,
            // It waits for a receiver for half a minute at most.
            Self::Deliver => 60,
            // It moves media for a minute and a half, and a store may take another minute for what is under way then.
            Self::Compose => protocol::CALL_MAX_S + 60,
        })
    }
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
}

/// How calls of a kind go.
#[derive(Clone, Copy, Debug, Default)]
struct Course {
    /// When such a call was first made.
    began: Option<Instant>,
    /// When one was last answered as it should be.
    answered: Option<Instant>,
    /// Since when they fail, and why the last one did.
    failing: Option<(Instant, Failure)>,
}

impl Health {
    /// A call is made, and others after it.
    pub(crate) fn called(&self, kind: Kind, now: Instant) {
        self.calls()[kind as usize].began.get_or_insert(now);
    }

    /// A call was answered as it should be.
    pub(crate) fn succeeded(&self, kind: Kind, now: Instant) {
        let course = &mut self.calls()[kind as usize];
        (course.answered, course.failing) = (Some(now), None);
    }

    /// A call failed.
    pub(crate) fn failed(&self, kind: Kind, failure: Failure, now: Instant) {
        let course = &mut self.calls()[kind as usize];
        let since = course.failing.map_or(now, |(since, _)| since);
        course.failing = Some((since, failure));
    }

    /// The functions say that there are no such calls.
    pub(crate) fn absent(&self, kind: Kind) {
        self.calls()[kind as usize] = Course::default();
    }

    /// What is not as it should be with the functions.
    pub(crate) fn reasons(&self, now: Instant) -> Vec<Reason> {
        let [heartbeat, lanes @ ..] = *self.calls();
        if let Some(failure) = heartbeat.fails(now) {
            // The lanes fail for the same reason.
            return vec![functions(failure)];
        }
        if heartbeat.is_silent(Kind::Heartbeat, now) {
            return vec![Reason::new("functions_silent", "the functions do not answer heartbeats")];
        }
        let kinds = Kind::ALL.into_iter().skip(1);
        let named = ["tick", "compose", "deliver"].into_iter().zip(kinds.zip(lanes));
        named.filter_map(|(lane, (kind, course))| lane_reason(lane, kind, course, now)).collect()
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

    /// Whether no call has been answered for too long.
    fn is_silent(&self, kind: Kind, now: Instant) -> bool {
        let heard = self.answered.max(self.began);
        heard.is_some_and(|heard| now.saturating_duration_since(heard) > kind.silent())
    }
}

/// What is not as it should be with a lane.
fn lane_reason(lane: &str, kind: Kind, course: Course, now: Instant) -> Option<Reason> {
    let why = match course.fails(now) {
        Some(failure) => format!("fail: {}", functions(failure).message),
        None if course.is_silent(kind, now) => "are not answered".to_owned(),
        None => return None,
    };
    Some(Reason { code: format!("{lane}_fails"), message: format!("calls of /{lane} {why}") })
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
        health.called(Kind::Heartbeat, began);
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
        let silent = Kind::Heartbeat.silent();
        assert!(codes(&health, began + 2 * silent).is_empty(), "nothing is called yet");
        health.called(Kind::Heartbeat, began);
        assert!(codes(&health, began + silent).is_empty());
        assert_eq!(codes(&health, began + 2 * silent), ["functions_silent"]);
    }

    #[test]
    fn a_lane_that_hangs_is_a_reason_while_heartbeats_are_answered() {
        for (kind, code) in
            [(Kind::Tick, "tick_fails"), (Kind::Compose, "compose_fails"), (Kind::Deliver, "deliver_fails")]
        {
            let (health, began) = (Health::default(), Instant::now());
            let (silent, second) = (kind.silent(), Duration::from_secs(1));
            let heard = |now| health.succeeded(Kind::Heartbeat, now);
            health.called(kind, began);
            heard(began + silent);
            assert!(codes(&health, began + silent).is_empty());
            heard(began + silent + second);
            assert_eq!(codes(&health, began + silent + second), [code], "it never answered");
            // One that takes its time does not matter where the next one is answered.
            let answered = began + 2 * silent;
            health.succeeded(kind, answered);
            health.called(kind, answered);
            heard(answered + silent + second);
            assert!(codes(&health, answered + silent).is_empty());
            assert_eq!(codes(&health, answered + silent + second), [code]);
            health.absent(kind);
            assert!(codes(&health, answered + silent + second).is_empty());
        }
    }
}
