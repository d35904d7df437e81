//! The gateway's sign of life.

use std::{sync::Arc, time::Duration};

use protocol::Heartbeat;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::{
    clock::{LogLimit, unix_ms},
    functions::Functions,
    gateway::Gateway,
    operation::{Control, Failure, Kind},
    sessions::Sessions,
    tell::Tell,
};

const EVERY: Duration = Duration::from_secs(1);

/// How long an answer is waited for. A gateway that is not heard for a minute is taken for silent.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tells the functions each second that the gateway is alive and what happened, and the pushes what the functions
/// changed.
pub(crate) async fn beat(
    gateway: Gateway,
    functions: Functions,
    sessions: Arc<Sessions>,
    tell: Arc<Tell>,
    control: Control,
) {
    let (calls, health) = (&control.metrics().heartbeat, control.health());
    health.called(Kind::Heartbeat, Instant::now());
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
        calls.made.add_one();
        let answer = timeout(PATIENCE, functions.call((), &heartbeat)).await;
        let received = Instant::now();
        calls.duration.observe(received - sent);
        let failure = match &answer {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(error.failure()),
            Err(_) => Some(Failure::Unreachable),
        };
        match failure {
            None => {
                calls.succeeded(unix_ms());
                health.succeeded(Kind::Heartbeat, received);
            }
            Some(failure) => {
                calls.failed.add_one();
                health.failed(Kind::Heartbeat, failure, received);
            }
        }
        match answer {
            Ok(Ok(answer)) => {
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
