//! One call under way.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::Poll;

use shared::Answer;
use shared::testing::World;
use store::memory::{Actor, Outcome, Scheduler, Seen};

use crate::call::{Call, serve};

/// A call under way.
pub(super) struct Flight {
    /// Its number in the trace.
    pub(super) number: u64,
    /// The call.
    pub(super) call: Call,
    actor: Actor<'static, Answer>,
    began_ms: u64,
    is_begun: bool,
    rests_until_ms: u64,
    /// What it touched, and whether it wrote it.
    touched: BTreeMap<String, bool>,
}

impl Flight {
    pub(super) fn new(number: u64, now_ms: u64, call: Call, host: Rc<World>) -> Self {
        let actor = Box::pin(serve(host, call.ask.clone()));
        let touched = BTreeMap::new();
        Self { number, call, actor, began_ms: now_ms, is_begun: false, rests_until_ms: now_ms, touched }
    }

    /// It reaches its host later.
    pub(super) fn delay(&mut self, until_ms: u64) {
        (self.began_ms, self.rests_until_ms) = (until_ms, until_ms);
    }

    pub(super) fn began_ms(&self) -> u64 {
        self.began_ms
    }

    /// Whether it has made an operation.
    pub(super) fn is_begun(&self) -> bool {
        self.is_begun
    }

    pub(super) fn is_ready(&self, now_ms: u64) -> bool {
        self.rests_until_ms <= now_ms
    }

    pub(super) fn rest(&mut self, until_ms: u64) {
        self.rests_until_ms = until_ms;
    }

    pub(super) fn step(&mut self, scheduler: &Scheduler, outcome: Outcome) -> (Poll<Answer>, bool) {
        scheduler.step(&mut self.actor, outcome)
    }

    pub(super) fn touch(&mut self, seen: &[Seen]) {
        self.is_begun |= !seen.is_empty();
        for seen in seen {
            *self.touched.entry(seen.name.clone()).or_default() |= seen.writes;
        }
    }

    /// Whether it has touched something so that touching it now, too, is a race.
    pub(super) fn has_touched(&self, name: &str, writes: bool) -> bool {
        self.touched.get(name).is_some_and(|wrote| *wrote || writes)
    }
}
