//! Traces, sent by OTLP over HTTP to the collector that the environment names.
//!
//! The variables are those of the [specification](https://opentelemetry.io/docs/specs/otel/protocol/exporter/). Where
//! none names a collector, nothing is traced. A collector that is slow or away costs spans, and never media: spans wait
//! in a queue of bounded length, which a thread of its own empties.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry::{Key, KeyValue, Value, global};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;

/// What the spans are said to be of, unless the environment says it.
const SERVICE: &str = "live-recorder";

/// How long the last spans may take at the end.
const AT_THE_END: Duration = Duration::from_secs(2);

/// Longest answer of a collector that is read.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// How long a collector may take for an answer, whatever the environment allows: no request of it is left behind.
const LONGEST: Duration = Duration::from_secs(30);

/// The spans of this process, while it runs.
pub(crate) struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Begins to trace, where the environment asks for it. `runtime`: sends the spans.
    ///
    /// # Errors
    /// A variable has a value that is none, or asks for what is not spoken here.
    pub(crate) fn start(runtime: &Handle) -> Result<Self> {
        if !is_wanted(&variable)? {
            return Ok(Self(None));
        }
        let certificates = ["OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"];
        let ca_file = certificates.into_iter().find_map(variable).map(PathBuf::from);
        let tls = gateway::trust::client_config(ca_file.as_deref())?;
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Collector { client, runtime: runtime.clone() })
            .with_protocol(Protocol::HttpBinary)
            .build()
            .context("while reading OTEL_EXPORTER_OTLP_…")?;
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource()).build();
        global::set_text_map_propagator(TraceContextPropagator::new());
        global::set_tracer_provider(provider.clone());
        Ok(Self(Some(provider)))
    }

    /// Sends what there is, as far as the collector takes it soon.
    pub(crate) fn stop(self) {
        if let Some(Err(error)) = self.0.map(|provider| provider.shutdown_with_timeout(AT_THE_END)) {
            tracing::warn!("the last spans were perhaps not sent: {error}");
        }
    }
}

/// A variable of the environment; one that is set to nothing is not set.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether there is a collector that is to be told.
fn is_wanted(variable: &impl Fn(&str) -> Option<String>) -> Result<bool> {
    let endpoints = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
    if variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        || endpoints.iter().all(|name| variable(name).is_none())
    {
        return Ok(false);
    }
    match variable("OTEL_TRACES_EXPORTER").as_deref() {
        None | Some("otlp") => {}
        Some("none") => return Ok(false),
        Some(other) => bail!("OTEL_TRACES_EXPORTER: {other:?} is not here; otlp and none are"),
    }
    for name in ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"] {
        match variable(name).as_deref() {
            None => {}
            Some("http/protobuf") => break,
            Some(other) => bail!("{name}: {other:?} is not spoken here; http/protobuf is"),
        }
    }
    Ok(true)
}

/// What the environment says of this process, with a name.
fn resource() -> Resource {
    let resource = Resource::builder().build();
    let name = resource.get(&Key::from_static_str("service.name"));
    let is_named = name.is_some_and(
        |name| !matches!(name, Value::String(name) if name.as_str().starts_with("unknown_service")),
    );
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let builder = Resource::builder().with_attribute(version);
    if is_named { builder.build() } else { builder.with_service_name(SERVICE).build() }
}

/// The way to the collector.
struct Collector {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// The thread that sends spans is none of it.
    runtime: Handle,
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Collector")
    }
}

#[async_trait::async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        // Without a user, whose word it may hold.
        let host = request.uri().host().unwrap_or_default().to_owned();
        let client = self.client.clone();
        let answer = async move {
            let (head, body) = client.request(request.map(Full::new)).await?.into_parts();
            let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await?.to_bytes();
            Ok(Response::from_parts(head, body))
        };
        let answer = self.runtime.spawn(async { tokio::time::timeout(LONGEST, answer).await }).await?;
        let answer = answer.unwrap_or_else(|_| Err(format!("no answer within {LONGEST:?}").into()));
        match &answer {
            Ok(answer) if answer.status().is_success() => {}
            Ok(answer) => tracing::warn!("spans were not taken by {host}: {}", answer.status()),
            Err(error) => tracing::warn!("spans cannot be sent to {host}: {error}"),
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(set: &[(&str, &str)]) -> Result<bool> {
        is_wanted(&|name| set.iter().find(|(of, _)| *of == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn a_collector_has_to_be_named() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
        let traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:4318/v1/traces");
        for (set, is_wanted) in [
            (&[][..], false),
            (&[("OTEL_TRACES_EXPORTER", "otlp")], false),
            (&[endpoint], true),
            (&[traces], true),
            (&[endpoint, ("OTEL_TRACES_EXPORTER", "none")], false),
            (&[endpoint, ("OTEL_SDK_DISABLED", "TRUE")], false),
            (&[endpoint, ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")], true),
        ] {
            assert_eq!(wanted(set).unwrap(), is_wanted, "{set:?}");
        }
    }

    #[test]
    fn what_is_not_spoken_is_refused() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
        let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
        let error = wanted(&[endpoint, grpc]).unwrap_err().to_string();
        assert_eq!(error, "OTEL_EXPORTER_OTLP_PROTOCOL: \"grpc\" is not spoken here; http/protobuf is");
        assert!(wanted(&[endpoint, ("OTEL_TRACES_EXPORTER", "zipkin")]).is_err());
        // What is said of traces comes before what is said of all.
        let traces = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf");
        assert!(wanted(&[endpoint, grpc, traces]).unwrap());
    }
}
