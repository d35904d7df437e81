//! Metrics move where something happens that they tell of.

use std::{
    fs::File,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use flv::TagKind;
use protocol::{ChunkPolicy, Failure, LaneAnswer, SessionAnswer};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::Instant};

use crate::{
    fake::{Act, Fake, Kind, fail},
    functions,
    operation::{Operator, publish},
};

fn unix_s() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

#[tokio::test]
async fn what_cannot_be_used_of_a_push_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (functions, operator) = (functions().await, Operator::start(None).await);
    let gateway = operator.gateway(&functions, folder.path()).await;
    let mut publisher = publish(&gateway, "x").await;
    for sample in [
        "live_recorder_configurations_left_out_total",
        "live_recorder_messages_skipped_total",
        "live_recorder_frames_left_out_total",
        "live_recorder_connections_failed_total",
    ] {
        assert_eq!(operator.sample(sample).await, 0.0, "{sample}");
    }
    publisher.tag(TagKind::Video, 20, &[0x17, 0, 0, 0, 0, 0xff]);
    publisher.message(3, 17, 0, 0, b"\x11\x06\x0bhello");
    publisher.flush().await;
    operator.until("live_recorder_configurations_left_out_total", |count| count == 1.0).await;
    operator.until("live_recorder_messages_skipped_total", |count| count == 1.0).await;

    // The recorded part ends in a silence, and what is before the next keyframe has no file.
    functions.until("the begin", |log| log.sessions.len() == 1).await;
    {
        let mut log = functions.log();
        let session = log.sessions[0].name.clone();
        let generation = "2.0".parse().unwrap();
        let stop = protocol::Order { generation, record: false, age_ms: Some(0), in_ms: None };
        let change =
            SessionAnswer { session, chunk: ChunkPolicy::default(), orders: vec![stop], denied: None };
        log.changes.push(change);
    }
    let is_stopped = |confirmed: &protocol::Confirmed| confirmed.generation.to_string() == "2.0";
    functions.until("the stop", |log| log.sessions[0].confirmed.iter().any(is_stopped)).await;
    publisher.tag(TagKind::Video, 5_000, &[0x27, 1, 0, 0, 0, 2]);
    publisher.flush().await;
    operator.until("live_recorder_frames_left_out_total", |count| count == 1.0).await;
    operator.until("live_recorder_recorded_publishers", |count| count == 0.0).await;

    let mut stranger = TcpStream::connect(gateway.address).await.unwrap();
    stranger.write_all(&[b'G'; 4_096]).await.unwrap();
    operator.until("live_recorder_connections_failed_total", |count| count == 1.0).await;
    publisher.finish().await;
    gateway.stop().await;
}

#[tokio::test]
async fn what_waits_is_counted_until_it_is_brought() {
    let folder = tempfile::tempdir().unwrap();
    let away = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let is_away = std::sync::Arc::clone(&away);
    let functions = Fake::start(move |call| match call.kind {
        Kind::Chunk if is_away.load(std::sync::atomic::Ordering::Relaxed) => fail(503),
        _ => Act::Succeed,
    })
    .await;
    let operator = Operator::start(None).await;
    let gateway = operator.gateway(&functions, folder.path()).await;
    for name in ["x", "y"] {
        publish(&gateway, name).await.finish().await;
    }
    let counts =
        ["live_recorder_waiting_pushes", "live_recorder_waiting_chunks", "live_recorder_spool_streams"];
    for sample in counts {
        operator.until(sample, |count| count == 2.0).await;
    }
    away.store(false, std::sync::atomic::Ordering::Relaxed);
    functions.ended(2).await;
    for sample in counts {
        operator.until(sample, |count| count == 0.0).await;
    }
    gateway.stop().await;
}

#[tokio::test]
async fn calls_of_the_functions_are_counted_with_what_came_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let is_red = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let red = std::sync::Arc::clone(&is_red);
    let functions = Fake::start(move |call| match call.kind {
        Kind::Heartbeat | Kind::Compose if red.load(std::sync::atomic::Ordering::Relaxed) => fail(503),
        _ => Act::Succeed,
    })
    .await;
    let failure = Failure { what: "x".into(), reason: "y".into(), retry_in_s: 5 };
    functions.log().lane = LaneAnswer { due: 5, done: 3, failures: vec![failure.clone(), failure] };
    let (operator, began_s) = (Operator::start(None).await, unix_s());
    let gateway = operator.gateway(&functions, folder.path()).await;
    operator.until("live_recorder_heartbeats_failed_total", |count| count >= 1.0).await;
    operator.until("live_recorder_lane_calls_failed_total{lane=\"compose\"}", |count| count >= 1.0).await;
    let heard = "live_recorder_heartbeat_last_success_timestamp_seconds";
    assert_eq!(operator.sample(heard).await, 0.0);
    is_red.store(false, std::sync::atomic::Ordering::Relaxed);
    operator.until(heard, |at_s| at_s > 0.0).await;
    let at_s = operator.sample(heard).await;
    assert!((began_s - 1.0..=unix_s() + 1.0).contains(&at_s), "{at_s}");
    assert!(operator.sample("live_recorder_heartbeat_duration_seconds_count").await >= 2.0);
    assert!(operator.sample("live_recorder_heartbeat_duration_seconds_sum").await > 0.0);

    operator.until("live_recorder_lane_due{lane=\"tick\"}", |due| due == 5.0).await;
    let done = operator.sample("live_recorder_lane_done_total{lane=\"tick\"}").await;
    assert!(done >= 3.0 && done % 3.0 == 0.0, "{done}");
    let failures = operator.sample("live_recorder_lane_failures_total{lane=\"tick\"}").await;
    assert!(failures >= 2.0 && failures % 2.0 == 0.0, "{failures}");
    functions.log().lane = LaneAnswer::default();
    operator.until("live_recorder_lane_due{lane=\"tick\"}", |due| due == 0.0).await;
    gateway.stop().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_the_process_uses_is_told() {
    let operator = Operator::start(None).await;
    let [memory, cpu, open] =
        ["process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"];
    let (before, cpu_before) = (operator.sample(memory).await, operator.sample(cpu).await);
    const BYTES: usize = 64 << 20;
    let used = std::hint::black_box(vec![1_u8; BYTES]);
    operator.until(memory, |bytes| bytes > before + BYTES as f64 / 2.0).await;
    drop(used);
    // Other tests open files too, but not as many.
    let open_before = operator.sample(open).await;
    let files: Vec<_> = (0..500).map(|_| File::open("/dev/null").unwrap()).collect();
    let opened = operator.sample(open).await;
    assert!(opened > open_before + 250.0, "{opened}, {open_before} before");
    assert!(operator.sample("process_max_fds").await >= opened);
    drop(files);
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(100) {
        std::hint::spin_loop();
    }
    operator.until(cpu, |seconds| seconds > cpu_before).await;
    let started_s = operator.sample("process_start_time_seconds").await;
    assert!((1.7e9..=unix_s() + 2.0).contains(&started_s), "{started_s}");
}

#[tokio::test]
async fn what_the_functions_set_right_and_leave_out_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (functions, operator) = (functions().await, Operator::start(None).await);
    functions.log().chunk_headers = vec![
        ("x-repairs", "timestamp-jump-backward=2, of-a-later-version=1, stray-bytes=40"),
        ("x-left-out", "audio=7, script=1"),
    ];
    let gateway = operator.gateway(&functions, folder.path()).await;
    let counts = [
        ("live_recorder_repairs_total{kind=\"timestamp-jump-backward\"}", 2.0),
        ("live_recorder_repairs_total{kind=\"stray-bytes\"}", 40.0),
        ("live_recorder_repairs_total{kind=\"timestamp-wrap\"}", 0.0),
        ("live_recorder_messages_left_out_total{track=\"audio\"}", 7.0),
        ("live_recorder_messages_left_out_total{track=\"video\"}", 0.0),
    ];
    for (sample, _) in counts {
        assert_eq!(operator.sample(sample).await, 0.0, "{sample}");
    }
    publish(&gateway, "x").await.finish().await;
    for (sample, expected) in counts {
        operator.until(sample, |count| count == expected).await;
    }
}
