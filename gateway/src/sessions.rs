//! The sessions whose end the functions do not know yet, and what the functions want of them.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use protocol::SessionChange;

use crate::queue::{Orders, OrdersSender};

/// Changes for sessions that have not been heard of yet, at most.
const MAX_EARLY_CHANGES: usize = 1024;

/// The sessions that heartbeats keep alive, by name.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    orders: HashMap<String, OrdersSender>,
    /// A change may overtake the answer that names its session.
    early: HashMap<String, Orders>,
}

impl Sessions {
    pub(crate) fn insert(&self, session: &str, orders: OrdersSender) {
        let mut known = self.known();
        if let Some(early) = known.early.remove(session) {
            orders.send(early);
        }
        known.orders.insert(session.to_owned(), orders);
    }

    pub(crate) fn remove(&self, session: &str) {
        self.known().orders.remove(session);
    }

    /// Their names, for a heartbeat.
    pub(crate) fn names(&self) -> Vec<String> {
        self.known().orders.keys().cloned().collect()
    }

    /// Hands on what a heartbeat's answer says of a session.
    pub(crate) fn change(&self, SessionChange { session, record, chunk }: SessionChange) {
        let changed = Orders { record, chunk };
        let mut known = self.known();
        match known.orders.get(&session) {
            Some(orders) => orders.send(changed),
            None if known.early.len() < MAX_EARLY_CHANGES => {
                known.early.insert(session, changed);
            }
            None => {}
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
