//! Requests in and out.

use bytes::Bytes;
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Served, builder, get, manifest, pattern, probe, receiver, send, summary};

/// Writes `head` and `body` to `address` and reads to the end.
async fn exchange(address: std::net::SocketAddr, head: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_guest_sees_the_request_as_spin_hands_it_over() {
    let text = r#"
        spin_manifest_version = 2
        application = { name = "test" }
        trigger.http = [{ route = "/:first/request/...", component = "guest" }, { route = "/request", component = "guest" }]
        component.guest = { source = "probe.wasm" }
    "#;
    let manifest = host::Manifest::parse(text, crate::guests::GUESTS.clone()).unwrap();
    let served = Served::new(builder(manifest).build().unwrap()).await;
    let head =
        "GET /request?a=%2F&b=c%20d HTTP/1.1\r\nHost: Some.Host:81\r\nX-Own: 1\r\nConnection: close\r\n\r\n";
    let answer = exchange(served.address, head, b"").await;
    let mut lines = answer.split("\r\n\r\n").nth(1).unwrap().lines();
    let (mut first, mut headers) = (String::new(), Vec::new());
    for line in &mut lines {
        if line.contains("GET ") {
            first = line.to_owned();
        } else if line.contains(": ") {
            headers.push(line.to_owned());
        }
    }
    assert_eq!(first, "GET http://Some.Host:81/request?a=%2F&b=c%20d");
    for expected in [
        "x-own: 1",
        "spin-path-info: ",
        "spin-full-url: http://Some.Host:81/request?a=%2F&b=c%20d",
        "spin-matched-route: /request",
        "spin-base-path: /",
        "spin-raw-component-route: /request",
        "spin-component-route: /request",
    ] {
        assert!(headers.iter().any(|header| header == expected), "{expected:?} in {headers:#?}");
    }
    assert!(headers.iter().any(|header| header.starts_with("spin-client-addr: 127.0.0.1:")));
    assert!(!headers.iter().any(|header| header.starts_with("connection")));
    served.stop().await;
}

#[tokio::test]
async fn a_path_without_a_route_is_404() {
    let text = r#"
        spin_manifest_version = 2
        application = { name = "test" }
        trigger.http = [{ route = "/only", component = "guest" }]
        component.guest = { source = "probe.wasm" }
    "#;
    let manifest = host::Manifest::parse(text, crate::guests::GUESTS.clone()).unwrap();
    let host = builder(manifest).build().unwrap();
    assert_eq!(get(&host, "/other").await.status, StatusCode::NOT_FOUND);
    assert_eq!(get(&host, "/.well-known/spin/health").await.body, "OK");
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let served = Served::new(probe("")).await;
    let head = format!(
        "GET /random HTTP/1.1\r\nhost: x\r\nx-long: {}\r\nconnection: close\r\n\r\n",
        "a".repeat(100 << 10)
    );
    assert!(exchange(served.address, &head, b"").await.starts_with("HTTP/1.1 431"));
    let head = "GET /random HTTP/1.1\r\nconnection: close\r\n\r\n";
    assert!(exchange(served.address, head, b"").await.starts_with("HTTP/1.1 400"));
}

#[tokio::test]
async fn sixteen_mebibytes_stream_in() {
    let body = pattern(16 << 20);
    let served = Served::new(probe("")).await;
    let head = format!(
        "POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let answer = exchange(served.address, &head, &body).await;
    assert!(answer.contains(&summary(&body)), "{answer}");
}

#[tokio::test]
async fn a_body_that_ends_early_is_an_error_in_the_guest() {
    let served = Served::new(probe("")).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(b"POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nabc").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_granted_host_is_reached() {
    let receiver = receiver().await;
    let host = probe(&format!("allowed_outbound_hosts = [\"http://{receiver}\"]"));
    assert_eq!(get(&host, &format!("/fetch?http://{receiver}/x")).await.granted(), "201 3");
}

#[tokio::test]
async fn errors_when_the_host_is_not_granted() {
    let receiver = receiver().await;
    for grant in ["", "allowed_outbound_hosts = [\"http://127.0.0.1:1\", \"https://*.example.com\"]"] {
        let refused = get(&probe(grant), &format!("/fetch?http://{receiver}/x")).await.refused();
        assert_eq!(refused, "ErrorCode::HttpRequestDenied");
    }
}

#[tokio::test]
async fn a_granted_host_by_a_template_is_reached() {
    let receiver = receiver().await;
    let text = r#"
        spin_manifest_version = 2
        application = { name = "test" }
        variables = { address = { required = true } }
        trigger.http = [{ route = "/...", component = "guest" }]
        component.guest = { source = "probe.wasm", allowed_outbound_hosts = ["http://{{ address }}"] }
    "#;
    let manifest = host::Manifest::parse(text, crate::guests::GUESTS.clone()).unwrap();
    let given = [("address".to_owned(), receiver.to_string())].into();
    let host = builder(manifest).variables(given).build().unwrap();
    get(&host, &format!("/fetch?http://{receiver}/x")).await.granted();
}

#[tokio::test]
async fn what_one_variable_alone_allows_stays_on_the_public_internet() {
    let receiver = receiver().await;
    let by_name = format!("http://localhost:{}", receiver.port());
    let text = r#"
        spin_manifest_version = 2
        application = { name = "test" }
        variables = { anywhere = { default = "*://*:*" }, known = { default = "" }, private = { default = "false" } }
        trigger.http = [{ route = "/...", component = "guest" }]
        [component.guest]
        source = "probe.wasm"
        allowed_outbound_hosts = ["{{ known }}", "{{ anywhere }}"]
    "#;
    let host = |variables: &[(&str, &str)]| {
        let manifest = host::Manifest::parse(text, crate::guests::GUESTS.clone()).unwrap();
        let given = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        builder(manifest).variables(given).public_only("anywhere", "private").build().unwrap()
    };
    let guarded = host(&[]);
    for url in
        [format!("http://{receiver}/x"), format!("{by_name}/x"), format!("http://127.1:{}/", receiver.port())]
    {
        let refused = get(&guarded, &format!("/fetch?{url}")).await.refused();
        assert_eq!(refused, "ErrorCode::DestinationIpProhibited", "{url}");
    }
    for variables in [("private", "true"), ("known", by_name.as_str())] {
        get(&host(&[variables]), &format!("/fetch?{by_name}/x")).await.granted();
    }
}

#[tokio::test]
async fn an_application_reaches_itself_when_granted() {
    let served = Served::new(probe("allowed_outbound_hosts = [\"http://self\"]")).await;
    let head = "GET /fetch?http://self.alt/random HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answer = exchange(served.address, head, b"").await;
    assert!(answer.contains("200 16"), "{answer}");
    let refused = get(&probe(""), "/fetch?http://self.alt/random").await.refused();
    assert_eq!(refused, "ErrorCode::HttpRequestDenied");
}

#[tokio::test]
async fn a_closed_port_and_an_unknown_name_have_their_errors() {
    let host = probe("allowed_outbound_hosts = [\"http://*:*\"]");
    let closed = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let refused = get(&host, &format!("/fetch?http://{closed}/")).await.refused();
    assert_eq!(refused, "ErrorCode::ConnectionRefused");
    let refused = get(&host, "/fetch?http://name.invalid/").await.refused();
    assert!(refused.contains("DnsError"), "{refused}");
}

#[tokio::test]
async fn an_empty_body_is_one() {
    assert_eq!(send(&probe(""), "POST", "/length", Bytes::new()).await.granted(), "0 0");
}

#[tokio::test]
async fn a_manifest_without_the_component_file_names_it() {
    let error = builder(manifest("source = \"absent.wasm\"")).build().err().unwrap();
    assert!(format!("{error:#}").contains("absent.wasm"), "{error:#}");
}
