//! Runs what is due in the functions: the clock that serverless functions do not have.

use std::time::Duration;

use http::StatusCode;
use protocol::Tick;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::{
    clock::LogLimit,
    functions::{CallError, Functions},
};

const EVERY: Duration = Duration::from_secs(1);

/// Functions that have no `/tick` are asked this often: they may be another bundle, or be replaced soon.
const ABSENT: Duration = Duration::from_secs(60);

/// Calls `POST /tick` each second, for ever, and logs what the functions say has failed.
pub(crate) async fn tick(functions: Functions) {
    let mut seconds = interval(EVERY);
    // After a stall one tick makes up for all that were missed.
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut log_limit = LogLimit::default();
    loop {
        seconds.tick().await;
        match functions.call((), &Tick::default()).await {
            Ok(answer) => answer.failures.iter().for_each(|failure| tracing::warn!("tick: {failure}")),
            Err(CallError::Status(StatusCode::NOT_FOUND, _)) => {
                tracing::info!("the functions have no /tick");
                sleep(ABSENT).await;
            }
            Err(error) if log_limit.permits() => tracing::warn!("tick failed: {error}"),
            Err(_) => {}
        }
    }
}
