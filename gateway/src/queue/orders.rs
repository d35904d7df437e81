//! What the functions want of a push.

use protocol::ChunkPolicy;
use tokio::sync::watch;

/// What the functions want of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Orders {
    /// Whether it is to be recorded.
    pub(crate) record: bool,
    /// How to cut it.
    pub(crate) chunk: ChunkPolicy,
}

impl Default for Orders {
    /// Everything is spooled until the functions have answered.
    fn default() -> Self {
        Self { record: true, chunk: ChunkPolicy::default() }
    }
}

/// Tells a push's recorder what the functions want.
#[derive(Clone, Debug, Default)]
pub(crate) struct OrdersSender {
    orders: watch::Sender<Orders>,
}

impl OrdersSender {
    /// Replaces the orders; the recorder is woken if they differ.
    pub(crate) fn send(&self, orders: Orders) {
        self.orders.send_if_modified(|current| std::mem::replace(current, orders) != orders);
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Orders> {
        self.orders.subscribe()
    }
}
