//! One call under way.

use std::collections::{BTreeMap, BTreeSet};
use std::task::Poll;

use shared::Answer;
use store::memory::{Outcome, Scheduler, Seen};

use crate::call::{Call, Kind};
use crate::chances::{Point, point, point_of};
use crate::functions::Answering;
use crate::hosts::is_users_object;

/// A call under way.
pub(super) struct Flight {
    /// Its number in the trace.
    pub(super) number: u64,
    /// The call.
    pub(super) call: Call,
    answering: Answering,
    /// Its own point, and how many times it went on.
    key: Point,
    steps: u64,
    began_ms: u64,
    is_begun: bool,
    rests_until_ms: u64,
    /// It met a fault.
    pub(super) is_troubled: bool,
    /// What it touched, by the points of the names, and whether it wrote it.
    touched: BTreeMap<Point, bool>,
    /// Objects of users that it wrote, if it writes record files.
    uploading: BTreeSet<String>,
}

impl Flight {
    pub(super) fn new((number, key): (u64, Point), now_ms: u64, call: Call, answering: Answering) -> Self {
        Self {
            number,
            answering,
            call,
            key,
            steps: 0,
            began_ms: now_ms,
            is_begun: false,
            rests_until_ms: now_ms,
            is_troubled: false,
            touched: BTreeMap::new(),
            uploading: BTreeSet::new(),
        }
    }

    /// The point of its next step.
    pub(super) fn next(&mut self) -> Point {
        self.steps += 1;
        point(&[self.key, self.steps])
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
        scheduler.step(&mut self.answering, outcome)
    }

    pub(super) fn touch(&mut self, seen: &[Seen]) {
        self.is_begun |= !seen.is_empty();
        for seen in seen {
            *self.touched.entry(point_of(&seen.name)).or_default() |= seen.writes;
            if self.call.kind == Kind::Compose && seen.writes && is_users_object(&seen.name) {
                self.uploading.insert(seen.name.clone());
            }
        }
    }

    /// Objects of users that it has been writing, if it writes record files: it may have begun an upload of each.
    pub(super) fn uploading(&self) -> Vec<String> {
        self.uploading.iter().cloned().collect()
    }

    /// Whether it has touched something, by the point of its name, so that touching it now, too, is a race.
    pub(super) fn has_touched(&self, name: Point, writes: bool) -> bool {
        self.touched.get(&name).is_some_and(|wrote| *wrote || writes)
    }
}
