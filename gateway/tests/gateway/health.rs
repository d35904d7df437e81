//! What turns health red, and when it does not.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};

use gateway::Config;
use protocol::{LaneAnswer, Problem, conflict};

use crate::{
    Gateway,
    fake::{Act, Call, Fake, Kind, fail},
    functions,
    operation::{Operator, publish},
};

/// Functions whose calls of a kind are answered as the number says, 0: as they should be.
async fn answering(kind: Kind, act: fn(u16) -> Act) -> (Fake, Arc<AtomicU16>) {
    let status = Arc::new(AtomicU16::new(0));
    let scripted = Arc::clone(&status);
    let script = move |call: &Call| match scripted.load(Ordering::Relaxed) {
        status if call.kind == kind && status > 0 => act(status),
        _ => Act::Succeed,
    };
    (Fake::start(script).await, status)
}

#[tokio::test]
async fn a_lane_that_the_functions_say_they_have_not_is_no_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (functions, status) = answering(Kind::Deliver, fail).await;
    let operator = Operator::start(None).await;
    status.store(503, Ordering::Relaxed);
    let gateway = operator.gateway(&functions, folder.path()).await;
    operator.until_health("/healthz", 503, Some("deliver_fails")).await;
    status.store(404, Ordering::Relaxed);
    let failed = "live_recorder_lane_calls_failed_total{lane=\"deliver\"}";
    let before = operator.sample(failed).await;
    operator.until_health("/healthz", 200, None).await;
    assert!(operator.sample(failed).await > before, "that it is not there is counted");
    gateway.stop().await;
}

#[tokio::test]
async fn a_lane_that_something_else_answers_for_is_a_reason() {
    for (kind, lane) in [(Kind::Tick, "tick"), (Kind::Compose, "compose"), (Kind::Deliver, "deliver")] {
        let folder = tempfile::tempdir().unwrap();
        let (functions, status) = answering(kind, Act::Foreign).await;
        let operator = Operator::start(None).await;
        status.store(404, Ordering::Relaxed);
        let gateway = operator.gateway(&functions, folder.path()).await;
        operator.until_health("/healthz", 503, Some(&format!("{lane}_fails"))).await;
        let sample = |name: &str| format!("live_recorder_lane_{name}{{lane=\"{lane}\"}}");
        assert!(operator.sample(&sample("calls_failed_total")).await >= 1.0);
        assert_eq!(operator.sample(&sample("last_success_timestamp_seconds")).await, 0.0);
        status.store(0, Ordering::Relaxed);
        operator.until_health("/healthz", 200, None).await;
        gateway.stop().await;
    }
}

#[tokio::test]
async fn functions_without_a_tick_close_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (functions, status) = answering(Kind::Tick, fail).await;
    let operator = Operator::start(None).await;
    status.store(404, Ordering::Relaxed);
    let gateway = operator.gateway(&functions, folder.path()).await;
    operator.until_health("/healthz", 503, Some("tick_fails")).await;
    status.store(0, Ordering::Relaxed);
    operator.until_health("/healthz", 200, None).await;
    gateway.stop().await;
}

fn unrecorded(reason: &str) -> String {
    format!("live_recorder_unrecorded_pushes{{reason=\"{reason}\"}}")
}

#[tokio::test]
async fn a_push_that_is_told_to_wait_is_in_trouble_once_that_lasts() {
    let wait = |_: &Call| {
        let problem = Problem { code: conflict::BEFORE.into(), message: "not yet".into(), expected: Some(3) };
        Act::Fail(409, problem)
    };
    for (call_max, is_told) in [(Duration::from_secs(3_600), false), (Duration::from_millis(300), true)] {
        let folder = tempfile::tempdir().unwrap();
        let is_open = Arc::new(AtomicBool::new(false));
        let open = Arc::clone(&is_open);
        let functions = Fake::start(move |call| match call.kind {
            Kind::Chunk if !open.load(Ordering::Relaxed) => wait(call),
            _ => Act::Succeed,
        })
        .await;
        let operator = Operator::start(None).await;
        let control = operator.control.clone();
        let change = |config| Config { control, call_max, ..config };
        let gateway = Gateway::configured(&functions.url(), folder.path(), change).await;
        publish(&gateway, "x").await.finish().await;
        let tries = "live_recorder_chunk_tries_failed_total{reason=\"order\"}";
        operator.until(tries, |count| count >= 4.0).await;
        if is_told {
            operator.until(&unrecorded("order"), |count| count == 1.0).await;
            operator.until_health("/healthz", 503, Some("pushes_unrecorded")).await;
        }
        assert_eq!(operator.sample(&unrecorded("order")).await, f64::from(u8::from(is_told)));
        is_open.store(true, Ordering::Relaxed);
        functions.ended(1).await;
        operator.until_health("/healthz", 200, None).await;
        assert_eq!(operator.sample(&unrecorded("order")).await, 0.0);
        gateway.stop().await;
    }
}

#[tokio::test]
async fn a_push_whose_losses_or_end_cannot_be_told_is_in_trouble() {
    for untold in [Kind::Lost, Kind::End] {
        let folder = tempfile::tempdir().unwrap();
        let is_open = Arc::new(AtomicBool::new(false));
        let open = Arc::clone(&is_open);
        let functions = Fake::start(move |call| match call.kind {
            Kind::Chunk if untold == Kind::Lost => fail(413),
            kind if kind == untold && !open.load(Ordering::Relaxed) => fail(503),
            _ => Act::Succeed,
        })
        .await;
        let operator = Operator::start(None).await;
        let gateway = operator.gateway(&functions, folder.path()).await;
        publish(&gateway, "x").await.finish().await;
        operator.until(&unrecorded("unavailable"), |count| count == 1.0).await;
        operator.until("live_recorder_waiting_pushes", |count| count == 1.0).await;
        operator.until_health("/healthz", 503, Some("pushes_unrecorded")).await;
        is_open.store(true, Ordering::Relaxed);
        functions.ended(1).await;
        operator.until_health("/healthz", 200, None).await;
        operator.until(&unrecorded("unavailable"), |count| count == 0.0).await;
        operator.until("live_recorder_waiting_pushes", |count| count == 0.0).await;
        gateway.stop().await;
    }
}

#[tokio::test]
async fn what_is_not_known_before_the_spool_is_looked_through_is_not_told() {
    let operator = Operator::start(None).await;
    let (_, text) = operator.ask("GET", "/metrics", None).await;
    assert!(text.contains("# TYPE live_recorder_spool_disk_free_bytes gauge"), "{text}");
    let told: Vec<_> = text.lines().filter(|line| line.starts_with("live_recorder_spool_")).collect();
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(operator.sample("live_recorder_ready").await, 0.0);
}

#[tokio::test]
async fn a_gateway_that_is_stopped_is_no_place_to_push_to() {
    let folder = tempfile::tempdir().unwrap();
    let functions = Fake::start(|call| if call.kind == Kind::Chunk { fail(503) } else { Act::Succeed }).await;
    let operator = Operator::start(None).await;
    let gateway = operator.gateway(&functions, folder.path()).await;
    let live = publish(&gateway, "x").await;
    operator.until("live_recorder_waiting_pushes", |count| count == 1.0).await;
    operator.until_health("/readyz", 200, None).await;
    assert_eq!(operator.sample("live_recorder_ready").await, 1.0);
    gateway.shutdown.cancel();
    operator.until_health("/readyz", 503, Some("draining")).await;
    assert_eq!(operator.sample("live_recorder_draining").await, 1.0);
    assert_eq!(operator.sample("live_recorder_ready").await, 0.0);
    live.ended().await;
    // What it could not bring is for the next start, and no failure.
    gateway.stop().await;
}

#[tokio::test]
async fn a_gateway_that_runs_is_not_draining() {
    let folder = tempfile::tempdir().unwrap();
    let (functions, operator) = (functions().await, Operator::start(None).await);
    let gateway = operator.gateway(&functions, folder.path()).await;
    operator.until("live_recorder_ready", |is_ready| is_ready == 1.0).await;
    assert_eq!(operator.sample("live_recorder_draining").await, 0.0);
    gateway.stop().await;
}

/// Ticks take their time, so that the deliveries which are called in step with them come before their answers.
#[tokio::test]
async fn what_a_tick_has_done_is_told_before_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let takes = Duration::from_millis(400);
    let (told, mut ticked) = (Arc::new(AtomicBool::new(false)), Instant::now());
    let seen = Arc::clone(&told);
    let functions = Fake::start(move |call| match call.kind {
        Kind::Tick => {
            ticked = Instant::now();
            Act::Delay(takes)
        }
        Kind::Deliver => {
            let is_between = call.nth > 0 && (takes..takes * 2).contains(&ticked.elapsed());
            seen.fetch_or(is_between, Ordering::Relaxed);
            Act::Succeed
        }
        _ => Act::Succeed,
    })
    .await;
    functions.log().lane = LaneAnswer { due: 1, done: 1, failures: Vec::new() };
    let operator = Operator::start(None).await;
    let gateway = operator.gateway(&functions, folder.path()).await;
    functions.until("a few ticks", |log| log.ticks >= 4).await;
    assert!(told.load(Ordering::Relaxed));
    gateway.stop().await;
}
