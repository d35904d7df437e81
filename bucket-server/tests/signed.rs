//! The bucket server, spoken to with signatures of our own.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use bucket_server::{BucketConfig, BucketServer};
use bytes::Bytes;
use futures::future::join_all;
use hmac::{Hmac, Mac};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper_util::rt::TokioIo;
use sha2::{Digest, Sha256};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

const ID: &str = "an-id";
const SECRET: &str = "a-secret";

/// `length` bytes that a shift or a swap does not leave alone.
fn pattern(length: usize) -> Bytes {
    (0..length).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect()
}

async fn serve(directory: &Path) -> SocketAddr {
    let server = BucketServer::open(&BucketConfig {
        directory: directory.to_owned(),
        access_key_id: ID.into(),
        access_key_secret: SECRET.into(),
        buckets: vec!["bucket".into()],
        public_read: false,
    })
    .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(server.serve(listener, CancellationToken::new()));
    address
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

/// A request signed by Signature Version 4 with an unsigned payload.
fn signed<B>(method: &str, address: SocketAddr, path: &str, secret: &str, body: B) -> Request<B> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let time = chrono::DateTime::from_timestamp(now.try_into().unwrap(), 0).unwrap();
    let (date, time) = (time.format("%Y%m%d").to_string(), time.format("%Y%m%dT%H%M%SZ").to_string());
    let headers = format!("host:{address}\nx-amz-content-sha256:UNSIGNED-PAYLOAD\nx-amz-date:{time}\n");
    let names = "host;x-amz-content-sha256;x-amz-date";
    let canonical = format!("{method}\n{path}\n\n{headers}\n{names}\nUNSIGNED-PAYLOAD");
    let scope = format!("{date}/us-east-1/s3/aws4_request");
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(Sha256::digest(canonical)));
    let key = ["us-east-1", "s3", "aws4_request"]
        .iter()
        .fold(hmac(format!("AWS4{secret}").as_bytes(), &date), |key, part| hmac(&key, part));
    let signature = hex(hmac(&key, &to_sign));
    Request::builder()
        .method(method)
        .uri(path)
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

async fn exchange<B>(address: SocketAddr, request: Request<B>) -> Result<(StatusCode, Bytes), hyper::Error>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let status = response.status();
    Ok((status, response.into_body().collect().await?.to_bytes()))
}

async fn put_if_absent(address: SocketAddr, path: &str, body: Bytes) -> StatusCode {
    let mut request = signed("PUT", address, path, SECRET, Full::new(body));
    request.headers_mut().insert("if-none-match", "*".parse().unwrap());
    exchange(address, request).await.unwrap().0
}

async fn get(address: SocketAddr, path: &str) -> (StatusCode, Bytes) {
    exchange(address, signed("GET", address, path, SECRET, Full::new(Bytes::new()))).await.unwrap()
}

#[tokio::test]
async fn what_is_put_is_got_with_the_right_secret_alone() {
    let directory = tempfile::tempdir().unwrap();
    let address = serve(directory.path()).await;
    let body = pattern(2_500_000);
    let put = signed("PUT", address, "/bucket/a/b.ts", SECRET, Full::new(body.clone()));
    assert_eq!(exchange(address, put).await.unwrap().0, StatusCode::OK);
    assert_eq!(get(address, "/bucket/a/b.ts").await, (StatusCode::OK, body));
    let forged = signed("GET", address, "/bucket/a/b.ts", "another", Full::new(Bytes::new()));
    assert_eq!(exchange(address, forged).await.unwrap().0, StatusCode::FORBIDDEN);
    let anonymous = Request::get("/bucket/a/b.ts")
        .header("host", address.to_string())
        .body(Full::new(Bytes::new()))
        .unwrap();
    assert_eq!(exchange(address, anonymous).await.unwrap().0, StatusCode::FORBIDDEN);
    assert_eq!(get(address, "/absent/a").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_concurrent_creations_exactly_one_succeeds() {
    let directory = tempfile::tempdir().unwrap();
    let address = serve(directory.path()).await;
    for round in 0..5 {
        let path = format!("/bucket/race-{round}");
        let bodies: Vec<Bytes> = (0..8).map(|writer: u8| Bytes::from(vec![writer; 300_000])).collect();
        let answers = join_all(bodies.iter().map(|body| put_if_absent(address, &path, body.clone()))).await;
        let created = answers.iter().position(|status| *status == StatusCode::OK).unwrap();
        let refused = answers.iter().filter(|status| **status == StatusCode::PRECONDITION_FAILED).count();
        assert_eq!(refused, 7, "{answers:?}");
        assert_eq!(get(address, &path).await.1, bodies[created]);
    }
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_no_object() {
    let directory = tempfile::tempdir().unwrap();
    let address = serve(directory.path()).await;
    let (sender, receiver) = futures::channel::mpsc::unbounded();
    sender.unbounded_send(Ok(http_body::Frame::data(pattern(100_000)))).unwrap();
    sender.unbounded_send(Err(std::io::Error::other("gone"))).unwrap();
    drop(sender);
    let put = signed("PUT", address, "/bucket/broken", SECRET, StreamBody::new(receiver));
    assert!(exchange(address, put).await.is_err());
    assert_eq!(get(address, "/bucket/broken").await.0, StatusCode::NOT_FOUND);
    let put = signed("PUT", address, "/bucket/broken", SECRET, Full::new(Bytes::from_static(b"whole")));
    assert_eq!(exchange(address, put).await.unwrap().0, StatusCode::OK);
    assert_eq!(get(address, "/bucket/broken").await.1, "whole");
}

#[tokio::test]
async fn a_name_that_is_no_buckets_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let error = BucketServer::open(&BucketConfig {
        directory: directory.path().to_owned(),
        access_key_id: ID.into(),
        access_key_secret: SECRET.into(),
        buckets: vec!["../x".into()],
        public_read: false,
    })
    .err()
    .unwrap();
    assert!(error.to_string().contains("../x"), "{error}");
}
