//! What is counted and seen, as Prometheus reads it.

use std::sync::{Arc, atomic::Ordering};

use exposition::{Exposition, Label};
use tokio::time::Instant;

use super::{
    metrics::{Calls, Failure, Lane, Metrics},
    process::Process,
};
use crate::{
    queue::Waits,
    spool::{Fill, Spool},
};

/// What is looked at when somebody asks.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) publishers: usize,
    pub(super) recorded: usize,
    pub(super) is_draining: bool,
    pub(super) is_healthy: bool,
    pub(super) is_ready: bool,
    pub(super) connections: usize,
    pub(super) waiting: Vec<Waits>,
    pub(super) spool: Option<Arc<Spool>>,
}

/// All of it. Each family is there from the start on.
pub(super) fn text(metrics: &Metrics, seen: &Seen, now: Instant) -> Exposition {
    let mut text = of_process(seen.is_healthy, seen.is_ready);
    ingest(&mut text, metrics, seen);
    chunks(&mut text, metrics, seen, now);
    spool(&mut text, seen);
    functions(&mut text, metrics);
    text
}

/// What is told of any process that has an operator's address.
pub(crate) fn of_process(is_healthy: bool, is_ready: bool) -> Exposition {
    let mut text = Exposition::default();
    text.gauge("live_recorder_build_info", "Which version runs; always 1.")
        .value(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    text.gauge("live_recorder_healthy", "1 where /healthz answers 200.").value(&[], is_healthy);
    text.gauge("live_recorder_ready", "1 where /readyz answers 200.").value(&[], is_ready);
    process(&mut text);
    text
}

fn ingest(text: &mut Exposition, metrics: &Metrics, seen: &Seen) {
    text.gauge("live_recorder_draining", "1 where the gateway is about to end.").value(&[], seen.is_draining);
    text.gauge("live_recorder_publishers", "Publishers that are connected.").value(&[], seen.publishers);
    text.gauge("live_recorder_recorded_publishers", "Those of which is recorded what comes now.")
        .value(&[], seen.recorded);
    text.gauge("live_recorder_connections", "Connections, publishing or not.").value(&[], seen.connections);
    text.counter("live_recorder_connections_taken_total", "Connections that were taken.")
        .value(&[], metrics.connections.get());
    metrics.connections_refused.write(
        text.counter(
            "live_recorder_connections_refused_total",
            "Connections that were sent away, by reason.",
        ),
    );
    text.counter("live_recorder_connections_failed_total", "Connections that did not end as they should.")
        .value(&[], metrics.connections_failed.get());
    text.counter("live_recorder_certificates_read_total", "How often a changed certificate was read anew.")
        .value(&[], metrics.certificates_read.get());
    text.counter(
        "live_recorder_certificates_failed_total",
        "How often a changed certificate was read and could not be used.",
    )
    .value(&[], metrics.certificates_failed.get());
    text.gauge(
        "live_recorder_certificate_failing",
        "1 where a changed certificate cannot be used, so that the one of before is shown on.",
    )
    .value(&[], metrics.is_certificate_failing.load(Ordering::Relaxed));
    text.counter("live_recorder_publishes_total", "Publishes that were accepted.")
        .value(&[], metrics.publishes.get());
    metrics.publishes_refused.write(
        text.counter("live_recorder_publishes_refused_total", "Publishes that were refused, by reason."),
    );
    text.counter("live_recorder_publishers_kicked_total", "Publishers whose connection an operator ended.")
        .value(&[], metrics.kicked.get());
    text.counter("live_recorder_received_bytes_total", "Bytes received of publishers, without TLS.")
        .value(&[], metrics.received_bytes.get());
    metrics
        .frames
        .write(text.counter("live_recorder_frames_total", "Coded frames received, by kind of track."));
    text.counter(
        "live_recorder_frames_left_out_total",
        "Frames between the end of a recorded part and the next keyframe, which are not recorded.",
    )
    .value(&[], metrics.frames_left_out.get());
    text.counter(
        "live_recorder_configurations_left_out_total",
        "Codec configurations that could not be used and were left out.",
    )
    .value(&[], metrics.configurations_left_out.get());
    metrics.messages_left_out.write(text.counter(
        "live_recorder_messages_left_out_total",
        "Messages of tracks that cannot be recorded, such as AV1 or Opus, as the functions tell, by kind of track.",
    ));
    metrics.repairs.write(
        text.counter(
            "live_recorder_repairs_total",
            "What the functions set right in what was pushed, by kind.",
        ),
    );
    text.counter("live_recorder_messages_skipped_total", "RTMP messages that were passed over.")
        .value(&[], metrics.messages_skipped.get());
}

fn chunks(text: &mut Exposition, metrics: &Metrics, seen: &Seen, now: Instant) {
    let waits = || seen.waiting.iter();
    let lag = waits().filter_map(|waits| waits.oldest).min();
    text.gauge(
        "live_recorder_lag_seconds",
        "How long the oldest chunk that the functions have not taken has waited since its last frame.",
    )
    .value(&[], lag.map_or(0.0, |oldest| now.saturating_duration_since(oldest).as_secs_f64()));
    text.gauge("live_recorder_waiting_chunks", "Chunks that wait for the functions.")
        .value(&[], waits().map(|waits| waits.chunks).sum::<usize>());
    text.gauge(
        "live_recorder_waiting_pushes",
        "Pushes, live or not, that are not all brought to the functions.",
    )
    .value(&[], seen.waiting.len());
    let mut unrecorded = text.gauge(
        "live_recorder_unrecorded_pushes",
        "Pushes that should be recorded and are not, since the last try to begin them, to bring a chunk, or to tell a \
         loss or their end failed, by reason. What they send waits in the spool.",
    );
    for failure in Failure::ALL {
        let count = waits().filter(|waits| waits.trouble.is_some_and(|trouble| trouble.failure == *failure));
        unrecorded.value(&[(Failure::NAME, failure.as_str())], count.count());
    }
    metrics.chunks.write(text.counter("live_recorder_chunks_total", "Chunks, by what became of them."));
    text.counter("live_recorder_chunk_bytes_total", "Bytes of the chunks that the functions acknowledged.")
        .value(&[], metrics.chunk_bytes.get());
    metrics.chunk_failures.write(text.counter(
        "live_recorder_chunk_tries_failed_total",
        "Tries to bring a chunk that failed and are made again, by reason.",
    ));
    let mut delay = text.histogram(
        "live_recorder_chunk_delay_seconds",
        "From the last frame of a chunk until the functions have it.",
    );
    metrics.chunk_delay.write(&mut delay, &[]);
    metrics.begin_failures.write(
        text.counter("live_recorder_begins_failed_total", "Tries to begin a push that failed, by reason."),
    );
    metrics
        .gaps
        .write(text.counter("live_recorder_gaps_told_total", "Gaps told to the functions, by reason."));
}

/// What is not known yet, since what an earlier gateway left is looked through, has no sample.
fn spool(text: &mut Exposition, seen: &Seen) {
    let fill = seen.spool.as_ref().map(|spool| spool.fill());
    let free_bytes = seen.spool.as_ref().and_then(|spool| spool.disk_free_bytes().ok());
    let mut gauge = |name, help, value: Option<u64>| {
        let mut gauge = text.gauge(name, help);
        value.into_iter().for_each(|value| gauge.value(&[], value));
    };
    let of = |value: fn(&Fill) -> u64| fill.as_ref().map(value);
    gauge(
        "live_recorder_spool_bytes",
        "Bytes in the spool, refused chunks included.",
        of(|fill| fill.used_bytes),
    );
    gauge("live_recorder_spool_limit_bytes", "Bytes that may be in it.", of(|fill| fill.limit_bytes));
    gauge("live_recorder_spool_streams", "Streams that have something in it.", of(|fill| fill.streams));
    gauge(
        "live_recorder_spool_refused_chunks",
        "Chunks in it that the functions refused for good.",
        of(|fill| fill.refused_chunks as u64),
    );
    gauge("live_recorder_spool_refused_bytes", "Bytes of those.", of(|fill| fill.refused_bytes));
    gauge(
        "live_recorder_spool_disk_failing",
        "1 where its disk refused what was last to be written.",
        of(|fill| fill.is_disk_refusing.into()),
    );
    gauge("live_recorder_spool_disk_free_bytes", "Bytes that its disk has room for.", free_bytes);
}

fn functions(text: &mut Exposition, metrics: &Metrics) {
    let Calls { made, failed, duration, last_success_ms } = &metrics.heartbeat;
    text.counter("live_recorder_heartbeats_total", "Heartbeats sent to the functions.")
        .value(&[], made.get());
    text.counter("live_recorder_heartbeats_failed_total", "Those that were not answered as they should be.")
        .value(&[], failed.get());
    text.gauge(
        "live_recorder_heartbeat_last_success_timestamp_seconds",
        "When one was last answered as it should be, in Unix seconds; 0: never.",
    )
    .value(&[], last_success_ms.load(Ordering::Relaxed) as f64 / 1e3);
    let mut durations = text.histogram("live_recorder_heartbeat_duration_seconds", "How long they took.");
    duration.write(&mut durations, &[]);

    let lanes = || Lane::ALL.iter().map(|lane| ([(Lane::NAME, lane.as_str())], metrics.lane(*lane)));
    let mut calls = text.counter("live_recorder_lane_calls_total", "Calls of the functions' lanes.");
    lanes().for_each(|(lane, of)| calls.value(&lane, of.calls.made.get()));
    let mut failed = text.counter("live_recorder_lane_calls_failed_total", "Those that failed.");
    lanes().for_each(|(lane, of)| failed.value(&lane, of.calls.failed.get()));
    let mut failures = text.counter(
        "live_recorder_lane_failures_total",
        "What was due in a lane and failed, as the functions say.",
    );
    lanes().for_each(|(lane, of)| failures.value(&lane, of.failures.get()));
    let mut done = text.counter("live_recorder_lane_done_total", "What was due in a lane and is done.");
    lanes().for_each(|(lane, of)| done.value(&lane, of.done.get()));
    let mut due = text.gauge("live_recorder_lane_due", "What was due in a lane when it last answered.");
    lanes().for_each(|(lane, of)| due.value(&lane, of.due.load(Ordering::Relaxed)));
    let mut last = text.gauge(
        "live_recorder_lane_last_success_timestamp_seconds",
        "When a lane last answered as it should, in Unix seconds; 0: never.",
    );
    lanes().for_each(|(lane, of)| {
        last.value(&lane, of.calls.last_success_ms.load(Ordering::Relaxed) as f64 / 1e3);
    });
    let mut durations =
        text.histogram("live_recorder_lane_duration_seconds", "How long a lane's calls took.");
    lanes().for_each(|(lane, of)| of.calls.duration.write(&mut durations, &lane));
}

fn process(text: &mut Exposition) {
    let Process { resident_bytes, cpu_seconds, open_fds, max_fds, started_s } = Process::now();
    if let Some(bytes) = resident_bytes {
        text.gauge("process_resident_memory_bytes", "Memory of this process.").value(&[], bytes);
    }
    if let Some(seconds) = cpu_seconds {
        text.counter("process_cpu_seconds_total", "Time that this process had a processor.")
            .value(&[], seconds);
    }
    if let Some(files) = open_fds {
        text.gauge("process_open_fds", "Files and sockets that this process has open.").value(&[], files);
    }
    if let Some(files) = max_fds {
        text.gauge("process_max_fds", "How many it may have open.").value(&[], files);
    }
    if let Some(seconds) = started_s {
        text.gauge("process_start_time_seconds", "When it began, in Unix seconds.").value(&[], seconds);
    }
}
