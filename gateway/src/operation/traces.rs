//! Traces: a chunk from its first frame to the functions' answer, and each call of the functions.
//!
//! The program that runs a gateway says where spans go. Where it does not, they are empty and cost next to nothing.

use std::time::SystemTime;

use http::{HeaderMap, StatusCode, Uri};
use opentelemetry::{
    Context, KeyValue,
    global::{self, BoxedSpan},
    trace::{Span, SpanKind, Status, TraceContextExt, Tracer},
};
use opentelemetry_http::HeaderInjector;
use protocol::{ChunkPath, Route};
use tokio::time::Instant;

/// The instrumentation scope of these spans.
const SCOPE: &str = "live-recorder.gateway";

/// A chunk on its way to the functions; the span ends with it.
#[derive(Debug)]
pub(crate) struct ChunkTrace(BoxedSpan);

impl ChunkTrace {
    /// `frames`: when the chunk's first and its last frame came.
    pub(crate) fn begin(path: &ChunkPath, bytes: u64, frames: Option<(Instant, Instant)>) -> Self {
        let tracer = global::tracer(SCOPE);
        let now = SystemTime::now();
        let frames = frames.map(|(first, last)| (time_of(first, now), time_of(last, now)));
        let (first, last) = frames.unwrap_or((now, now));
        let builder = tracer.span_builder("chunk").with_start_time(first);
        let mut chunk = Self(builder.start_with_context(&tracer, &Context::new()));
        if chunk.0.is_recording() {
            let stream = &path.session.stream;
            chunk.0.set_attributes([
                KeyValue::new("live_recorder.stream", stream.to_string()),
                KeyValue::new("live_recorder.session", path.session.session.clone()),
                KeyValue::new("live_recorder.chunk.seq", number(path.seq)),
                KeyValue::new("live_recorder.chunk.bytes", number(bytes)),
            ]);
            for (name, begin, end) in [("receive", first, last), ("wait", last, now)] {
                let builder = tracer.span_builder(name).with_start_time(begin);
                builder.start_with_context(&tracer, &chunk.context()).end_with_timestamp(end);
            }
        }
        chunk
    }

    /// What the calls for this chunk are part of.
    pub(crate) fn context(&self) -> Context {
        within(&self.0)
    }

    /// The functions have the chunk.
    pub(crate) fn acknowledged(mut self) {
        self.0.set_status(Status::Ok);
    }

    /// The functions will not have the chunk.
    pub(crate) fn lost(mut self, why: &'static str) {
        self.0.set_status(Status::error(why));
    }
}

/// A call of the functions.
#[derive(Debug)]
pub(crate) struct CallTrace(BoxedSpan);

impl CallTrace {
    pub(crate) fn begin(route: &Route, part_of: &Context) -> Self {
        let tracer = global::tracer(SCOPE);
        let (method, template) = (route.method(), route.template());
        let builder = tracer.span_builder(format!("{method} {template}")).with_kind(SpanKind::Client);
        let mut span = builder.start_with_context(&tracer, part_of);
        if span.is_recording() {
            span.set_attributes([
                KeyValue::new("http.request.method", method.to_string()),
                KeyValue::new("url.template", template),
            ]);
        }
        Self(span)
    }

    /// Has the functions' host make its own spans part of this one: [Trace Context](https://www.w3.org/TR/trace-context/),
    /// `traceparent`.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        global::get_text_map_propagator(|propagator| {
            propagator.inject_context(&within(&self.0), &mut HeaderInjector(headers));
        });
    }

    /// Where it is sent.
    pub(crate) fn sent_to(&mut self, uri: &Uri) {
        if self.0.is_recording() {
            self.0.set_attribute(KeyValue::new("server.address", uri.host().unwrap_or_default().to_owned()));
            self.0.set_attribute(KeyValue::new("url.path", uri.path().to_owned()));
        }
    }

    /// It is answered, by whoever it was.
    pub(crate) fn answered(&mut self, status: StatusCode) {
        self.0.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
    }

    /// It did not succeed. `why` is a name of the kind, of which there are few.
    pub(crate) fn failed(mut self, why: &'static str, error: String) {
        self.0.set_attribute(KeyValue::new("error.type", why));
        self.0.set_status(Status::error(error));
    }
}

/// What is part of a span.
fn within(span: &BoxedSpan) -> Context {
    Context::new().with_remote_span_context(span.span_context().clone())
}

/// The time of day of a moment before `now`.
fn time_of(at: Instant, now: SystemTime) -> SystemTime {
    now.checked_sub(at.elapsed()).unwrap_or(now)
}

/// Numbers of spans have signs.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
