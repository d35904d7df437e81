//! One request, one answer, by WASI's HTTP client.
//!
//! The body is handed on as the stream that it came as: not one byte of it passes through this component.

use s3::{Bucket, Request};
use spin_sdk::wasip3::http::{client, types};
use spin_sdk::wasip3::{wit_bindgen, wit_future};
use spin_sdk::wit_bindgen::StreamReader;

use crate::bindings::exports::recorder::bucket::objects::Error;

/// How long a bucket may take to be reached, to take a request with its body and begin its answer, and between
/// parts of its answer, in seconds.
const CONNECT_S: u64 = 5;
const FIRST_BYTE_S: u64 = 60;
const BETWEEN_BYTES_S: u64 = 20;

/// What a bucket answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, Vec<u8>)>,
    /// The body's first bytes, up to the limit given.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }
}

pub(crate) async fn send(
    bucket: &Bucket,
    request: Request,
    body: Option<StreamReader<u8>>,
    max_bytes: u32,
) -> Result<Answer, Error> {
    let headers = request
        .headers
        .into_iter()
        .map(|header| (header.name.to_owned(), header.value.into_bytes()))
        .collect::<Vec<_>>();
    let headers = types::Fields::from_list(&headers)
        .map_err(|error| Error::Invalid(format!("request headers: {error:?}")))?;
    let method = match request.method {
        "PUT" => types::Method::Put,
        "HEAD" => types::Method::Head,
        _ => types::Method::Get,
    };
    let scheme = if bucket.https() { types::Scheme::Https } else { types::Scheme::Http };
    let (_, no_trailers) = wit_future::new(|| Ok(None));
    let options = types::RequestOptions::new();
    let seconds = |count: u64| Some(count * 1_000_000_000);
    let bounded = options
        .set_connect_timeout(seconds(CONNECT_S))
        .and_then(|()| options.set_first_byte_timeout(seconds(FIRST_BYTE_S)))
        .and_then(|()| options.set_between_bytes_timeout(seconds(BETWEEN_BYTES_S)));
    bounded.map_err(|error| Error::Invalid(format!("request options: {error:?}")))?;
    let (outgoing, _sent) = types::Request::new(headers, body, no_trailers, Some(options));
    let prepared = outgoing
        .set_method(&method)
        .and_then(|()| outgoing.set_scheme(Some(&scheme)))
        .and_then(|()| outgoing.set_authority(Some(bucket.authority())))
        .and_then(|()| outgoing.set_path_with_query(Some(&request.path)));
    prepared
        .map_err(|()| Error::Invalid(format!("{} {}{}", request.method, bucket.authority(), request.path)))?;

    let unreachable =
        |error: types::ErrorCode| Error::Unavailable(format!("{}: {error}", bucket.authority()));
    let response = client::send(outgoing).await.map_err(unreachable)?;
    let status = response.get_status_code();
    let headers = response.get_headers().copy_all();
    let (_, received) = wit_future::new(|| Ok(()));
    let (stream, end) = types::Response::consume_body(response, received);
    let body = read(stream, max_bytes as usize).await?;
    if body.len() < max_bytes as usize {
        end.await.map_err(unreachable)?;
    }
    Ok(Answer { status, headers, body })
}

/// Reads a body up to a limit, and leaves the rest.
async fn read(mut stream: StreamReader<u8>, limit: usize) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    loop {
        let room = (limit - body.len()).min(64 << 10);
        if room == 0 {
            return Ok(body);
        }
        let (status, mut bytes) = stream.read(Vec::with_capacity(room)).await;
        body.append(&mut bytes);
        if matches!(status, wit_bindgen::StreamResult::Dropped) {
            return Ok(body);
        }
    }
}
