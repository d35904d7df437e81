//! What time it is, and how often something may be logged.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// What the wall clock showed at a moment, where tests hold tokio's clock.
#[cfg(feature = "simulation")]
static SIMULATED: std::sync::OnceLock<(Instant, u64)> = std::sync::OnceLock::new();

/// From now on the wall clock of this process goes as tokio's does, of which each runtime may have one of its own. It shows
/// `unix_ms` at the moment `at`. The first call counts.
#[cfg(feature = "simulation")]
pub fn simulate_wall_clock(at: Instant, unix_ms: u64) {
    SIMULATED.get_or_init(|| (at, unix_ms));
}

/// Whether tests hold the clock.
#[cfg(feature = "simulation")]
pub(crate) fn is_simulated() -> bool {
    SIMULATED.get().is_some()
}

/// The wall clock, in Unix milliseconds.
pub(crate) fn unix_ms() -> u64 {
    #[cfg(feature = "simulation")]
    if let Some((at, at_ms)) = SIMULATED.get() {
        return at_ms + ms_since(*at);
    }
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// The moment at which the wall clock showed this time, Unix milliseconds, by the clock that never steps: for what was
/// written down before a restart.
pub(crate) fn moment(at_ms: u64) -> Instant {
    let (now, now_ms) = (Instant::now(), unix_ms());
    let ago = Duration::from_millis(now_ms.saturating_sub(at_ms));
    now.checked_sub(ago).unwrap_or(now)
}

/// Milliseconds since a moment; 0 if it is still to come.
pub(crate) fn ms_since(moment: Instant) -> u64 {
    moment.elapsed().as_millis() as u64
}

/// Lets one message through each ten seconds.
#[derive(Debug, Default)]
pub(crate) struct LogLimit {
    last: Option<Instant>,
}

impl LogLimit {
    const EVERY: Duration = Duration::from_secs(10);

    /// Whether a message may be logged now.
    pub(crate) fn permits(&mut self) -> bool {
        let is_due = self.last.is_none_or(|last| last.elapsed() > Self::EVERY);
        if is_due {
            self.last = Some(Instant::now());
        }
        is_due
    }
}
