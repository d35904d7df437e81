//! Looking at a gateway, which may have to wait for the spool's disk.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

/// How long somebody who asks waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many may look at once. A disk that hangs holds no more threads than this, whoever asks and how often.
const MOST: usize = 4;

/// Why nothing is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unseen {
    /// The disk keeps who looks waiting.
    Hangs,
    /// Who looked has panicked, which the log tells.
    Panics,
}

/// Looks beside the tasks that serve connections, which so go on while its disk hangs.
pub(super) struct Looks {
    places: Arc<Semaphore>,
    patience: Duration,
}

impl Default for Looks {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(MOST)), patience: PATIENCE }
    }
}

impl Looks {
    /// What is seen. What is done by looking may still be done where the disk hangs.
    pub(super) async fn see<T: Send + 'static>(
        &self,
        look: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unseen> {
        let seeing = async {
            // Nobody closes the semaphore.
            let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| Unseen::Hangs)?;
            let seen = spawn_blocking(move || {
                let _place = place;
                look()
            });
            seen.await.map_err(|_| Unseen::Panics)
        };
        timeout(self.patience, seeing).await.unwrap_or(Err(Unseen::Hangs))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_disk_that_hangs_holds_few_threads_and_no_task() {
        let looks = Looks { patience: Duration::from_millis(50), ..Looks::default() };
        let (free, hang) = mpsc::channel::<()>();
        let hang = Arc::new(std::sync::Mutex::new(hang));
        let begun = Arc::new(Semaphore::new(0));
        for _ in 0..3 * MOST {
            let (hang, begun) = (Arc::clone(&hang), Arc::clone(&begun));
            let look = move || {
                begun.add_permits(1);
                hang.lock().unwrap().recv()
            };
            assert_eq!(looks.see(look).await.map(drop), Err(Unseen::Hangs));
        }
        assert_eq!(begun.available_permits(), MOST);
        // It goes on.
        drop(free);
        let looks = Looks { patience: Duration::from_secs(60), ..looks };
        assert_eq!(looks.see(|| 7).await, Ok(7));
    }

    #[tokio::test]
    async fn a_panic_is_no_disk_that_hangs() {
        let looks = Looks::default();
        for _ in 0..3 * MOST {
            assert_eq!(looks.see(|| panic!("as planned")).await, Err::<(), _>(Unseen::Panics));
        }
        assert_eq!(looks.see(|| 7).await, Ok(7));
    }
}
