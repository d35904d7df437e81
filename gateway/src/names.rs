//! Which stream is published by which connection.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use protocol::StreamPath;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A publisher that has sent nothing for this long gives way to another one: an encoder that lost its
/// connection comes back before the gateway knows that the connection is dead.
const SILENCE: Duration = Duration::from_secs(5);

/// The names in use.
#[derive(Debug, Default)]
pub(crate) struct Names {
    publishers: Mutex<HashMap<StreamPath, Arc<Publisher>>>,
}

/// A name in use by a connection; dropping it frees the name.
#[derive(Debug)]
pub(crate) struct Claim {
    path: StreamPath,
    publisher: Arc<Publisher>,
    names: Arc<Names>,
}

#[derive(Debug)]
struct Publisher {
    /// Ends the connection.
    displaced: CancellationToken,
    heard: Mutex<Instant>,
}

impl Names {
    /// Takes a name, also from a publisher that has been silent; `None` if it is in use.
    pub(crate) fn claim(self: &Arc<Self>, path: &StreamPath) -> Option<Claim> {
        let mut publishers = self.publishers();
        if let Some(holder) = publishers.get(path) {
            let silence = holder.heard().elapsed();
            if silence < SILENCE {
                return None;
            }
            tracing::warn!("{path}: a publisher that was silent for {silence:?} gives way to another");
            holder.displaced.cancel();
        }
        let publisher =
            Arc::new(Publisher { displaced: CancellationToken::new(), heard: Instant::now().into() });
        publishers.insert(path.clone(), Arc::clone(&publisher));
        Some(Claim { path: path.clone(), publisher, names: Arc::clone(self) })
    }

    fn publishers(&self) -> MutexGuard<'_, HashMap<StreamPath, Arc<Publisher>>> {
        self.publishers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim {
    /// Completes when another publisher takes the name.
    pub(crate) async fn displaced(&self) {
        self.publisher.displaced.cancelled().await;
    }

    /// The publisher sent something, or would have if the gateway had read.
    pub(crate) fn heard(&self) {
        *self.publisher.heard() = Instant::now();
    }
}

impl Publisher {
    fn heard(&self) -> MutexGuard<'_, Instant> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut publishers = self.names.publishers();
        if publishers.get(&self.path).is_some_and(|publisher| Arc::ptr_eq(publisher, &self.publisher)) {
            publishers.remove(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_name_is_free_after_its_publisher_and_taken_from_a_silent_one() {
        let names = Arc::new(Names::default());
        let path = StreamPath::new("d", "a", "s").unwrap();
        let first = names.claim(&path).unwrap();
        assert!(names.claim(&path).is_none());
        drop(first);
        let second = names.claim(&path).unwrap();
        tokio::time::advance(SILENCE).await;
        second.heard();
        assert!(names.claim(&path).is_none());
        tokio::time::advance(SILENCE).await;
        let third = names.claim(&path).unwrap();
        assert!(second.publisher.displaced.is_cancelled());
        drop(second);
        assert!(names.claim(&path).is_none(), "the name is the third's");
        drop(third);
        assert!(names.claim(&path).is_some());
    }
}
