//! Time and randomness as the guests see them: given to the host, never taken by it.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

/// What the guests read as time.
///
/// A guest that sleeps waits on the runtime's timer: a simulated clock drives both, or its guests do not
/// sleep.
pub trait Clock: Send + Sync + 'static {
    /// Wall-clock time since the Unix epoch.
    fn wall(&self) -> Duration;

    /// Time since a moment of the clock's choice; never decreases.
    fn monotonic(&self) -> Duration;
}

/// The machine's own clocks.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

/// A source of the random bytes that one instance sees, asked for once an instance.
pub trait RandomSource: Send + Sync + 'static {
    /// The seed of the next instance's generator.
    fn seed(&self) -> [u8; 32];
}

/// Seeds from the operating system.
#[derive(Debug, Default)]
pub struct SystemRandom;

impl RandomSource for SystemRandom {
    fn seed(&self) -> [u8; 32] {
        rand::random()
    }
}

/// A [`Clock`] in the shape that WASI's implementation asks for.
pub(crate) struct WasiClock(pub(crate) Arc<dyn Clock>);

/// Both clocks of the host resolve to a nanosecond.
const RESOLUTION: Duration = Duration::from_nanos(1);

impl HostWallClock for WasiClock {
    fn resolution(&self) -> Duration {
        RESOLUTION
    }

    fn now(&self) -> Duration {
        self.0.wall()
    }
}

impl HostMonotonicClock for WasiClock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.monotonic().as_nanos()).unwrap_or(u64::MAX)
    }
}
