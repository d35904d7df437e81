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

#[test]
fn a_chunk_is_one_trace_from_its_first_frame_to_its_object() -> Result<()> {
    let collector = Receiver::start(|_| accepted())?;
    let folder = tempfile::tempdir()?;
    let endpoint = format!("http://{}", collector.address);
    let server = Server::start_in(
        folder.path(),
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=abc"),
            ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"),
            ("OTEL_BSP_SCHEDULE_DELAY", "200"),
        ],
    )?;
    api::add_rule(&server, DOMAIN, "live", "5", "15")?;
    clip(SHORT);
    let url = format!("{}&auth_key={SECRET}", server.rtmp_url(DOMAIN, "live", "x"));
    push(&clip_file(SHORT), &url, false)?;
    let recorded = bucket::wait_for_recordings(&server, "recordings", "record/live/x/", 1, PATIENCE)?;
    let slices: BTreeSet<String> = bucket::objects(&server, "recordings", "record/live/x/")?
        .into_iter()
        .filter(|name| name.ends_with(".ts"))
        .collect();
    assert_eq!(slices.len(), recorded[0].slices().len());
    assert!(slices.len() > 1, "{slices:?}");

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
    let route = "PUT /streams/{domain}/{app}/{stream}/sessions/{session}/chunks/{seq}";
    for object in written {
        let mut line = vec![object];
        while let Some(parent) = by_id.get(&line[line.len() - 1].parent_span_id[..]) {
            line.push(parent);
        }
        let names: Vec<&str> = line.iter().map(|span| span.name.as_str()).collect();
        assert_eq!(
            names,
            ["PUT", "PUT /streams/:domain/:app/:stream/sessions/:session/chunks/:seq", route, "chunk"]
        );
        let kinds: Vec<SpanKind> = line.iter().map(|span| span.kind()).collect();
        assert_eq!(kinds, [SpanKind::Client, SpanKind::Server, SpanKind::Client, SpanKind::Internal]);
        assert!(line.iter().all(|span| span.trace_id == object.trace_id));
        for pair in line.windows(2) {
            assert!(pair[1].start_time_unix_nano <= pair[0].start_time_unix_nano, "{names:?}");
        }
        let chunk = line[3];
        assert!(chunk.parent_span_id.is_empty());
        assert_eq!(text(&chunk.attributes, "live_recorder.stream"), Some("traced.example.com/live/x"));
        // Frames of a chunk come over seconds, before it is sent.
        let receive =
            spans.iter().find(|span| span.parent_span_id == chunk.span_id && span.name == "receive").unwrap();
        let took = Duration::from_nanos(receive.end_time_unix_nano - receive.start_time_unix_nano);
        assert!(took >= Duration::from_secs(1), "{took:?}");
        assert_eq!(receive.start_time_unix_nano, chunk.start_time_unix_nano);
        assert!(receive.end_time_unix_nano <= line[2].start_time_unix_nano);
    }
    let received = collector.received();
    assert!(received.iter().all(|post| post.target == "/v1/traces" && post.header("x-key") == Some("abc")));
    let texts = received.iter().map(|post| post.body.as_str()).collect::<String>();
    for (of, is_there) in [
        ("live-recorder", true),
        ("deployment.environment.name", true),
        (SECRET, false),
        ("Signature=", false),
    ] {
        assert_eq!(texts.contains(of), is_there, "{of}");
    }
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
