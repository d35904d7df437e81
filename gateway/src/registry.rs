//! Which stream is pushed by whom, and what of it waits.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use protocol::{SessionChange, StreamPath};
use tokio_util::sync::CancellationToken;

use crate::{
    ingest::{Ingest, Instructions},
    unix_ms,
};

/// A publisher that has sent nothing for this long gives way to another one: an encoder that lost its
/// connection comes back before the gateway knows that it is gone.
const SILENT_MS: u64 = 5_000;

/// Changes for sessions that have not been heard of yet, at most.
const MAX_EARLY_CHANGES: usize = 1024;

/// A name in use by a connection; dropping it frees the name.
#[derive(Debug)]
pub(crate) struct Claim {
    path: StreamPath,
    publisher: Arc<Publisher>,
    registry: Arc<Registry>,
}

#[derive(Debug, Default)]
struct Publisher {
    /// Ends the connection.
    kick: CancellationToken,
    heard_ms: AtomicU64,
}

impl Claim {
    /// Completes when another publisher takes the name.
    pub(crate) async fn kicked(&self) {
        self.publisher.kick.cancelled().await;
    }

    /// The publisher sent something, or would if it were not held back.
    pub(crate) fn heard(&self) {
        self.publisher.heard_ms.store(unix_ms(), Ordering::Relaxed);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut names = self.registry.names();
        if names.get(&self.path).is_some_and(|publisher| Arc::ptr_eq(publisher, &self.publisher)) {
            names.remove(&self.path);
        }
    }
}

/// The names in use, and the pushes of each stream that wait to be uploaded.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    names: Mutex<HashMap<StreamPath, Arc<Publisher>>>,
    lanes: Mutex<HashMap<StreamPath, VecDeque<Arc<Ingest>>>>,
}

impl Registry {
    /// Takes a name, also from a publisher that has been silent; `None` if it is in use.
    pub(crate) fn claim(self: &Arc<Self>, path: &StreamPath) -> Option<Claim> {
        let mut names = self.names();
        if let Some(holder) = names.get(path) {
            let silent_ms = unix_ms().saturating_sub(holder.heard_ms.load(Ordering::Relaxed));
            if silent_ms < SILENT_MS {
                return None;
            }
            tracing::warn!("{path}: a publisher that was silent for {silent_ms} ms gives way to another");
            holder.kick.cancel();
        }
        let publisher = Arc::new(Publisher { heard_ms: unix_ms().into(), ..Publisher::default() });
        names.insert(path.clone(), Arc::clone(&publisher));
        Some(Claim { path: path.clone(), publisher, registry: Arc::clone(self) })
    }

    /// Adds a push to its stream's lane; `true` if nobody works on the lane.
    pub(crate) fn enqueue(&self, ingest: Arc<Ingest>) -> bool {
        let mut lanes = self.lanes();
        let lane = lanes.entry(ingest.path.clone()).or_default();
        lane.push_back(ingest);
        lane.len() == 1
    }

    /// The push whose turn it is.
    pub(crate) fn front(&self, path: &StreamPath) -> Option<Arc<Ingest>> {
        self.lanes().get(path)?.front().cloned()
    }

    /// The push whose turn it was is done; `false` if none is left.
    pub(crate) fn advance(&self, path: &StreamPath) -> bool {
        let mut lanes = self.lanes();
        let Some(lane) = lanes.get_mut(path) else { return false };
        lane.pop_front();
        if lane.is_empty() {
            lanes.remove(path);
            return false;
        }
        true
    }

    /// Every push that is not done.
    pub(crate) fn all(&self) -> Vec<Arc<Ingest>> {
        self.lanes().values().flatten().cloned().collect()
    }

    fn names(&self) -> MutexGuard<'_, HashMap<StreamPath, Arc<Publisher>>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lanes(&self) -> MutexGuard<'_, HashMap<StreamPath, VecDeque<Arc<Ingest>>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sessions whose end the functions do not know yet.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    ingests: HashMap<String, Arc<Ingest>>,
    /// A change may overtake the answer that names its session.
    early: HashMap<String, Instructions>,
}

impl Sessions {
    pub(crate) fn insert(&self, session: &str, ingest: &Arc<Ingest>) {
        let mut known = self.known();
        if let Some(instructions) = known.early.remove(session) {
            ingest.instruct(instructions);
        }
        known.ingests.insert(session.to_owned(), Arc::clone(ingest));
    }

    pub(crate) fn remove(&self, session: &str) {
        self.known().ingests.remove(session);
    }

    /// Their names, for a heartbeat.
    pub(crate) fn names(&self) -> Vec<String> {
        self.known().ingests.keys().cloned().collect()
    }

    pub(crate) fn change(&self, SessionChange { session, record, chunk }: SessionChange) {
        let instructions = Instructions { record, policy: chunk };
        let mut known = self.known();
        match known.ingests.get(&session) {
            Some(ingest) => ingest.instruct(instructions),
            None if known.early.len() < MAX_EARLY_CHANGES => {
                known.early.insert(session, instructions);
            }
            None => {}
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_free_after_its_publisher_and_taken_from_a_silent_one() {
        let registry = Arc::new(Registry::default());
        let path = StreamPath::new("d", "a", "s").unwrap();
        let first = registry.claim(&path).unwrap();
        assert!(registry.claim(&path).is_none());
        drop(first);
        let second = registry.claim(&path).unwrap();
        second.publisher.heard_ms.fetch_sub(SILENT_MS, Ordering::Relaxed);
        let third = registry.claim(&path).unwrap();
        assert!(second.publisher.kick.is_cancelled());
        drop(second);
        assert!(registry.claim(&path).is_none(), "the name is the third's");
        drop(third);
        assert!(registry.claim(&path).is_some());
    }
}
