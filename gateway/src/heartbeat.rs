//! The gateway's sign of life.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use protocol::Heartbeat;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::{clock::LogLimit, functions::Functions, gateway::Gateway, sessions::Sessions, tell::Tell};

const EVERY: Duration = Duration::from_secs(1);

/// How long an answer is waited for. A gateway that is not heard for a minute is taken for silent.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tells the functions each second that the gateway is alive and what happened, and the pushes what the functions
/// changed.
pub(crate) async fn beat(gateway: Gateway, functions: Functions, sessions: Arc<Sessions>, tell: Arc<Tell>) {
    let mut seconds = interval(EVERY);
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut log_limit = LogLimit::default();
    // Whatever was commanded before this start concerns pushes that are over.
    let mut since = None;
    loop {
        seconds.tick().await;
        let mut heartbeat = Heartbeat { since, ..gateway.heartbeat() };
        tell.fill(&mut heartbeat);
        let sent = Instant::now();
        match timeout(PATIENCE, functions.call((), &heartbeat)).await {
            Ok(Ok(answer)) => {
                let received = Instant::now();
                since = Some(answer.since);
                tell.answered(&heartbeat);
                answer.sessions.into_iter().for_each(|change| sessions.change(change, sent, received));
            }
            Ok(Err(error)) if log_limit.permits() => tracing::warn!("heartbeat failed: {error}"),
            Err(_) if log_limit.permits() => {
                tracing::warn!("heartbeat is not answered within {PATIENCE:?}");
            }
            Ok(Err(_)) | Err(_) => {}
        }
    }
}
