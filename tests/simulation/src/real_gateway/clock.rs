//! The time of a history, as runtimes have it.

use std::sync::LazyLock;
use std::time::Duration;

use tokio::time::Instant;

use crate::history::BEGAN_MS;

/// A year before all histories begin. A runtime begins at real time and is set ahead to the history's, so no process may run
/// for longer.
const ORIGIN_MS: u64 = BEGAN_MS - 365 * 86_400_000;

/// The moment that clocks show [`ORIGIN_MS`] at, in every runtime.
static ORIGIN: LazyLock<Instant> = LazyLock::new(|| {
    let origin = Instant::now();
    gateway::simulate_wall_clock(origin, ORIGIN_MS);
    origin
});

/// Has the wall clock of gateways go as the clock of their runtimes does.
pub(super) fn hold() {
    LazyLock::force(&ORIGIN);
}

/// The moment of a true time.
pub(super) fn moment(at_ms: u64) -> Instant {
    *ORIGIN + Duration::from_millis(at_ms - ORIGIN_MS)
}

/// True time, within a gateway's runtime.
pub(super) fn now_ms() -> u64 {
    ORIGIN_MS + ORIGIN.elapsed().as_millis() as u64
}
