//! Function hosts over one store, each with a clock of its own.

use std::cell::Cell;
use std::rc::Rc;

use shared::rules::{NotifyConfig, Rule};
use shared::testing::{Reply, World};

use crate::functions::Functions;

/// Objects of the work bucket have names that begin so.
pub const WORK_BUCKET: &str = "http://work/work/";

/// The object stores of users' buckets.
pub(crate) const ENDPOINTS: [&str; 2] = ["http://store", "http://work"];

/// The buckets that rules name, as objects' names begin.
pub(crate) fn users_buckets() -> impl Iterator<Item = String> {
    ENDPOINTS.into_iter().map(|endpoint| format!("{endpoint}/bkt"))
}

/// Whether what an operation was about is an object of a user's bucket.
pub(crate) fn is_users_object(name: &str) -> bool {
    name.starts_with("http") && !name.starts_with(WORK_BUCKET)
}

/// Function hosts over one key-value store and one set of buckets.
pub struct Hosts {
    /// The hosts, with how far each one's clock is ahead of true time, in milliseconds.
    hosts: Vec<(Rc<World>, Cell<i64>)>,
    /// What answers there.
    pub(crate) functions: Rc<dyn Functions>,
}

impl Hosts {
    /// Hosts whose clocks are so far ahead, at a time, under a rule that every push falls under.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn new(now_ms: u64, ahead_ms: &[i64], rule: Rule, functions: Rc<dyn Functions>) -> Self {
        let first = World::at(now_ms);
        *first.rule.borrow_mut() = Ok(Some(rule));
        *first.notify.borrow_mut() = Ok(Some(NotifyConfig {
            domain: "live.example.com".into(),
            notify_url: Some("http://cb.test.com/".into()),
            on_demand_url: None,
            need_status_notify: false,
            notify_req_auth: false,
            notify_auth_key: None,
        }));
        first.receivers.otherwise(Reply::Answer(200, String::new(), 0));
        first.receivers.schedule(first.store.scheduler().clone());
        first.store.scheduler().watch();
        functions.configure(&first);
        let others = ahead_ms.iter().skip(1).scan(Rc::new(first.beside(now_ms)), |next, _| {
            let world = Rc::clone(next);
            *next = Rc::new(world.beside(now_ms));
            Some(world)
        });
        let others: Vec<_> = others.collect();
        let worlds = std::iter::once(Rc::new(first)).chain(others);
        Self { hosts: worlds.zip(ahead_ms.iter().map(|ahead| Cell::new(*ahead))).collect(), functions }
    }

    /// Any host: what they share is there.
    #[must_use]
    pub fn any(&self) -> &World {
        &self.hosts[0].0
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.hosts.len()
    }

    /// A host by its place.
    #[must_use]
    pub fn host(&self, at: usize) -> &Rc<World> {
        &self.hosts[at].0
    }

    /// Sets a host's clock so far ahead of true time.
    pub fn step_clock(&self, at: usize, ahead_ms: i64) {
        self.hosts[at].1.set(ahead_ms);
    }

    /// The most that a host's clock is off. Unit: ms.
    #[must_use]
    pub fn most_ahead_ms(&self) -> u64 {
        self.hosts.iter().map(|(_, ahead)| ahead.get().unsigned_abs()).max().unwrap_or(0)
    }

    /// It is now so late, in true time.
    pub fn set_time(&self, now_ms: u64) {
        for (world, ahead_ms) in &self.hosts {
            world.now_ms.set(now_ms.saturating_add_signed(ahead_ms.get()));
        }
    }

    /// Whether the domain's server wants to be told of statuses.
    pub fn ask_for_statuses(&self, asks: bool) {
        for (world, _) in &self.hosts {
            if let Ok(Some(config)) = &mut *world.notify.borrow_mut() {
                config.need_status_notify = asks;
            }
        }
        self.functions.configure(self.any());
    }

    /// Every later begin falls under another rule.
    pub fn set_rule(&self, rule: &Rule) {
        for (world, _) in &self.hosts {
            *world.rule.borrow_mut() = Ok(Some(rule.clone()));
        }
        self.functions.configure(self.any());
    }
}
