//! Turns: how many chunks are on their way to the functions at once.
//!
//! Pushes that began together, and an origin that forwards its streams again after a restart, cut their chunks together
//! too. If all of these were brought at once, each would have buffers here, in the functions and in the bucket's server,
//! and none would be there sooner.
//!
//! A turn only delays. Where calls hang, or a store is far away, chunks go on without one, so that no stream waits long
//! for another one. A push of which more than one chunk waits takes none: it has to catch up.

use std::{
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

/// So many turns there always are, however few pushes are live.
const LEAST: usize = 4;

/// Of so many pushes that are brought one has a turn.
const PUSHES_PER_TURN: usize = 8;

/// A call that takes longer waits for something else than this machine, and gives up its turn.
const HELD: Duration = Duration::from_millis(500);

/// A chunk waits for its turn so long, and goes on without one then.
const WAIT: Duration = Duration::from_secs(1);

/// The turns of a gateway.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// Pushes that are brought.
    pushes: AtomicUsize,
    taken: AtomicUsize,
    given_back: Notify,
}

/// A push is brought until this is dropped.
pub(crate) struct Brought<'a>(&'a Turns);

struct Turn<'a>(&'a Turns);

impl Turns {
    /// A push is brought from now on.
    pub(crate) fn push(&self) -> Brought<'_> {
        self.pushes.fetch_add(1, Ordering::Relaxed);
        Brought(self)
    }

    /// Makes a call in its turn.
    pub(crate) async fn call<T>(&self, call: impl Future<Output = T>) -> T {
        let turn = timeout(WAIT, self.take()).await.ok();
        let mut call = pin!(call);
        tokio::select! {
            biased;
            answer = &mut call => return answer,
            () = sleep(HELD) => drop(turn),
        }
        call.await
    }

    async fn take(&self) -> Turn<'_> {
        loop {
            let mut given_back = pin!(self.given_back.notified());
            // It waits from now on, so that no turn is given back between the look and the wait.
            given_back.as_mut().enable();
            let most = LEAST.max(self.pushes.load(Ordering::Relaxed) / PUSHES_PER_TURN);
            let taken = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
                (taken < most).then_some(taken + 1)
            });
            if taken.is_ok() {
                return Turn(self);
            }
            given_back.await;
        }
    }
}

impl Drop for Brought<'_> {
    fn drop(&mut self) {
        self.0.pushes.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
        self.0.given_back.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::{task::JoinSet, time::Instant};

    use super::*;

    /// The most calls that were there at once, and how long all took.
    async fn calls(pushes: usize, calls: usize, takes: Duration) -> (usize, Duration) {
        let turns = Arc::new(Turns::default());
        let _brought: Vec<_> = (0..pushes).map(|_| turns.push()).collect();
        let at_once = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let begin = Instant::now();
        let mut set = JoinSet::new();
        for _ in 0..calls {
            let (turns, at_once) = (Arc::clone(&turns), Arc::clone(&at_once));
            set.spawn(async move {
                let call = async {
                    let (now, most) = &*at_once;
                    most.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                    sleep(takes).await;
                    now.fetch_sub(1, Ordering::Relaxed);
                };
                turns.call(call).await;
            });
        }
        set.join_all().await;
        assert_eq!(turns.taken.load(Ordering::Relaxed), 0, "each turn is given back");
        (at_once.1.load(Ordering::Relaxed), begin.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_end_soon_are_made_one_after_the_other() {
        let (at_once, took) = calls(50, 50, Duration::from_millis(40)).await;
        assert_eq!(at_once, 6);
        assert!(took < Duration::from_millis(400), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn more_pushes_have_more_turns() {
        assert_eq!(calls(400, 200, Duration::from_millis(40)).await.0, 50);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_hang_delay_others_by_a_second_at_most() {
        let minute = Duration::from_secs(60);
        let (at_once, took) = calls(50, 1_000, minute).await;
        assert_eq!(at_once, 1_000);
        assert!(took <= minute + WAIT, "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_given_up_gives_its_turn_back() {
        let turns = Turns::default();
        for _ in 0..20 {
            let hangs = turns.call(std::future::pending::<()>());
            assert!(timeout(Duration::from_millis(1), hangs).await.is_err());
        }
        assert_eq!(turns.taken.load(Ordering::Relaxed), 0);
    }
}
