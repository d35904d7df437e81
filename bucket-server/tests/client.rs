//! A client that signs by Signature Version 4 with an unsigned payload.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use bucket_server::{BucketConfig, BucketServer, KeepFree, Room};
use bytes::Bytes;
use hmac::{Hmac, Mac};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use sha2::{Digest, Sha256};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

pub(crate) const ID: &str = "an-id";
pub(crate) const SECRET: &str = "a-secret";

/// `length` bytes that a shift or a swap does not leave alone.
pub(crate) fn pattern(length: usize) -> Bytes {
    (0..length).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect()
}

pub(crate) async fn serve(directory: &Path) -> SocketAddr {
    serve_keeping(directory, KeepFree::NOTHING).await.0
}

pub(crate) async fn serve_keeping(directory: &Path, keep_free: KeepFree) -> (SocketAddr, Arc<Room>) {
    let server = BucketServer::open(&BucketConfig {
        directory: directory.to_owned(),
        access_key_id: ID.into(),
        access_key_secret: SECRET.into(),
        buckets: vec!["bucket".into()],
        public_read: false,
        keep_free,
    })
    .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let room = server.room();
    tokio::spawn(server.serve(listener, CancellationToken::new()));
    (address, room)
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

fn hmac(key: &[u8], message: &str) -> Vec<u8> {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    hmac.update(message.as_bytes());
    hmac.finalize().into_bytes().to_vec()
}

/// The day, and the time.
fn now() -> (String, String) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let time = chrono::DateTime::from_timestamp(now.try_into().unwrap(), 0).unwrap();
    (time.format("%Y%m%d").to_string(), time.format("%Y%m%dT%H%M%SZ").to_string())
}

/// The scope and the signature of a canonical request.
fn signature(canonical: &str, (date, time): (&str, &str), secret: &str) -> (String, String) {
    let scope = format!("{date}/us-east-1/s3/aws4_request");
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(Sha256::digest(canonical)));
    let key = ["us-east-1", "s3", "aws4_request"]
        .iter()
        .fold(hmac(format!("AWS4{secret}").as_bytes(), date), |key, part| hmac(&key, part));
    (scope, hex(hmac(&key, &to_sign)))
}

/// A PUT whose URL is signed, which says nothing of its body.
pub(crate) fn presigned_put<B>(address: SocketAddr, path: &str, body: B) -> Request<B> {
    let (date, time) = now();
    let query = format!(
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={ID}%2F{date}%2Fus-east-1%2Fs3%2Faws4_request&\
         X-Amz-Date={time}&X-Amz-Expires=600&X-Amz-SignedHeaders=host"
    );
    let canonical = format!("PUT\n{path}\n{query}\nhost:{address}\n\nhost\nUNSIGNED-PAYLOAD");
    let (_, signature) = signature(&canonical, (&date, &time), SECRET);
    let target = format!("{path}?{query}&X-Amz-Signature={signature}");
    Request::builder().method("PUT").uri(target).header("host", address.to_string()).body(body).unwrap()
}

/// A signed request. `target` is the path and the query, encoded, the query's parameters in order.
pub(crate) fn signed<B>(
    method: &str,
    address: SocketAddr,
    target: &str,
    secret: &str,
    body: B,
) -> Request<B> {
    let (date, time) = now();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = format!("host:{address}\nx-amz-content-sha256:UNSIGNED-PAYLOAD\nx-amz-date:{time}\n");
    let names = "host;x-amz-content-sha256;x-amz-date";
    let canonical = format!("{method}\n{path}\n{query}\n{headers}\n{names}\nUNSIGNED-PAYLOAD");
    let (scope, signature) = signature(&canonical, (&date, &time), secret);
    Request::builder()
        .method(method)
        .uri(target)
        .header("host", address.to_string())
        .header("x-amz-date", time)
        .header("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
        .header(
            "authorization",
            format!("AWS4-HMAC-SHA256 Credential={ID}/{scope}, SignedHeaders={names}, Signature={signature}"),
        )
        .body(body)
        .unwrap()
}

/// A whole answer.
pub(crate) async fn answer<B>(
    address: SocketAddr,
    request: Request<B>,
) -> Result<Response<Bytes>, Box<dyn std::error::Error + Send + Sync>>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await?.into_parts();
    Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
}

pub(crate) async fn exchange<B>(
    address: SocketAddr,
    request: Request<B>,
) -> Result<(StatusCode, Bytes), Box<dyn std::error::Error + Send + Sync>>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let answer = answer(address, request).await?;
    Ok((answer.status(), answer.into_body()))
}

/// A call with headers and a body, answered whole.
pub(crate) async fn call(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&'static str, &str)],
    body: impl Into<Bytes>,
) -> Response<Bytes> {
    let mut request = signed(method, address, target, SECRET, Full::new(body.into()));
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    answer(address, request).await.unwrap()
}

/// Puts an object; it must succeed.
pub(crate) async fn put(address: SocketAddr, path: &str, body: impl Into<Bytes>) {
    let answer = call(address, "PUT", path, &[], body).await;
    assert_eq!(answer.status(), StatusCode::OK, "{path}: {answer:?}");
}

/// The texts of an answer's elements of this name.
pub(crate) fn elements(answer: &Response<Bytes>, name: &str) -> Vec<String> {
    let text = std::str::from_utf8(answer.body()).unwrap();
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    text.split(&open).skip(1).map(|rest| rest.split(&close).next().unwrap().to_owned()).collect()
}

/// A key as it stands in a path.
pub(crate) fn encoded(key: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let encode = |byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    key.bytes().map(encode).collect()
}

pub(crate) async fn put_if_absent(address: SocketAddr, path: &str, body: Bytes) -> StatusCode {
    let mut request = signed("PUT", address, path, SECRET, Full::new(body));
    request.headers_mut().insert("if-none-match", "*".parse().unwrap());
    exchange(address, request).await.unwrap().0
}

pub(crate) async fn get(address: SocketAddr, path: &str) -> (StatusCode, Bytes) {
    exchange(address, signed("GET", address, path, SECRET, Full::new(Bytes::new()))).await.unwrap()
}
