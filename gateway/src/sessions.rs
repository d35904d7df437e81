//! The pushes that are live, by session: where their orders go.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use protocol::SessionAnswer;
use tokio::time::Instant;

use crate::queue::{Answered, OrdersSender};

/// The sessions that were adopted and have not ended, by name.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    live: Mutex<HashMap<String, (OrdersSender, Instant)>>,
}

impl Sessions {
    /// A push that began at this moment has a session.
    pub(crate) fn insert(&self, session: &str, orders: OrdersSender, began: Instant) {
        self.live().insert(session.to_owned(), (orders, began));
    }

    pub(crate) fn remove(&self, session: &str) {
        self.live().remove(session);
    }

    /// Hands on what a heartbeat's answer says of a session.
    pub(crate) fn change(&self, change: SessionAnswer, sent: Instant, received: Instant) {
        let SessionAnswer { session, chunk, orders, denied } = change;
        if let Some((sender, began)) = self.live().get(&session) {
            sender.send(chunk, &orders, Answered { sent, received, began: *began });
            denied.into_iter().for_each(|reason| sender.deny(reason));
        }
    }

    fn live(&self) -> MutexGuard<'_, HashMap<String, (OrdersSender, Instant)>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
