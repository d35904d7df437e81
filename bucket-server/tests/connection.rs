//! One connection after an answer that came before the body was read.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{SECRET, call, serve, signed};

/// What the server sends on one connection for `first` and then `second`, until it closes or is silent.
async fn sent(address: SocketAddr, first: &str, second: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut answers = Vec::new();
    for request in [first, second] {
        // A server that has closed takes nothing more.
        _ = stream.write_all(request.as_bytes()).await;
        let silence = Duration::from_millis(500);
        while let Ok(Ok(1..)) = tokio::time::timeout(silence, stream.read_buf(&mut answers)).await {}
    }
    String::from_utf8(answers).unwrap()
}

/// The head of a signed PUT of `length` bytes whose sender waits for `100 Continue`.
fn put_head(address: SocketAddr, path: &str, length: usize, condition: &str) -> String {
    let request = signed("PUT", address, path, SECRET, ());
    let headers: String = request
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap()))
        .collect();
    format!(
        "PUT {path} HTTP/1.1\r\n{headers}content-length: {length}\r\nexpect: 100-continue\r\n{condition}\r\n"
    )
}

#[tokio::test]
async fn a_body_that_its_client_keeps_is_not_read_from_the_next_request() {
    let directory = tempfile::tempdir().unwrap();
    let address = serve(directory.path()).await;
    call(address, "PUT", "/bucket/a", &[], "first").await;
    let head = put_head(address, "/bucket/a", 6, "if-none-match: *\r\n");
    let answers = sent(address, &head, "GET /bucket/a HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answers.starts_with("HTTP/1.1 412 "), "{answers}");
    assert!(answers.to_ascii_lowercase().contains("connection: close\r\n"), "{answers}");
    assert_eq!(answers.matches("HTTP/1.1").count(), 1, "{answers}");
}

#[tokio::test]
async fn a_body_that_is_wanted_is_asked_for_and_the_connection_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let address = serve(directory.path()).await;
    let head = put_head(address, "/bucket/a", 6, "");
    let answers = sent(address, &head, "second").await;
    assert!(answers.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"), "{answers}");
    assert!(!answers.to_ascii_lowercase().contains("connection: close"), "{answers}");
}
