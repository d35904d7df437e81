//! The gateway's sign of life.

use std::{sync::Arc, time::Duration};

use protocol::Heartbeat;
use tokio::time::{MissedTickBehavior, interval};

use crate::{clock::LogLimit, functions::Functions, sessions::Sessions};

const EVERY: Duration = Duration::from_secs(1);

/// Tells the functions each second that the gateway is alive, and the pushes what the functions changed.
pub(crate) async fn beat(gateway: String, functions: Functions, sessions: Arc<Sessions>) {
    let mut seconds = interval(EVERY);
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut log_limit = LogLimit::default();
    // Whatever was commanded before this start concerns pushes that are over: begin with the newest change.
    let mut since = u64::MAX;
    loop {
        seconds.tick().await;
        let heartbeat = Heartbeat { gateway: gateway.clone(), sessions: sessions.names(), since };
        match functions.call((), &heartbeat).await {
            Ok(answer) => {
                since = answer.since;
                answer.sessions.into_iter().for_each(|change| sessions.change(change));
            }
            Err(error) if log_limit.permits() => tracing::warn!("heartbeat failed: {error}"),
            Err(_) => {}
        }
    }
}
