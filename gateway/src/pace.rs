//! How often a publisher may begin to push a stream: an encoder that crashes again and again begins a session each time,
//! and each is recorded for good.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use protocol::StreamPath;
use tokio::time::Instant;

/// So many pushes may follow one another at once, as they do where a network is bad.
const AT_ONCE: u32 = 10;

/// After that, one in this time.
const EVERY: Duration = Duration::from_secs(5);

/// How long a publisher waits for its turn, before it is refused. Encoders wait for an answer for some ten seconds.
const MOST: Duration = EVERY;

/// The pushes that began lately, by stream and address.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    publishers: Mutex<Publishers>,
}

#[derive(Debug, Default)]
struct Publishers {
    /// When each would have begun its last push, had it begun one in each [`EVERY`].
    due: HashMap<(StreamPath, IpAddr), Instant>,
    /// Those that are long past are looked for when there are more than this.
    look_above: usize,
}

impl Pace {
    /// How long a publisher that comes `now` has to wait; or, where that is too long, for how long it should go away.
    pub(crate) fn take(
        &self,
        path: &StreamPath,
        address: IpAddr,
        now: Instant,
    ) -> Result<Duration, Duration> {
        let mut publishers = self.publishers();
        publishers.forget(now);
        let due = publishers.due.entry((path.clone(), address)).or_insert(now);
        let next = (*due).max(now) + EVERY;
        let wait = next.saturating_duration_since(now + EVERY * AT_ONCE);
        if wait > MOST {
            return Err(wait - MOST);
        }
        *due = next;
        Ok(wait)
    }

    fn publishers(&self) -> MutexGuard<'_, Publishers> {
        self.publishers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Publishers {
    fn forget(&mut self, now: Instant) {
        if self.due.len() > self.look_above {
            self.due.retain(|_, due| *due > now);
            self.look_above = 2 * self.due.len() + 16;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_pushes_follow_one_another_and_then_they_take_turns() {
        let pace = Pace::default();
        let path = |stream: &str| StreamPath::new("d", "a", stream).unwrap();
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let take =
            |stream: &str, address: u8, now| pace.take(&path(stream), [192, 0, 2, address].into(), now);
        for _ in 0..AT_ONCE {
            assert_eq!(take("s", 1, at(0)), Ok(Duration::ZERO));
        }
        assert_eq!(take("s", 1, at(0)), Ok(EVERY));
        assert_eq!(take("s", 1, at(0)), Err(EVERY));
        assert_eq!(take("s", 1, at(5)), Ok(EVERY), "who was refused took no turn");
        assert_eq!(take("s", 1, at(12)), Ok(Duration::from_secs(3)));
        assert_eq!((take("s", 2, at(12)), take("t", 1, at(12))), (Ok(Duration::ZERO), Ok(Duration::ZERO)));
        assert_eq!(take("s", 1, at(20)), Ok(Duration::ZERO));
        for _ in 0..AT_ONCE {
            assert_eq!(take("s", 1, at(1_000)), Ok(Duration::ZERO), "it was well for a while");
        }
        for more in 0..1_000 {
            take(&format!("x{more}"), 1, at(2_000 + 10 * more)).unwrap();
        }
        assert!(pace.publishers().due.len() < 100, "who is gone is forgotten");
    }
}
