//! Which stream is published by which connection.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use protocol::StreamPath;
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

/// A publisher that has sent nothing for this long gives way to another one: its connection may be dead, and nobody
/// has told the gateway.
const SILENCE: Duration = Duration::from_secs(5);

/// How long a publisher waits for a name: a connection that was ended before it came is noticed within this time.
const NOTICED: Duration = Duration::from_millis(500);

/// What becomes of a publisher of a stream that another one is publishing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecondPublisher {
    /// It is refused, unless it is the same publisher, or the connection of the first one is dead.
    #[default]
    Refuse,
    /// It takes the stream over, and the first one's connection is ended.
    Takeover,
}

/// Who publishes: the same publisher comes from the same address with the same arguments, whenever its URL was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) address: IpAddr,
    pub(crate) arguments: BTreeMap<String, String>,
}

/// The names in use.
#[derive(Debug, Default)]
pub(crate) struct Names {
    second: SecondPublisher,
    publishers: Mutex<HashMap<StreamPath, Arc<Publisher>>>,
    freed: Notify,
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
    who: Who,
    /// Ends the connection.
    displaced: CancellationToken,
    /// Nothing more will be sent, though not all that was sent may be read.
    is_gone: AtomicBool,
    heard: Mutex<Instant>,
}

impl Names {
    pub(crate) fn new(second: SecondPublisher) -> Self {
        Self { second, ..Self::default() }
    }

    /// Whether a publisher may take a name, or could within [`NOTICED`].
    pub(crate) async fn is_free(&self, path: &StreamPath, who: &Who) -> bool {
        self.until_free(|| self.is_free_now(path, who).then_some(())).await.is_some()
    }

    /// Takes a name, also from a publisher that has to give way; `None` if it is in use.
    pub(crate) async fn claim(self: &Arc<Self>, path: &StreamPath, who: &Who) -> Option<Claim> {
        self.until_free(|| self.claim_now(path, who)).await
    }

    async fn until_free<T>(&self, look: impl Fn() -> Option<T>) -> Option<T> {
        let found = async {
            loop {
                let mut freed = pin!(self.freed.notified());
                freed.as_mut().enable();
                match look() {
                    Some(found) => return found,
                    None => freed.await,
                }
            }
        };
        timeout(NOTICED, found).await.ok()
    }

    fn is_free_now(&self, path: &StreamPath, who: &Who) -> bool {
        self.publishers().get(path).is_none_or(|holder| holder.gives_way(who, self.second).is_some())
    }

    fn claim_now(self: &Arc<Self>, path: &StreamPath, who: &Who) -> Option<Claim> {
        let mut publishers = self.publishers();
        if let Some(holder) = publishers.get(path) {
            let reason = holder.gives_way(who, self.second)?;
            tracing::warn!("{path}: the publisher from {} gives way: {reason}", holder.who.address);
            // What a dead connection has sent before is still recorded.
            if !holder.is_gone() {
                holder.displaced.cancel();
            }
        }
        let publisher = Arc::new(Publisher {
            who: who.clone(),
            displaced: CancellationToken::new(),
            is_gone: AtomicBool::new(false),
            heard: Instant::now().into(),
        });
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

    /// The publisher has ended its connection: others may have the name at once.
    pub(crate) fn release(&self) {
        self.publisher.is_gone.store(true, Ordering::Relaxed);
        self.names.freed.notify_waiters();
    }

    /// Whether the publisher has ended its connection.
    pub(crate) fn is_released(&self) -> bool {
        self.publisher.is_gone()
    }
}

impl Publisher {
    /// Why another publisher takes the name; `None` if it does not.
    fn gives_way(&self, other: &Who, second: SecondPublisher) -> Option<&'static str> {
        if self.is_gone() {
            Some("its connection is dead")
        } else if self.who == *other {
            Some("it has come again")
        } else if second == SecondPublisher::Takeover {
            Some("another one takes over")
        } else if self.heard().elapsed() >= SILENCE {
            Some("it is silent")
        } else {
            None
        }
    }

    fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Relaxed)
    }

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
        drop(publishers);
        self.names.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(address: u8, key: &str) -> Who {
        Who { address: [192, 0, 2, address].into(), arguments: [("key".into(), key.into())].into() }
    }

    fn path() -> StreamPath {
        StreamPath::new("d", "a", "s").unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_is_free_after_its_publisher_and_taken_from_a_silent_one() {
        let names = Arc::new(Names::default());
        let claim = |from| {
            let names = Arc::clone(&names);
            async move { names.claim(&path(), &who(from, "k")).await }
        };
        let first = claim(1).await.unwrap();
        assert!(claim(2).await.is_none());
        drop(first);
        let second = claim(2).await.unwrap();
        tokio::time::advance(SILENCE).await;
        second.heard();
        assert!(claim(3).await.is_none());
        tokio::time::advance(SILENCE).await;
        let third = claim(3).await.unwrap();
        assert!(second.publisher.displaced.is_cancelled());
        drop(second);
        assert!(claim(4).await.is_none(), "the name is the third's");
        drop(third);
        assert!(claim(4).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_publisher_takes_over_and_another_one_only_where_it_may() {
        for (second, may_take) in [(SecondPublisher::Refuse, false), (SecondPublisher::Takeover, true)] {
            for (other, is_same) in [(who(1, "k"), true), (who(2, "k"), false), (who(1, "l"), false)] {
                let names = Arc::new(Names::new(second));
                let first = names.claim(&path(), &who(1, "k")).await.unwrap();
                assert_eq!(names.is_free(&path(), &other).await, is_same || may_take);
                assert!(!first.publisher.displaced.is_cancelled(), "to ask displaces nobody");
                let taken = names.claim(&path(), &other).await;
                assert_eq!(taken.is_some(), is_same || may_take, "{second:?} {other:?}");
                assert_eq!(first.publisher.displaced.is_cancelled(), taken.is_some());
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_publisher_waits_a_moment_for_one_that_is_gone_and_leaves_it_what_it_sent() {
        let names = Arc::new(Names::default());
        let first = names.claim(&path(), &who(1, "k")).await.unwrap();
        let (path, other) = (path(), who(2, "k"));
        let (second, ()) = tokio::join!(names.claim(&path, &other), async {
            tokio::time::sleep(NOTICED / 2).await;
            first.release();
        });
        assert!(second.is_some() && !first.publisher.displaced.is_cancelled());
        drop(first);
        assert!(!names.is_free(&path, &who(3, "k")).await, "the name is the second's");
    }
}
