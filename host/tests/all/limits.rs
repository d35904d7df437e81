//! What one guest can do to another: nothing.

use std::time::Duration;

use futures::future::join_all;
use host::InstanceLimits;
use http::StatusCode;

use crate::support::{Served, builder, get, manifest, probe};

#[tokio::test]
async fn an_instance_gets_no_more_memory_than_its_limit() {
    let limits = InstanceLimits { memory_bytes: 64 << 20, ..InstanceLimits::default() };
    let host = builder(manifest("source = \"probe.wasm\"")).limits(limits).build().unwrap();
    assert_eq!(get(&host, "/allocate?32").await.granted(), (32 << 20).to_string());
    let refused = get(&host, "/allocate?128").await.refused();
    assert!(refused.starts_with("refused"), "{refused}");
    assert_eq!(get(&host, "/allocate?32").await.granted(), (32 << 20).to_string());
}

#[tokio::test]
async fn a_trap_is_a_500_and_the_host_goes_on() {
    let host = probe("");
    for _ in 0..3 {
        assert_eq!(get(&host, "/trap").await.status, StatusCode::INTERNAL_SERVER_ERROR);
        get(&host, "/random").await.granted();
    }
}

#[tokio::test]
async fn more_requests_than_an_instance_takes_are_all_answered() {
    let host = probe("");
    for answer in join_all((0..400).map(|_| get(&host, "/random"))).await {
        answer.granted();
    }
}

#[tokio::test]
async fn waiting_guests_share_the_time() {
    let host = probe("");
    let started = std::time::Instant::now();
    for answer in join_all((0..40).map(|_| get(&host, "/wait?200"))).await {
        answer.granted();
    }
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
}

/// One thread, and a guest that would hold it: the epoch makes it yield.
#[tokio::test(flavor = "current_thread")]
async fn a_guest_that_computes_does_not_hold_up_the_others() {
    let served = Served::new(probe("")).await;
    let busy = tokio::spawn(get_over_tcp(served.address, "/compute?100000000000000"));
    get_over_tcp(served.address, "/random").await;
    assert!(!busy.is_finished());
    busy.abort();
}

#[tokio::test]
async fn a_guest_that_never_answers_is_ended() {
    let limits = InstanceLimits { request: Duration::from_millis(300), ..InstanceLimits::default() };
    let host = builder(manifest("source = \"probe.wasm\"")).limits(limits).build().unwrap();
    assert_eq!(get(&host, "/wait?60000").await.status, StatusCode::INTERNAL_SERVER_ERROR);
    get(&host, "/random").await.granted();
}

/// Sends GET over a connection of its own and answers what came back.
async fn get_over_tcp(address: std::net::SocketAddr, target: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
