//! Runs what is due in the functions: the clock that serverless functions do not have.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;
use protocol::{Call, Compose, Deliver, Failure, LaneAnswer, Tick};
use tokio::sync::Semaphore;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::{
    clock::LogLimit,
    functions::{CallError, Functions},
};

const EVERY: Duration = Duration::from_secs(1);

/// Functions that have no such lane are asked this often: they may be another bundle, or be replaced soon.
const ABSENT: Duration = Duration::from_secs(60);

/// How many calls of a lane may be under way: one that waits for a slow bucket keeps nothing else waiting.
const MOST_TICKS: usize = 8;
/// Each of these moves the media of whole files.
const MOST_COMPOSITIONS: usize = 4;
/// One waits for a receiver that hangs for some seconds.
const MOST_DELIVERIES: usize = 16;

/// Calls each lane of the functions once a second, for ever, and logs what they say has failed.
pub(crate) async fn run(functions: Functions) {
    tokio::join!(
        lane::<Tick>(functions.clone(), "/tick", MOST_TICKS),
        lane::<Compose>(functions.clone(), "/compose", MOST_COMPOSITIONS),
        lane::<Deliver>(functions, "/deliver", MOST_DELIVERIES),
    );
}

async fn lane<C: Lane>(functions: Functions, path: &'static str, most: usize) {
    let mut seconds = interval(EVERY);
    // After a stall one call makes up for all that were missed.
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let under_way = Arc::new(Semaphore::new(most));
    let log_limit = Arc::new(Mutex::new(LogLimit::default()));
    loop {
        seconds.tick().await;
        let Ok(permit) = Arc::clone(&under_way).acquire_owned().await else { return };
        let (functions, log_limit) = (functions.clone(), Arc::clone(&log_limit));
        tokio::spawn(async move {
            call::<C>(&functions, path, &log_limit).await;
            drop(permit);
        });
    }
}

/// A call of a lane.
trait Lane: Call<Address = (), Answer = LaneAnswer> + Default + Send + Sync {}

impl<C: Call<Address = (), Answer = LaneAnswer> + Default + Send + Sync> Lane for C {}

/// Calls once. Where the functions have no such lane, it takes its time.
async fn call<C: Lane>(functions: &Functions, path: &str, log_limit: &Mutex<LogLimit>) {
    match functions.call_long((), &C::default()).await {
        Ok(answer) => answer.failures.iter().for_each(|Failure { what, reason, retry_in_s }| {
            tracing::warn!("{path}: {what}: {reason}; again in {retry_in_s} s");
        }),
        Err(CallError::Problem(StatusCode::NOT_FOUND, _) | CallError::Foreign(StatusCode::NOT_FOUND, _)) => {
            tracing::info!("the functions have no {path}");
            sleep(ABSENT).await;
        }
        Err(error) => {
            let permits = log_limit.lock().unwrap_or_else(PoisonError::into_inner).permits();
            if permits {
                tracing::warn!("{path} failed: {error}");
            }
        }
    }
}
