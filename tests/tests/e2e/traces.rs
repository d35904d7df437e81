//! Traces, as a collector of OpenTelemetry gets them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::Result;
use harness::receiver::{Received, Receiver, Reply};
use harness::server::{Server, push};
use harness::{api, bucket, ffmpeg};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message;

use crate::source::{SHORT, clip, clip_file};

const DOMAIN: &str = "traced.example.com";

/// What a publisher shows, and no span may.
const SECRET: &str = "5d41402abc4b2a76b9719d911017c592";

/// How long what is waited for may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn accepted() -> Reply {
    Reply::Answer(200, &[("content-type", "application/x-protobuf")], String::new())
}

/// The spans of what came.
fn spans(received: &[Received]) -> Vec<Span> {
    let requests = received.iter().map(|post| ExportTraceServiceRequest::decode(&post.bytes[..]).unwrap());
    let of_resources = requests.flat_map(|request| request.resource_spans);
    let of_scopes = of_resources.flat_map(|resource| resource.scope_spans);
    of_scopes.flat_map(|scope| scope.spans).collect()
}

/// The value of an attribute that is a text.
fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

/// The object that a span wrote, if it wrote a slice.
fn slice(span: &Span) -> Option<&str> {
    let path = text(&span.attributes, "url.path")?.strip_prefix("/recordings/")?;
    (span.name == "PUT" && path.ends_with(".ts")).then_some(path)
}

/// From a span to the outermost one that it is part of.
fn line<'a>(by_id: &BTreeMap<&[u8], &'a Span>, inner: &'a Span) -> Vec<&'a Span> {
    std::iter::successors(Some(inner), |span| by_id.get(&span.parent_span_id[..]).copied()).collect()
}

/// The span of a slice's PUT is part of its chunk's.
fn check_line(spans: &[Span], line: &[&Span]) {
    let names: Vec<&str> = line.iter().map(|span| span.name.as_str()).collect();
    let expected = [
        ("PUT", SpanKind::Client),
        ("PUT /streams/:domain/:app/:stream/sessions/:session/chunks/:seq", SpanKind::Server),
        ("PUT /streams/{domain}/{app}/{stream}/sessions/{session}/chunks/{seq}", SpanKind::Client),
        ("chunk", SpanKind::Internal),
    ];
    assert_eq!(names, expected.map(|(name, _)| name));
    assert!(line.iter().zip(expected).all(|(span, (_, kind))| span.kind() == kind));
    assert!(line.iter().all(|span| span.trace_id == line[0].trace_id));
    assert!(line.is_sorted_by(|inner, outer| outer.start_time_unix_nano <= inner.start_time_unix_nano));
    let (object, chunk) = (line[0], line[3]);
    assert!(chunk.parent_span_id.is_empty());
    // Of two streams whose chunks one function takes at once, each has its own.
    let stream = text(&chunk.attributes, "live_recorder.stream").unwrap().rsplit('/').next().unwrap();
    let path = slice(object).unwrap();
    assert!(path.starts_with(&format!("record/live/{stream}/")), "{path} in a chunk of {stream}");
    // Frames of a chunk come over seconds, before it is sent.
    let is_receipt = |span: &&Span| span.parent_span_id == chunk.span_id && span.name == "receive";
    let receipt = spans.iter().find(is_receipt).unwrap();
    let took = Duration::from_nanos(receipt.end_time_unix_nano - receipt.start_time_unix_nano);
    assert!(took >= Duration::from_secs(1), "{took:?}");
    assert_eq!(receipt.start_time_unix_nano, chunk.start_time_unix_nano);
    assert!(receipt.end_time_unix_nano <= line[2].start_time_unix_nano);
}

#[test]
fn a_chunk_is_one_trace_from_its_first_frame_to_its_object() -> Result<()> {
    let collector = Receiver::start(|_| accepted())?;
    let folder = tempfile::tempdir()?;
    let endpoint = format!("http://{}", collector.address);
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=abc"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"),
        ("OTEL_BSP_SCHEDULE_DELAY", "200"),
    ];
    let server = Server::start_in(folder.path(), &environment)?;
    api::add_rule(&server, DOMAIN, "live", "5", "15")?;
    clip(SHORT);
    let url = |stream| format!("{}&auth_key={SECRET}", server.rtmp_url(DOMAIN, "live", stream));
    std::thread::scope(|scope| {
        let pushes = ["x", "y"].map(|stream| {
            let url = url(stream);
            scope.spawn(move || push(&clip_file(SHORT), &url, false))
        });
        pushes.into_iter().try_for_each(|push| push.join().unwrap())
    })?;
    bucket::wait_for_recordings(&server, "recordings", "record/live/", 2, PATIENCE)?;
    let objects = bucket::objects(&server, "recordings", "record/live/")?;
    let slices: BTreeSet<String> = objects.into_iter().filter(|name| name.ends_with(".ts")).collect();
    assert!(slices.len() > 2, "{slices:?}");

    // Spans come when they end: the outer ones last.
    let begun = Instant::now();
    let spans = loop {
        let spans = spans(&collector.received());
        let chunks = spans.iter().filter(|span| span.name == "chunk").count();
        if chunks >= slices.len() || begun.elapsed() > PATIENCE {
            break spans;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let by_id: BTreeMap<&[u8], &Span> = spans.iter().map(|span| (&span.span_id[..], span)).collect();
    let written: Vec<&Span> = spans.iter().filter(|span| slice(span).is_some()).collect();
    assert_eq!(written.iter().map(|span| slice(span).unwrap().to_owned()).collect::<BTreeSet<_>>(), slices);
    written.into_iter().for_each(|object| check_line(&spans, &line(&by_id, object)));

    let received = collector.received();
    assert!(received.iter().all(|post| post.target == "/v1/traces" && post.header("x-key") == Some("abc")));
    let texts = received.iter().map(|post| post.body.as_str()).collect::<String>();
    let is_there = ["live-recorder", "deployment.environment.name"];
    assert!(is_there.iter().all(|text| texts.contains(text)));
    assert!([SECRET, "Signature="].iter().all(|text| !texts.contains(text)));
    Ok(())
}

#[test]
fn a_collector_that_hangs_costs_no_media_and_holds_up_no_end() -> Result<()> {
    let collector = Receiver::start(|_| Reply::After(Duration::from_secs(600), String::new()))?;
    let folder = tempfile::tempdir()?;
    let endpoint = format!("http://{}/v1/traces", collector.address);
    let mut server = Server::start_in(
        folder.path(),
        &[
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &endpoint),
            ("OTEL_BSP_SCHEDULE_DELAY", "50"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "4"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2"),
        ],
    )?;
    api::add_rule(&server, DOMAIN, "live", "5", "15")?;
    clip(SHORT);
    push(&clip_file(SHORT), &server.rtmp_url(DOMAIN, "live", "x"), true)?;
    let recorded = bucket::wait_for_recordings(&server, "recordings", "record/live/x/", 1, PATIENCE)?;
    let hashes = |file| ffmpeg::frame_hashes(file, "v");
    assert_eq!(hashes(&recorded[0].file)?, hashes(&clip_file(SHORT))?);
    assert!(!collector.received().is_empty(), "it was asked nothing");
    let begun = Instant::now();
    server.stop()?;
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    Ok(())
}
