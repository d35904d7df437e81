//! The HTTP server in front of the functions: requests as Spin hands them to a guest.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::host::Host;
use crate::metrics::{Served, of_status};
use crate::running::engine::EpochTicker;
use crate::serving::routing::RouteMatch;
use crate::traces::ServedTrace;
use http_server::{BodyError, Drained, Places, serve_connections};

/// Longest head of a request that reaches a guest: names and values together, in bytes.
const MAX_HEADER_BYTES: usize = 64 << 10;

/// Routes that Spin answers itself begin so.
const WELL_KNOWN: &str = "/.well-known/spin/";

impl Host {
    /// Answers what arrives at `listener` until `stop` is cancelled and the running requests have ended,
    /// or have had their time.
    ///
    /// # Errors
    ///
    /// When the address of `listener` cannot be read.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, stop: CancellationToken) -> Result<()> {
        // Before anything is served, so that a request of the application to itself finds it.
        _ = self.own_address.set(listener.local_addr()?);
        let _ticker = EpochTicker::start(&self.engine)?;
        let service = move |client: SocketAddr| {
            let host = self.clone();
            service_fn(move |request: Request<Drained>| {
                let host = host.clone();
                async move {
                    let request = request.map(|body| body.map_err(unread).boxed_unsync());
                    Ok::<_, Infallible>(host.handle(request, client).await)
                }
            })
        };
        serve_connections(Places::BRISK, listener, service, stop).await;
        Ok(())
    }

    /// Answers one request of `client`.
    pub async fn handle(&self, mut request: Request<WasiBody>, client: SocketAddr) -> Response<WasiBody> {
        let path = request.uri().path().to_owned();
        if let Some(well_known) = path.strip_prefix(WELL_KNOWN) {
            return match well_known {
                "health" => match self.health() {
                    Ok(()) => plain(StatusCode::OK, "OK"),
                    Err(_) => plain(StatusCode::SERVICE_UNAVAILABLE, "the key-value store fails"),
                },
                _ => plain(StatusCode::NOT_FOUND, ""),
            };
        }
        let Some(route) = self.router.route(&path) else { return plain(StatusCode::NOT_FOUND, "") };
        let head: usize =
            request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if head > MAX_HEADER_BYTES {
            return plain(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "");
        }
        if let Err(error) = prepare(&mut request, &route, client) {
            tracing::info!(path, "a request was refused: {error:#}");
            return plain(StatusCode::BAD_REQUEST, "");
        }
        let function = &self.functions[route.component];
        let running = self.metrics.of(route.component).served.begin(Served::Gone);
        let trace = ServedTrace::begin(&request, route.raw_route, route.component);
        match function.handle(request, trace.caller()).await {
            Ok(response) => {
                running.end(of_status(response.status()));
                trace.answered(response.status());
                response
            }
            Err(error) => {
                running.end(Served::Trap);
                trace.trapped();
                tracing::error!(component = route.component, path, "a request failed: {error:?}");
                plain(StatusCode::INTERNAL_SERVER_ERROR, "")
            }
        }
    }
}

/// Why no more of a body can be read, as a guest is told.
fn unread(error: BodyError) -> Error {
    match error {
        BodyError::Stalled(_) => Error::ConnectionReadTimeout,
        BodyError::Connection(error) => error.into(),
    }
}

fn plain(status: StatusCode, body: &'static str) -> Response<WasiBody> {
    let body = Full::new(Bytes::from_static(body.as_bytes())).map_err(|never| match never {});
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = status;
    response
}

/// Makes the URI absolute and adds Spin's headers.
fn prepare(request: &mut Request<WasiBody>, route: &RouteMatch<'_>, client: SocketAddr) -> Result<()> {
    let uri = absolute(request.uri(), request.headers())?;
    let headers = request.headers_mut();
    // Of the connection, not of the message: a guest that forwards the request must not forward this.
    headers.remove(CONNECTION);
    bound_length(headers);

    let mut set = |name: &str, value: &str| -> Result<()> {
        headers.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
        Ok(())
    };
    set("spin-path-info", &route.path_info)?;
    set("spin-full-url", &uri.to_string())?;
    set("spin-matched-route", route.matched_route)?;
    set("spin-base-path", "/")?;
    set("spin-raw-component-route", route.raw_route)?;
    set("spin-component-route", route.route_prefix())?;
    set("spin-client-addr", &client.to_string())?;
    for (name, value) in &route.segments {
        let name = format!("spin-path-match-{}", name.to_ascii_lowercase().replace('_', "-"));
        set(&name, value)?;
    }
    *request.uri_mut() = uri;
    Ok(())
}

/// Bounds the length that a body is said to have by what guests can read: Spin's SDK takes it for a signed number, and
/// fails in place of a guest that would say that it is too long. No body is so long.
fn bound_length(headers: &mut HeaderMap) {
    let said = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if said.is_some_and(|said| i64::try_from(said).is_err()) {
        headers.insert(CONTENT_LENGTH, i64::MAX.into());
    }
}

/// The authority that a `Host` header names. Some clients put a whole URL there, and sign it so: the header
/// itself stays as it came.
fn authority(host: &str) -> Result<Authority> {
    let named = host.split_once("://").map_or(host, |(_, rest)| rest);
    named.parse().context("the host header is not an authority")
}

/// The URI with the authority of the `Host` header; path and query stay as they are on the wire.
fn absolute(uri: &Uri, headers: &HeaderMap) -> Result<Uri> {
    let header = match headers.get(HOST) {
        Some(value) => Some(authority(value.to_str()?)?),
        None => None,
    };
    let mut parts = uri.clone().into_parts();
    let authority = match (header, parts.authority.take()) {
        (None, None) => bail!("there is no host header"),
        (Some(header), Some(uri)) if header != uri => bail!("the host header and the URI disagree"),
        (Some(authority), _) | (None, Some(authority)) => authority,
    };
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority);
    Ok(Uri::from_parts(parts)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_that_no_guest_can_read_is_the_longest_that_it_can() {
        let longest = i64::MAX.to_string();
        for (said, read) in
            [("5", "5"), (&*longest, &*longest), ("9999999999999999999", &longest), ("x", "x")]
        {
            let mut headers = HeaderMap::from_iter([(CONTENT_LENGTH, said.parse().unwrap())]);
            bound_length(&mut headers);
            assert_eq!(headers[CONTENT_LENGTH], read, "{said}");
        }
    }

    #[test]
    fn a_host_header_may_be_a_whole_url() {
        for host in ["127.0.0.1:3000", "http://127.0.0.1:3000", "https://127.0.0.1:3000"] {
            let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]);
            let uri = absolute(&Uri::from_static("/a%2Fb?c"), &headers).unwrap();
            assert_eq!(uri.to_string(), "http://127.0.0.1:3000/a%2Fb?c", "{host}");
        }
        assert!(absolute(&Uri::from_static("/"), &HeaderMap::new()).is_err());
    }
}
