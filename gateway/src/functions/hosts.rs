//! Where functions answer: addresses that are called in turn, of which one that fails is left alone for a while.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Context;
use tokio::time::Instant;

/// How long a host is left alone after its first failure, and at most; each one in between doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The hosts of the functions. Any of them can take any call.
#[derive(Debug)]
pub(super) struct Hosts {
    urls: Vec<String>,
    turns: Mutex<Turns>,
}

/// A call to a host. Unless it is said to be answered, or to have failed by itself, the host has failed: also where the
/// caller did not wait.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    hosts: &'a Hosts,
    at: usize,
    began: Instant,
    is_over: bool,
}

impl Hosts {
    pub(super) fn new(urls: &[String]) -> anyhow::Result<Self> {
        anyhow::ensure!(!urls.is_empty(), "at least one URL of functions is needed");
        for url in urls {
            let parsed: http::Uri =
                url.parse().with_context(|| format!("functions URL {url:?} is not one"))?;
            anyhow::ensure!(
                matches!(parsed.scheme_str(), Some("http" | "https")) && parsed.authority().is_some(),
                "functions URL {url:?} should begin with http:// or https:// and a host"
            );
            // They would be sent to nobody, and be in the log.
            let has_user = parsed.authority().is_some_and(|authority| authority.as_str().contains('@'));
            anyhow::ensure!(
                !has_user && parsed.query().is_none(),
                "the functions URL of {:?} should have neither a user nor a query",
                parsed.host().unwrap_or_default()
            );
        }
        let urls: Vec<String> = urls.iter().map(|url| url.trim_end_matches('/').to_owned()).collect();
        let turns = Turns { next: 0, aside: vec![None; urls.len()] };
        Ok(Self { urls, turns: turns.into() })
    }

    /// Begins a call to the host whose turn it is.
    pub(super) fn attempt(&self) -> Attempt<'_> {
        let began = Instant::now();
        let at = self.turns().take(began);
        Attempt { hosts: self, at, began, is_over: false }
    }

    /// How many hosts there are beside the one that was called.
    pub(super) fn others(&self) -> usize {
        self.urls.len() - 1
    }

    /// Whether a host is there that has not failed lately.
    pub(super) fn is_one_due(&self) -> bool {
        self.turns().is_one_due(Instant::now())
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// Base URL of the host.
    pub(super) fn url(&self) -> &str {
        &self.hosts.urls[self.at]
    }

    /// The host has answered, whatever it said.
    pub(super) fn answered(&mut self) {
        self.is_over = true;
        if self.hosts.turns().answered(self.at) {
            tracing::info!("functions at {} answer again", self.url());
        }
    }

    /// The call could not be made to its end: that says nothing of the host.
    pub(super) fn spare(&mut self) {
        self.is_over = true;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let pause = self.hosts.turns().failed(self.at, self.began, Instant::now());
        if let Some(pause) = pause.filter(|_| self.hosts.others() > 0) {
            tracing::warn!("functions at {} do not answer; others are called for {pause:?}", self.url());
        }
    }
}

/// Whose turn it is.
#[derive(Debug)]
struct Turns {
    next: usize,
    /// For each host, where it has failed and not answered since.
    aside: Vec<Option<Aside>>,
}

/// A host that is left alone.
#[derive(Clone, Copy, Debug)]
struct Aside {
    since: Instant,
    until: Instant,
    pause: Duration,
}

impl Turns {
    /// The next host that is not left alone; where all are, the one that is tried again the soonest.
    fn take(&mut self, now: Instant) -> usize {
        let count = self.aside.len();
        let mut in_turn = (0..count).map(|more| (self.next + more) % count);
        let soonest = || (0..count).min_by_key(|at| self.aside[*at].map(|aside| aside.until));
        let at = in_turn.find(|at| self.is_due(*at, now)).or_else(soonest).unwrap_or_default();
        self.next = at + 1;
        // One call finds out whether it answers again; the others leave it alone meanwhile.
        if let Some(aside) = &mut self.aside[at] {
            aside.until = now + aside.pause;
        }
        at
    }

    /// Leaves a host alone; answers for how long, or `None` where it is left alone already.
    fn failed(&mut self, at: usize, began: Instant, now: Instant) -> Option<Duration> {
        let pause = match self.aside[at] {
            // Calls that were under way together tell of one failure.
            Some(aside) if began <= aside.since => return None,
            Some(aside) => (aside.pause * 2).min(LONGEST_PAUSE),
            None => FIRST_PAUSE,
        };
        self.aside[at] = Some(Aside { since: now, until: now + pause, pause });
        Some(pause)
    }

    /// Calls a host in its turn again; whether it was left alone.
    fn answered(&mut self, at: usize) -> bool {
        self.aside[at].take().is_some()
    }

    fn is_due(&self, at: usize, now: Instant) -> bool {
        self.aside[at].is_none_or(|aside| aside.until <= now)
    }

    fn is_one_due(&self, now: Instant) -> bool {
        (0..self.aside.len()).any(|at| self.is_due(at, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(count: usize) -> Turns {
        Turns { next: 0, aside: vec![None; count] }
    }

    fn take(turns: &mut Turns, now: Instant, times: usize) -> Vec<usize> {
        (0..times).map(|_| turns.take(now)).collect()
    }

    #[test]
    fn a_url_that_may_hold_a_secret_is_refused_without_being_told() {
        for url in ["http://user:secret@functions.example.com", "https://functions.example.com/?token=secret"]
        {
            let error = Hosts::new(&[url.into()]).unwrap_err().to_string();
            assert!(error.contains("functions.example.com") && !error.contains("secret"), "{error}");
        }
        assert!(Hosts::new(&["https://functions.example.com/recorder".into()]).is_ok());
    }

    #[test]
    fn hosts_are_called_in_turn() {
        assert_eq!(take(&mut turns(3), Instant::now(), 7), [0, 1, 2, 0, 1, 2, 0]);
    }

    #[test]
    fn a_host_that_failed_is_left_alone_and_then_tried_by_one_call() {
        let (mut turns, now) = (turns(3), Instant::now());
        assert_eq!(turns.failed(1, now, now), Some(FIRST_PAUSE));
        assert_eq!(take(&mut turns, now, 4), [0, 2, 0, 2]);
        let later = now + FIRST_PAUSE;
        assert_eq!(take(&mut turns, later, 5), [0, 1, 2, 0, 2]);
        assert!(turns.answered(1));
        assert_eq!(take(&mut turns, later, 3), [0, 1, 2]);
    }

    #[test]
    fn pauses_grow_with_failures_one_after_the_other_and_not_with_those_at_once() {
        let (mut turns, mut now) = (turns(2), Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..7 {
            let began = now;
            now += Duration::from_millis(1);
            pauses.extend(turns.failed(0, began, now));
            assert_eq!(turns.failed(0, began, now), None);
            now += Duration::from_secs(60);
        }
        assert_eq!(pauses.iter().map(Duration::as_secs).collect::<Vec<_>>(), [1, 2, 4, 8, 16, 30, 30]);
        turns.answered(0);
        assert_eq!(turns.failed(0, now, now), Some(FIRST_PAUSE));
    }

    #[test]
    fn where_all_have_failed_the_one_that_is_due_the_soonest_is_called() {
        let (mut turns, now) = (turns(2), Instant::now());
        let later = now + Duration::from_millis(5);
        turns.failed(1, now, now);
        turns.failed(0, now, later);
        assert!(!turns.is_one_due(later));
        assert_eq!(take(&mut turns, later, 2), [1, 0]);
        assert!(turns.is_one_due(later + 2 * FIRST_PAUSE));
    }

    #[test]
    fn a_host_alone_is_always_called() {
        let (mut turns, now) = (turns(1), Instant::now());
        turns.failed(0, now, now);
        assert_eq!(take(&mut turns, now, 2), [0, 0]);
    }

    #[test]
    fn each_url_is_checked() {
        let urls = |urls: &[&str]| Hosts::new(&urls.iter().map(|&url| url.to_owned()).collect::<Vec<_>>());
        let hosts = urls(&["http://a:1/", "https://b/base"]).unwrap();
        assert_eq!((hosts.attempt().url(), hosts.attempt().url()), ("http://a:1", "https://b/base"));
        for wrong in [&[][..], &["http://a", ""], &["http://a", "b:1"], &["ftp://a"]] {
            assert!(urls(wrong).is_err(), "{wrong:?}");
        }
    }
}
