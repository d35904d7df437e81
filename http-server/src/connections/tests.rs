use std::convert::Infallible;

use http_body_util::Full;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

/// More than sockets hold.
const ANSWER_BYTES: usize = 32 << 20;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: h\r\n\r\n";

#[tokio::test]
async fn a_client_that_takes_nothing_of_an_answer_holds_its_place_no_longer_than_it_may() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = |_| {
        service_fn(async |_| {
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(vec![0; ANSWER_BYTES]))))
        })
    };
    tokio::spawn(serve_connections(Places::some(1), listener, service, CancellationToken::new()));
    let mut first = TcpStream::connect(address).await.unwrap();
    first.write_all(REQUEST).await.unwrap();
    let begun = std::time::Instant::now();
    // The only place is the first one's until then.
    loop {
        let mut next = TcpStream::connect(address).await.unwrap();
        if next.write_all(REQUEST).await.is_ok() && matches!(next.read(&mut [0; 1]).await, Ok(1)) {
            break;
        }
        assert!(begun.elapsed() < 60 * WRITE_TIMEOUT, "the place is held for {:?}", begun.elapsed());
        tokio::time::sleep(WRITE_TIMEOUT / 10).await;
    }
    assert!(begun.elapsed() >= WRITE_TIMEOUT / 2);
}
