//! One request, one answer, by WASI's HTTP client.
//!
//! The body is handed on as the stream that the caller gave: no byte of it passes through this component.

use s3::{Bucket, Error, Request, Response, Transport};
use spin_sdk::wasip3::http::{client, types};
use spin_sdk::wasip3::{wit_bindgen, wit_future, wit_stream};
use spin_sdk::wit_bindgen::StreamReader;

/// How long connecting to a bucket may take, in seconds.
const CONNECT_S: u64 = 5;

/// How long a bucket may pause within its answer, in seconds.
const BETWEEN_BYTES_S: u64 = 20;

/// WASI's HTTP client.
#[derive(Debug)]
pub struct Wasi;

impl Transport for Wasi {
    type Body = StreamReader<u8>;

    fn body(&self, bytes: Vec<u8>) -> StreamReader<u8> {
        let (mut writer, reader) = wit_stream::new();
        wit_bindgen::spawn(async move {
            writer.write_all(bytes).await;
        });
        reader
    }

    async fn read(&self, body: StreamReader<u8>, max_bytes: u64) -> Vec<u8> {
        read(body, usize::try_from(max_bytes).unwrap_or(usize::MAX)).await
    }

    async fn send(
        &self,
        bucket: &Bucket,
        request: Request,
        body: Option<StreamReader<u8>>,
        max_bytes: u32,
    ) -> Result<Response, Error> {
        let unreachable = |error| unavailable(bucket, explain(error));
        let outgoing = outgoing(bucket, request, body)?;
        let response = client::send(outgoing).await.map_err(unreachable)?;
        let status = response.get_status_code();
        let headers = response.get_headers().copy_all();
        let (_, received) = wit_future::new(|| Ok(()));
        let (stream, end) = types::Response::consume_body(response, received);
        let body = read(stream, max_bytes as usize).await;
        if body.len() < max_bytes as usize {
            end.await.map_err(unreachable)?;
        }
        Ok(Response { status, headers, body })
    }
}

fn outgoing(
    bucket: &Bucket,
    request: Request,
    body: Option<StreamReader<u8>>,
) -> Result<types::Request, Error> {
    let (target, first_byte_s) = (request.target(), request.patience_s());
    let mut headers: Vec<_> = request
        .headers
        .into_iter()
        .map(|header| (header.name.to_owned(), header.value.into_bytes()))
        .collect();
    // Hosts send a DELETE of which nobody says so with a body of unknown length, which stores refuse.
    if request.method == "DELETE" {
        headers.push(("content-length".into(), b"0".into()));
    }
    let headers = types::Fields::from_list(&headers)
        .map_err(|_| unavailable(bucket, "the host refuses the request's headers"))?;
    let (_, no_trailers) = wit_future::new(|| Ok(None));
    let (outgoing, _sent) =
        types::Request::new(headers, body, no_trailers, Some(timeouts(bucket, first_byte_s)?));
    let method = match request.method {
        "PUT" => types::Method::Put,
        "HEAD" => types::Method::Head,
        "POST" => types::Method::Post,
        "DELETE" => types::Method::Delete,
        _ => types::Method::Get,
    };
    let scheme = if bucket.https() { types::Scheme::Https } else { types::Scheme::Http };
    outgoing
        .set_method(&method)
        .and_then(|()| outgoing.set_scheme(Some(&scheme)))
        .and_then(|()| outgoing.set_authority(Some(bucket.authority())))
        .and_then(|()| outgoing.set_path_with_query(Some(&target)))
        .map_err(|()| unavailable(bucket, "the host refuses the request's address"))?;
    Ok(outgoing)
}

fn timeouts(bucket: &Bucket, first_byte_s: u64) -> Result<types::RequestOptions, Error> {
    let options = types::RequestOptions::new();
    let seconds = |count: u64| Some(count * 1_000_000_000);
    options
        .set_connect_timeout(seconds(CONNECT_S))
        .and_then(|()| options.set_first_byte_timeout(seconds(first_byte_s)))
        .and_then(|()| options.set_between_bytes_timeout(seconds(BETWEEN_BYTES_S)))
        .map_err(|_| unavailable(bucket, "the host takes no timeouts"))?;
    Ok(options)
}

/// Reads a body up to a limit, and leaves the rest.
pub async fn read(mut stream: StreamReader<u8>, limit: usize) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let room = (limit - body.len()).min(64 << 10);
        if room == 0 {
            return body;
        }
        let (status, mut bytes) = stream.read(Vec::with_capacity(room)).await;
        body.append(&mut bytes);
        if matches!(status, wit_bindgen::StreamResult::Dropped) {
            return body;
        }
    }
}

fn unavailable(bucket: &Bucket, reason: impl std::fmt::Display) -> Error {
    Error::Unavailable { reason: format!("{}: {reason}", bucket.authority()) }
}

/// What kept a request from being answered, in words: WASI names it by a code.
fn explain(error: types::ErrorCode) -> String {
    use types::ErrorCode as Code;
    let words = match error {
        Code::InternalError(Some(text)) => return text,
        Code::DnsTimeout | Code::DnsError(_) | Code::DestinationNotFound => "the host name is not found",
        Code::DestinationIpProhibited | Code::HttpRequestDenied => {
            "the host is not among those that the variable bucket_hosts allows"
        }
        Code::DestinationIpUnroutable | Code::DestinationUnavailable => "the host cannot be reached",
        Code::ConnectionRefused => "the connection is refused",
        Code::ConnectionTerminated => "the connection was closed",
        Code::ConnectionTimeout => "no connection in time",
        Code::ConnectionReadTimeout | Code::ConnectionWriteTimeout | Code::HttpResponseTimeout => {
            "no answer in time"
        }
        Code::TlsProtocolError | Code::TlsCertificateError | Code::TlsAlertReceived(_) => {
            "TLS could not be set up"
        }
        Code::HttpResponseIncomplete => "the answer was cut off",
        _ => "the HTTP request failed",
    };
    words.into()
}
