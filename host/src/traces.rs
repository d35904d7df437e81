//! Traces of requests: those that functions answer, and those that they send meanwhile.
//!
//! The program that runs a host says where spans go. Where it does not, they are empty and cost next to nothing.

use std::collections::HashMap;

use exposition::Label;
use http::{Method, Request, StatusCode, Uri};
use opentelemetry::global::{self, BoxedSpan};
use opentelemetry::trace::{Span, SpanContext, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::HeaderExtractor;
use wasmtime::StoreContextMut;
use wasmtime::component::GuestTaskId;

use crate::metrics::{Sent, To};

/// The instrumentation scope of these spans.
const SCOPE: &str = "live-recorder.host";

/// A request that a function answers.
pub(crate) struct ServedTrace(BoxedSpan);

impl ServedTrace {
    /// It is part of what the request's `traceparent` names, if it has one.
    pub(crate) fn begin<B>(request: &Request<B>, route: &str, component: &str) -> Self {
        let headers = HeaderExtractor(request.headers());
        let part_of = global::get_text_map_propagator(|propagator| propagator.extract(&headers));
        let tracer = global::tracer(SCOPE);
        let method = request.method();
        let builder = tracer.span_builder(format!("{method} {route}")).with_kind(SpanKind::Server);
        let mut span = builder.start_with_context(&tracer, &part_of);
        if span.is_recording() {
            span.set_attributes([
                KeyValue::new("http.request.method", method.to_string()),
                KeyValue::new("http.route", route.to_owned()),
                // Without a query, which may sign for somebody.
                KeyValue::new("url.path", request.uri().path().to_owned()),
                KeyValue::new("live_recorder.function", component.to_owned()),
            ]);
        }
        Self(span)
    }

    /// What is sent meanwhile is part of this; nothing where it is not sampled.
    pub(crate) fn caller(&self) -> Option<SpanContext> {
        let context = self.0.span_context();
        context.is_sampled().then(|| context.clone())
    }

    pub(crate) fn answered(mut self, status: StatusCode) {
        set_status(&mut self.0, status, status.is_server_error());
    }

    /// The instance trapped, or was out of time.
    pub(crate) fn trapped(mut self) {
        self.0.set_attribute(KeyValue::new("error.type", "trap"));
        self.0.set_status(Status::error("the function trapped, or was out of time"));
    }
}

/// Which requests the tasks of an instance answer, as far as they are traced.
#[derive(Default)]
pub(crate) struct Callers(HashMap<GuestTaskId, SpanContext>);

impl Callers {
    pub(crate) fn insert(&mut self, task: GuestTaskId, caller: Option<SpanContext>) {
        match caller {
            Some(caller) => self.0.insert(task, caller),
            // The id may have been another task's.
            None => self.0.remove(&task),
        };
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The request for which the host is being called. `callers`: those of the instance.
pub(crate) fn caller<T: 'static>(
    store: &mut StoreContextMut<'_, T>,
    callers: impl FnOnce(&mut T) -> &Callers,
) -> Option<SpanContext> {
    // A library component is called by a task of its own, which may have the id of a request that is over. The outermost
    // task is the function's.
    let task = store.async_call_stack().ok()?.last()?;
    callers(store.data_mut()).0.get(&task).cloned()
}

/// A request that a function sends.
pub(crate) struct SentTrace(Option<BoxedSpan>);

impl SentTrace {
    /// There is a span only within one that is sampled.
    pub(crate) fn begin(caller: Option<SpanContext>, method: &Method, uri: &Uri, to: To) -> Self {
        Self(caller.map(|caller| {
            let tracer = global::tracer(SCOPE);
            let builder = tracer.span_builder(method.to_string()).with_kind(SpanKind::Client);
            let part_of = Context::new().with_remote_span_context(caller);
            let mut span = builder.start_with_context(&tracer, &part_of);
            span.set_attributes([
                KeyValue::new("http.request.method", method.to_string()),
                KeyValue::new("server.address", uri.host().unwrap_or_default().to_owned()),
                KeyValue::new("live_recorder.to", to.as_str()),
            ]);
            span.set_attributes(uri.port_u16().map(|port| KeyValue::new("server.port", i64::from(port))));
            // The path of a receiver may hold a secret, as those of chat services do; that of an object is its name.
            if !matches!(to, To::Receiver) {
                span.set_attribute(KeyValue::new("url.path", uri.path().to_owned()));
            }
            span
        }))
    }

    pub(crate) fn answered(self, status: StatusCode) {
        if let Self(Some(mut span)) = self {
            set_status(&mut span, status, status.is_client_error() || status.is_server_error());
        }
    }

    pub(crate) fn failed(self, why: Sent) {
        if let Self(Some(mut span)) = self {
            span.set_attribute(KeyValue::new("error.type", why.as_str()));
            span.set_status(Status::error(why.as_str()));
        }
    }
}

fn set_status(span: &mut BoxedSpan, status: StatusCode, is_error: bool) {
    span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
    if is_error {
        span.set_attribute(KeyValue::new("error.type", status.as_u16().to_string()));
        span.set_status(Status::error(status.as_str().to_owned()));
    }
}
