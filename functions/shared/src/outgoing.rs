//! Calls of servers that users named, by WASI's HTTP client.

use std::fmt::Display;
use std::time::Duration;

use http::header::CONTENT_LENGTH;
use http::{Request, Response};
use spin_sdk::wasip3::clocks::monotonic_clock;
use spin_sdk::wasip3::http::{client, types};
use spin_sdk::wasip3::{wit_bindgen, wit_future, wit_stream};
use spin_sdk::wit_bindgen::StreamReader;

use crate::{CALLBACK_MS, Host, Receivers, Unanswered};

/// A body that pauses for so long is given up. Less than an answer may take in all, so that the last try of a question ends
/// before whoever waits for it gives up. Unit: ms.
const BETWEEN_BYTES_MS: u64 = 4_000;

/// How much is taken of a body that nobody reads. Unit: bytes.
const MAX_UNREAD_BYTES: usize = 1_024;

impl Receivers for Host {
    async fn call(
        &self,
        request: Request<Vec<u8>>,
        max_bytes: usize,
    ) -> Result<Response<Vec<u8>>, Unanswered> {
        let began_ns = monotonic_clock::now();
        let outgoing = outgoing(request)?;
        let response = client::send(outgoing).await.map_err(unanswered)?;
        let status = response.get_status_code();
        let (_, received) = wit_future::new(|| Ok(()));
        let (stream, end) = types::Response::consume_body(response, received);
        let is_late = || monotonic_clock::now() - began_ns > CALLBACK_MS * 1_000_000;
        let limit = if max_bytes > 0 { max_bytes } else { MAX_UNREAD_BYTES };
        let mut body = read(stream, limit, is_late).await;
        if body.as_ref().is_ok_and(|body| body.len() < limit)
            && let Err(error) = end.await
        {
            body = Err(unanswered(error));
        }
        let body = if max_bytes > 0 { body? } else { Vec::new() };
        let mut response = Response::new(body);
        *response.status_mut() = status.try_into().map_err(|_| failed("the answer's status is none"))?;
        Ok(response)
    }

    async fn pause(&self, ms: u64) {
        monotonic_clock::wait_for(Duration::from_millis(ms).as_nanos() as u64).await;
    }
}

/// Reads a body up to a limit, and leaves the rest.
async fn read(
    mut stream: StreamReader<u8>,
    limit: usize,
    is_late: impl Fn() -> bool,
) -> Result<Vec<u8>, Unanswered> {
    let mut body = Vec::new();
    while body.len() < limit {
        let (status, mut bytes) = stream.read(Vec::with_capacity(limit - body.len())).await;
        body.append(&mut bytes);
        if matches!(status, wit_bindgen::StreamResult::Dropped) {
            break;
        }
        if is_late() {
            return Err(failed("no whole answer in time"));
        }
    }
    Ok(body)
}

fn outgoing(request: Request<Vec<u8>>) -> Result<types::Request, Unanswered> {
    let (parts, bytes) = request.into_parts();
    let headers = parts.headers.iter();
    let mut headers: Vec<_> =
        headers.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    if !bytes.is_empty() {
        // Without it the body goes out in chunks, which not every small server reads.
        headers.push((CONTENT_LENGTH.as_str().to_owned(), bytes.len().to_string().into_bytes()));
    }
    let headers =
        types::Fields::from_list(&headers).map_err(|_| failed("the host refuses the request's headers"))?;
    let body = (!bytes.is_empty()).then(|| {
        let (mut writer, reader) = wit_stream::new();
        wit_bindgen::spawn(async move {
            writer.write_all(bytes).await;
        });
        reader
    });
    let (_, no_trailers) = wit_future::new(|| Ok(None));
    let (outgoing, _sent) = types::Request::new(headers, body, no_trailers, Some(timeouts()?));
    let method = match parts.method {
        http::Method::POST => types::Method::Post,
        _ => types::Method::Get,
    };
    let is_https = parts.uri.scheme_str() == Some("https");
    let scheme = if is_https { types::Scheme::Https } else { types::Scheme::Http };
    outgoing
        .set_method(&method)
        .and_then(|()| outgoing.set_scheme(Some(&scheme)))
        .and_then(|()| outgoing.set_authority(parts.uri.authority().map(http::uri::Authority::as_str)))
        .and_then(|()| {
            outgoing.set_path_with_query(parts.uri.path_and_query().map(http::uri::PathAndQuery::as_str))
        })
        .map_err(|()| failed("the host refuses the request's address"))?;
    Ok(outgoing)
}

fn timeouts() -> Result<types::RequestOptions, Unanswered> {
    let options = types::RequestOptions::new();
    let ms = |count: u64| Some(count * 1_000_000);
    options
        .set_connect_timeout(ms(CALLBACK_MS))
        .and_then(|()| options.set_first_byte_timeout(ms(CALLBACK_MS)))
        .and_then(|()| options.set_between_bytes_timeout(ms(BETWEEN_BYTES_MS)))
        .map_err(|_| failed("the host takes no timeouts"))?;
    Ok(options)
}

fn failed(reason: impl Display) -> Unanswered {
    Unanswered { reason: reason.to_string(), is_final: false }
}

/// What kept a request from being answered, in words: WASI names it by a code.
fn unanswered(error: types::ErrorCode) -> Unanswered {
    use types::ErrorCode as Code;
    let (reason, is_final) = match error {
        Code::HttpRequestDenied => {
            ("its host is not among those that the variable callback_hosts allows", true)
        }
        Code::DestinationIpProhibited => {
            ("its address is not on the public internet, and variable private_callbacks is not true", true)
        }
        Code::DnsTimeout | Code::DnsError(_) | Code::DestinationNotFound => {
            ("the host name is not found", false)
        }
        Code::DestinationIpUnroutable | Code::DestinationUnavailable => ("the host cannot be reached", false),
        Code::ConnectionRefused => ("the connection is refused", false),
        Code::ConnectionTerminated => ("the connection was closed", false),
        Code::ConnectionTimeout
        | Code::ConnectionReadTimeout
        | Code::ConnectionWriteTimeout
        | Code::HttpResponseTimeout => ("no answer in time", false),
        Code::TlsProtocolError | Code::TlsCertificateError | Code::TlsAlertReceived(_) => {
            ("TLS could not be set up", false)
        }
        Code::HttpResponseIncomplete => ("the answer was cut off", false),
        _ => ("the HTTP request failed", false),
    };
    Unanswered { reason: reason.into(), is_final }
}
