//! Runs what is due in the functions: the clock that serverless functions do not have.

use std::future::pending;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use exposition::Label;
use http::StatusCode;
use protocol::{Call, Compose, Deliver, Failure, LaneAnswer, Tick};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use crate::{
    clock::{LogLimit, unix_ms},
    functions::{CallError, Functions},
    operation::{Control, Lane, LaneCalls},
};

const EVERY: Duration = Duration::from_secs(1);

/// Functions that say that they have no such lane are asked this often: they may be another bundle, or be replaced soon.
const ABSENT: Duration = Duration::from_secs(60);

/// How many calls of a lane may be under way: one that waits for a slow bucket keeps nothing else waiting.
const MOST_TICKS: usize = 8;
/// Each of these moves the media of whole files.
const MOST_COMPOSITIONS: usize = 4;
/// One waits for a receiver that hangs for some seconds.
const MOST_DELIVERIES: usize = 16;

/// Calls each lane of the functions once a second, for ever, and logs what they say has failed.
///
/// What the others have done is told at once: a delivery that is called in step with them finds it a second later.
pub(crate) async fn run(functions: Functions, control: Control) {
    let deliver = Arc::new(Notify::new());
    let others = Wake { lane: None, next: Some(deliver.clone()) };
    let last = Wake { lane: Some(deliver), next: None };
    tokio::join!(
        lane::<Tick>(functions.clone(), control.clone(), (Lane::Tick, MOST_TICKS), others.clone()),
        lane::<Compose>(functions.clone(), control.clone(), (Lane::Compose, MOST_COMPOSITIONS), others),
        lane::<Deliver>(functions, control, (Lane::Deliver, MOST_DELIVERIES), last),
    );
}

/// What has lanes called beside once a second.
#[derive(Clone)]
struct Wake {
    /// Has this lane called, if anything does.
    lane: Option<Arc<Notify>>,
    /// Is notified once a call of this lane has done something.
    next: Option<Arc<Notify>>,
}

async fn lane<C: LaneCall>(functions: Functions, control: Control, (lane, most): (Lane, usize), wake: Wake) {
    let mut seconds = interval(EVERY);
    // After a stall one call makes up for all that were missed.
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let under_way = Arc::new(Semaphore::new(most));
    let log_limit = Arc::new(Mutex::new(LogLimit::default()));
    let absent = Arc::new(Absent::default());
    loop {
        next(&mut seconds, wake.lane.as_deref()).await;
        if absent.lasts(Instant::now()) {
            continue;
        }
        let Ok(permit) = Arc::clone(&under_way).acquire_owned().await else { return };
        let (functions, control, log_limit) = (functions.clone(), control.clone(), Arc::clone(&log_limit));
        let (next, absent) = (wake.next.clone(), Arc::clone(&absent));
        tokio::spawn(async move {
            match call::<C>(&functions, &control, lane, &log_limit).await {
                Called::DoneSomething => next.iter().for_each(|next| next.notify_one()),
                Called::Absent if absent.begins(Instant::now()) => {
                    tracing::info!("the functions have no /{}", lane.as_str());
                }
                Called::Absent | Called::DoneNothing => {}
            }
            drop(permit);
        });
    }
}

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Called {
    DoneSomething,
    DoneNothing,
    /// The functions say that they have no such lane.
    Absent,
}

/// Until when a lane that the functions do not have is left alone.
#[derive(Debug, Default)]
struct Absent(Mutex<Option<Instant>>);

impl Absent {
    fn lasts(&self, now: Instant) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| now < until)
    }

    /// Whether it has begun. Of calls that were under way at once only the first one begins it.
    fn begins(&self, now: Instant) -> bool {
        let mut until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = until.is_none_or(|until| until <= now);
        if begins {
            *until = Some(now + ABSENT);
        }
        begins
    }
}

/// Waits for a second since this was over, or until it is woken. However often that is while a call cannot begin, it is
/// woken once.
async fn next(seconds: &mut Interval, wake: Option<&Notify>) {
    let woken = async {
        match wake {
            Some(wake) => wake.notified().await,
            None => pending().await,
        }
    };
    tokio::select! {
        _ = seconds.tick() => {}
        () = woken => seconds.reset(),
    }
}

/// A call of a lane.
trait LaneCall: Call<Address = (), Answer = LaneAnswer> + Default + Send + Sync {}

impl<C: Call<Address = (), Answer = LaneAnswer> + Default + Send + Sync> LaneCall for C {}

/// Calls once.
async fn call<C: LaneCall>(
    functions: &Functions,
    control: &Control,
    lane: Lane,
    log_limit: &Mutex<LogLimit>,
) -> Called {
    let (LaneCalls { calls, failures, due, done }, path) = (control.metrics().lane(lane), lane.as_str());
    calls.made.add_one();
    let sent = Instant::now();
    control.health().called(lane.into(), sent);
    let answer = functions.call_long((), &C::default()).await;
    let received = Instant::now();
    calls.duration.observe(received - sent);
    match answer {
        Ok(answer) => {
            calls.succeeded(unix_ms());
            control.health().succeeded(lane.into(), received);
            failures.add(answer.failures.len() as u64);
            done.add(answer.done.into());
            due.store(answer.due.into(), Ordering::Relaxed);
            answer.failures.iter().for_each(|Failure { what, reason, retry_in_s }| {
                tracing::warn!("/{path}: {what}: {reason}; again in {retry_in_s} s");
            });
            if answer.done > 0 { Called::DoneSomething } else { Called::DoneNothing }
        }
        Err(error) => {
            calls.failed.add_one();
            if is_absent(lane, &error) {
                control.health().absent(lane.into());
                return Called::Absent;
            }
            control.health().failed(lane.into(), error.failure(), received);
            let permits = log_limit.lock().unwrap_or_else(PoisonError::into_inner).permits();
            if permits {
                tracing::warn!("/{path} failed: {error}");
            }
            Called::DoneNothing
        }
    }
}

/// Whether the functions themselves say that they have no such lane. Without ticks nothing is ever closed: that is never
/// as it should be.
fn is_absent(lane: Lane, error: &CallError) -> bool {
    lane != Lane::Tick && error.status() == Some(StatusCode::NOT_FOUND)
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant as Paused, sleep};

    use super::*;

    #[test]
    fn a_lane_that_is_absent_is_left_alone_for_a_minute_whoever_says_so() {
        let (absent, began) = (Absent::default(), Instant::now());
        let at = |seconds| began + Duration::from_secs(seconds);
        assert!(!absent.lasts(began) && absent.begins(began));
        // These calls were under way.
        assert!(!absent.begins(at(1)) && !absent.begins(at(59)));
        assert!(absent.lasts(at(59)) && !absent.lasts(at(60)));
        assert!(absent.begins(at(61)) && absent.lasts(at(62)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_is_called_each_second_and_at_once_where_it_is_woken() {
        let (mut seconds, wake, began) = (interval(EVERY), Notify::new(), Paused::now());
        let mut called_ms = Vec::new();
        let calls = async {
            for _ in 0..6 {
                next(&mut seconds, Some(&wake)).await;
                called_ms.push(began.elapsed().as_millis());
            }
        };
        let wakes = async {
            for wait_ms in [300, 1_500] {
                sleep(Duration::from_millis(wait_ms)).await;
                wake.notify_one();
            }
        };
        tokio::join!(calls, wakes);
        assert_eq!(called_ms, [0, 300, 1_300, 1_800, 2_800, 3_800]);
    }
}
