//! A store in memory and callers whose operations on it interleave as a schedule says.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use store::{Error, Store};

use store::SharedStore;

/// A store in memory; each operation lets every other caller go first, if the schedule wants it so.
#[derive(Default)]
pub(super) struct MemoryStore {
    values: RefCell<BTreeMap<String, Vec<u8>>>,
    counters: RefCell<BTreeMap<String, i64>>,
}

impl MemoryStore {
    pub(super) fn keys(&self) -> Vec<String> {
        self.values.borrow().keys().chain(self.counters.borrow().keys()).cloned().collect()
    }
}

impl Store for MemoryStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        pause().await;
        assert!(
            !self.counters.borrow().contains_key(key),
            "{key} is a counter: its encoding differs by backend"
        );
        Ok(self.values.borrow().get(key).cloned())
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        pause().await;
        assert!(!self.counters.borrow().contains_key(key), "{key} is a counter");
        self.values.borrow_mut().insert(key.into(), value.into());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        pause().await;
        self.values.borrow_mut().remove(key);
        self.counters.borrow_mut().remove(key);
        Ok(())
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        pause().await;
        Ok(self.values.borrow().contains_key(key) || self.counters.borrow().contains_key(key))
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, Error> {
        pause().await;
        assert!(!self.values.borrow().contains_key(key), "{key} is no counter");
        let mut counters = self.counters.borrow_mut();
        let counter = counters.entry(key.into()).or_default();
        *counter += delta;
        Ok(*counter)
    }
}

impl SharedStore for MemoryStore {
    async fn pause(&self) {
        pause().await;
    }
}

async fn pause() {
    let mut paused = false;
    std::future::poll_fn(
        |_| if std::mem::replace(&mut paused, true) { Poll::Ready(()) } else { Poll::Pending },
    )
    .await;
}

/// A future that only ever waits for its turn.
pub(super) type Caller<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// What happens next.
pub(super) enum Step {
    /// This one of the callers still under way goes on by one operation.
    Run(usize),
    /// This one dies, its next operation undone.
    Kill(usize),
}

/// Runs callers to their end, or to their death (none), as `next` chooses among those still under way.
pub(super) fn run_all<T>(callers: Vec<Caller<'_, T>>, mut next: impl FnMut(usize) -> Step) -> Vec<Option<T>> {
    let mut results: Vec<Option<T>> = callers.iter().map(|_| None).collect();
    let mut under_way: Vec<_> = callers.into_iter().enumerate().collect();
    while !under_way.is_empty() {
        match next(under_way.len()) {
            Step::Run(at) => {
                let (number, caller) = &mut under_way[at];
                if let Poll::Ready(result) = caller.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    results[*number] = Some(result);
                    drop(under_way.remove(at));
                }
            }
            Step::Kill(at) => drop(under_way.remove(at)),
        }
    }
    results
}

/// Runs one caller alone.
pub(super) fn run<T>(caller: impl Future<Output = T>) -> T {
    let results = run_all(vec![Box::pin(caller)], |_| Step::Run(0));
    results.into_iter().next().flatten().expect("a caller alone should come to its end")
}

/// A small deterministic generator (xorshift64*): the seed is the whole schedule.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }

    /// Any caller goes on.
    pub(super) fn fair(&mut self) -> impl FnMut(usize) -> Step {
        |under_way| Step::Run(self.below(under_way))
    }

    /// Any caller goes on, and one operation in `rate` is the death of its caller.
    pub(super) fn deadly(&mut self, rate: usize) -> impl FnMut(usize) -> Step {
        move |under_way| {
            let at = self.below(under_way);
            if self.below(rate) == 0 { Step::Kill(at) } else { Step::Run(at) }
        }
    }

    /// Mostly the same caller goes on, so that others are left far behind.
    pub(super) fn lopsided(&mut self) -> impl FnMut(usize) -> Step {
        let mut favourite = 0;
        move |under_way| {
            if self.below(12) == 0 {
                favourite = self.below(under_way);
            }
            Step::Run(favourite.min(under_way - 1))
        }
    }
}

/// Runs `scenario` once for each schedule of its callers there is; answers how many there were.
pub(super) fn every_schedule(mut scenario: impl FnMut(&mut dyn FnMut(usize) -> Step)) -> usize {
    // The choices of the last run, each with how many there were to choose from.
    let mut path: Vec<(usize, usize)> = Vec::new();
    let mut schedules = 0;
    loop {
        let mut depth = 0;
        scenario(&mut |under_way| {
            if depth == path.len() {
                path.push((0, under_way));
            }
            depth += 1;
            Step::Run(path[depth - 1].0)
        });
        schedules += 1;
        while path.last().is_some_and(|&(choice, choices)| choice + 1 == choices) {
            path.pop();
        }
        match path.last_mut() {
            Some((choice, _)) => *choice += 1,
            None => return schedules,
        }
    }
}
