//! Requests that guests send, once they are allowed: over TCP by default, elsewhere in a simulation.

mod idle_timeout;
mod resolver;

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use http_body_util::BodyExt;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use self::idle_timeout::IdleTimeout;
use self::resolver::{NotPublic, Resolver, is_private_address};
use crate::manifest::allowed_hosts::Reach;

/// Sends a request and answers the response, both with bodies that stream.
pub trait Outbound: Send + Sync + 'static {
    /// Sends `request`, whose URI is absolute, no further than `reach` says. Redirects are answers like any other.
    fn send(
        &self,
        request: http::Request<WasiBody>,
        options: RequestOptions,
        reach: Reach,
    ) -> BoxFuture<'static, Result<http::Response<WasiBody>, Error>>;
}

/// For a TCP connection. The addresses of a name share it, each in its turn.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The same where a guest wants an answer within [`SHORT_ANSWER`]: so a second address is tried in that time where nothing
/// answers at the first.
const SHORT_CONNECT_TIMEOUT: Duration = Duration::from_secs(4);

/// In so long the receivers of callbacks have to answer.
const SHORT_ANSWER: Duration = Duration::from_secs(5);

/// For what a guest sets no bound: as Spin, long enough for a large body on a slow line.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

/// How long an idle connection is kept for the next request.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(30);

type Connections = Client<HttpsConnector<HttpConnector<Resolver>>, WasiBody>;

/// HTTP/1.1 over TCP and TLS, with connections kept for reuse.
#[derive(Clone)]
pub struct HttpOutbound {
    any: Pools,
    /// Connects to public addresses alone, and shares no connection with the other.
    public: Pools,
}

impl Default for HttpOutbound {
    fn default() -> Self {
        Self { any: Pools::new(Reach::Any), public: Pools::new(Reach::Public) }
    }
}

/// Connections by how long one may take to be made.
#[derive(Clone)]
struct Pools {
    short: Connections,
    long: Connections,
}

impl Pools {
    fn new(reach: Reach) -> Self {
        Self { short: connections(reach, SHORT_CONNECT_TIMEOUT), long: connections(reach, CONNECT_TIMEOUT) }
    }

    fn of(&self, first_byte: Duration) -> &Connections {
        if first_byte <= SHORT_ANSWER { &self.short } else { &self.long }
    }
}

fn connections(reach: Reach, connect_timeout: Duration) -> Connections {
    let mut tcp = HttpConnector::new_with_resolver(Resolver::new(reach));
    tcp.enforce_http(false);
    // Without it, a small request waits for the acknowledgement of the one before.
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(connect_timeout));
    tcp.set_keepalive(Some(Duration::from_secs(60)));
    let connector =
        HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().wrap_connector(tcp);
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .build(connector)
}

impl Outbound for HttpOutbound {
    fn send(
        &self,
        request: http::Request<WasiBody>,
        options: RequestOptions,
        reach: Reach,
    ) -> BoxFuture<'static, Result<http::Response<WasiBody>, Error>> {
        let first_byte = options.first_byte_timeout.unwrap_or(DEFAULT_TIMEOUT);
        let response = match reach {
            Reach::Any => self.any.of(first_byte).request(request),
            Reach::Public if is_private_address(request.uri()) => {
                return std::future::ready(Err(Error::DestinationIpProhibited)).boxed();
            }
            Reach::Public => self.public.of(first_byte).request(request),
        };
        let between_bytes = options.between_bytes_timeout.unwrap_or(DEFAULT_TIMEOUT);
        async move {
            let response = tokio::time::timeout(first_byte, response)
                .await
                .map_err(|_| Error::ConnectionReadTimeout)?
                .map_err(|error| classify(&error))?;
            Ok(response.map(|body| IdleTimeout::new(body.map_err(Error::from), between_bytes).boxed_unsync()))
        }
        .boxed()
    }
}

/// The WASI error that says best why a request failed.
fn classify(error: &hyper_util::client::legacy::Error) -> Error {
    tracing::debug!(error = error as &dyn StdError, "an outbound request failed");
    let causes = || std::iter::successors(error.source(), |cause| (*cause).source());
    if let Some(tls) = causes().find_map(|cause| tls_error(cause)) {
        return match tls {
            rustls::Error::InvalidCertificate(_) => Error::TlsCertificateError,
            _ => Error::TlsProtocolError,
        };
    }
    if causes().any(|cause| cause.is::<NotPublic>()) {
        return Error::DestinationIpProhibited;
    }
    if error.is_connect() {
        // Name resolution fails with an I/O error of no kind; the connector says in words where it was.
        if causes().any(|cause| cause.to_string().starts_with("dns error")) {
            return Error::DnsError { rcode: Some("address not available".into()), info_code: None };
        }
        let kind = causes().find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
        return match kind {
            Some(io::ErrorKind::TimedOut) => Error::ConnectionTimeout,
            Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
                Error::DestinationIpUnroutable
            }
            _ => Error::ConnectionRefused,
        };
    }
    // The guest's own body failed, or ended before its declared length.
    for cause in causes() {
        if let Some(Error::HttpRequestBodySize(size)) = cause.downcast_ref::<Error>() {
            return Error::HttpRequestBodySize(*size);
        }
        if let Some(error) = cause.downcast_ref::<hyper::Error>()
            && (error.is_incomplete_message() || error.is_closed() || error.is_canceled())
        {
            return Error::ConnectionTerminated;
        }
        if cause.downcast_ref::<io::Error>().is_some() {
            return Error::ConnectionTerminated;
        }
    }
    Error::HttpProtocolError
}

fn tls_error<'a>(cause: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    cause.downcast_ref().or_else(|| cause.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref())
}
