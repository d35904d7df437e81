//! Bodies that stop coming, on a connection in memory.

use std::convert::Infallible;

use http::StatusCode;
use http_body_util::{BodyExt, Full};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use super::*;
use crate::BodyError;
use crate::stall::PATIENCE;

/// What a server answers to a request with these headers until it closes, and after how long it does; `end`: no more can
/// come.
///
/// Its handler reads the body, and answers how long it is or why it ended.
async fn exchange(headers: &str, sent: &[u8], end: bool) -> (String, Duration) {
    let (mut client, server) = tokio::io::duplex(1 << 20);
    let service = service_fn(async |request: Request<Drained>| {
        let (status, text) = match request.into_body().collect().await {
            Ok(body) => (StatusCode::OK, format!("{} bytes", body.to_bytes().len())),
            Err(BodyError::Stalled(stalled)) => (StatusCode::REQUEST_TIMEOUT, stalled.to_string()),
            Err(BodyError::Connection(error)) => (StatusCode::BAD_REQUEST, error.to_string()),
        };
        let mut response = Response::new(Full::new(Bytes::from(text)));
        *response.status_mut() = status;
        Ok::<_, Infallible>(response)
    });
    let began = Instant::now();
    tokio::spawn(connection(server, None, service));
    client.write_all(format!("POST / HTTP/1.1\r\nhost: h\r\n{headers}\r\n\r\n").as_bytes()).await.unwrap();
    client.write_all(sent).await.unwrap();
    if end {
        client.shutdown().await.unwrap();
    }
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    (answer, began.elapsed())
}

async fn check_stalls(headers: &str, sent: &[u8], message: &str) {
    let (answer, after) = exchange(headers, sent, false).await;
    assert!(answer.contains("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert!(answer.ends_with(message), "{answer}");
    assert!(after >= PATIENCE, "{after:?}");
}

#[tokio::test]
async fn a_body_that_stops_coming_fails_in_time_and_its_connection_ends() {
    tokio::join!(
        check_stalls("content-length: 1000", b"", "0 of 1000 bytes came"),
        check_stalls("content-length: 1000", b"x", "1 of 1000 bytes came"),
        check_stalls("content-length: 99999999999", &[0; 70_000], "70000 of 99999999999 bytes came"),
        check_stalls("content-length: 9\r\nexpect: 100-continue", b"", "0 of 9 bytes came"),
        check_stalls("transfer-encoding: chunked", b"5\r\nabc", "before its end, after byte 3"),
        check_stalls("transfer-encoding: chunked", b"3\r\nabc\r\n", "before its end, after byte 3"),
    );
}

#[tokio::test]
async fn a_body_that_comes_or_is_cut_off_has_not_stopped_coming() {
    let (answer, _) = exchange("connection: close\r\ncontent-length: 3", b"abc", false).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("3 bytes"), "{answer}");
    let (answer, _) = exchange("content-length: 9", b"abc", true).await;
    assert!(!answer.contains("408"), "{answer}");
}
