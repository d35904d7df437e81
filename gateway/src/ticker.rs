//! Runs what is due in the functions: the clock that serverless functions do not have.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;
use protocol::{Failure, Tick};
use tokio::sync::Semaphore;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::{
    clock::LogLimit,
    functions::{CallError, Functions},
};

const EVERY: Duration = Duration::from_secs(1);

/// Functions that have no `/tick` are asked this often: they may be another bundle, or be replaced soon.
const ABSENT: Duration = Duration::from_secs(60);

/// How many calls may be under way: one that waits for a slow bucket keeps nothing else waiting.
const MOST: usize = 8;

/// Calls `POST /tick` each second, for ever, and logs what the functions say has failed.
pub(crate) async fn tick(functions: Functions) {
    let mut seconds = interval(EVERY);
    // After a stall one tick makes up for all that were missed.
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let under_way = Arc::new(Semaphore::new(MOST));
    let log_limit = Arc::new(Mutex::new(LogLimit::default()));
    loop {
        seconds.tick().await;
        let Ok(permit) = Arc::clone(&under_way).acquire_owned().await else { return };
        let (functions, log_limit) = (functions.clone(), Arc::clone(&log_limit));
        tokio::spawn(async move {
            call(&functions, &log_limit).await;
            drop(permit);
        });
    }
}

/// Calls once. Where the functions have no `/tick`, it takes its time.
async fn call(functions: &Functions, log_limit: &Mutex<LogLimit>) {
    match functions.call((), &Tick::default()).await {
        Ok(answer) => answer.failures.iter().for_each(|Failure { what, reason, retry_in_s }| {
            tracing::warn!("tick: {what}: {reason}; again in {retry_in_s} s");
        }),
        Err(CallError::Problem(StatusCode::NOT_FOUND, _) | CallError::Foreign(StatusCode::NOT_FOUND, _)) => {
            tracing::info!("the functions have no /tick");
            sleep(ABSENT).await;
        }
        Err(error) => {
            let permits = log_limit.lock().unwrap_or_else(PoisonError::into_inner).permits();
            if permits {
                tracing::warn!("tick failed: {error}");
            }
        }
    }
}
