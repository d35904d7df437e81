//! Uploads in parts.

use std::net::SocketAddr;

use bytes::Bytes;
use futures::future::join_all;
use http::{Response, StatusCode};

use crate::client::{call, elements, get, pattern, put, serve};

const PART: usize = 5 << 20;

async fn begin(address: SocketAddr, key: &str) -> String {
    let said = [("content-type", "video/mp4"), ("x-amz-meta-recorder", "session/1")];
    let begun = call(address, "POST", &format!("/bucket/{key}?uploads="), &said, "").await;
    elements(&begun, "UploadId").pop().unwrap()
}

/// Sends a part; answers its tag.
async fn send(address: SocketAddr, key: &str, id: &str, number: usize, body: Bytes) -> String {
    let target = format!("/bucket/{key}?partNumber={number}&uploadId={id}");
    let sent = call(address, "PUT", &target, &[], body).await;
    assert_eq!(sent.status(), StatusCode::OK, "{sent:?}");
    sent.headers()["etag"].to_str().unwrap().to_owned()
}

async fn complete(
    address: SocketAddr,
    key: &str,
    id: &str,
    parts: &[(usize, &str)],
    headers: &[(&'static str, &str)],
) -> Response<Bytes> {
    let parts: String = parts
        .iter()
        .map(|(number, tag)| format!("<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"))
        .collect();
    let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    call(address, "POST", &format!("/bucket/{key}?uploadId={id}"), headers, body).await
}

#[tokio::test]
async fn parts_in_any_order_become_one_object() {
    let directory = tempfile::tempdir().unwrap();
    let address = serve(directory.path()).await;
    let body = pattern(2 * PART + 100_000);
    let id = begin(address, "a").await;
    let third = send(address, "a", &id, 3, body.slice(2 * PART..)).await;
    send(address, "a", &id, 1, pattern(7)).await;
    let second = send(address, "a", &id, 2, body.slice(PART..2 * PART)).await;
    let first = send(address, "a", &id, 1, body.slice(..PART)).await;
    let target = format!("/bucket/a?max-parts=2&uploadId={id}");
    let listed = call(address, "GET", &target, &[], "").await;
    assert_eq!(elements(&listed, "PartNumber"), ["1", "2"]);
    assert_eq!(elements(&listed, "Size"), [PART.to_string(), PART.to_string()]);
    assert_eq!(elements(&listed, "NextPartNumberMarker"), ["2"]);
    let target = format!("/bucket/a?part-number-marker=2&uploadId={id}");
    let listed = call(address, "GET", &target, &[], "").await;
    assert_eq!(elements(&listed, "PartNumber"), ["3"]);
    assert_eq!(elements(&listed, "IsTruncated"), ["false"]);
    assert_eq!(get(address, "/bucket/a").await.0, StatusCode::NOT_FOUND);
    let done = complete(address, "a", &id, &[(1, &first), (2, &second), (3, &third)], &[]).await;
    assert_eq!(done.status(), StatusCode::OK, "{done:?}");
    let answer = call(address, "GET", "/bucket/a", &[], "").await;
    assert_eq!(*answer.body(), body);
    assert_eq!(answer.headers()["content-type"], "video/mp4");
    assert_eq!(answer.headers()["x-amz-meta-recorder"], "session/1");
    assert!(answer.headers()["etag"].to_str().unwrap().ends_with("-3\""));
    let again = complete(address, "a", &id, &[(1, &first)], &[]).await;
    assert_eq!(elements(&again, "Code"), ["NoSuchUpload"]);
}

#[tokio::test]
async fn a_part_is_copied_from_an_object() {
    let directory = tempfile::tempdir().unwrap();
    let address = serve(directory.path()).await;
    let body = pattern(PART + 1000);
    put(address, "/bucket/block%20%2B1", body.clone()).await;
    let id = begin(address, "a").await;
    let head = send(address, "a", &id, 1, body.slice(..PART)).await;
    let target = format!("/bucket/a?partNumber=2&uploadId={id}");
    let range = format!("bytes=1000-{}", PART + 999);
    let source = [("x-amz-copy-source", "bucket/block%20%2B1"), ("x-amz-copy-source-range", range.as_str())];
    let copied = call(address, "PUT", &target, &source, "").await;
    let tag = elements(&copied, "ETag").pop().unwrap().replace("&quot;", "\"");
    for range in ["bytes=0-5243880", "bytes=9-8", "bytes=5-", "5"] {
        let source = [source[0], ("x-amz-copy-source-range", range)];
        let refused = call(address, "PUT", &target, &source, "").await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{range}");
    }
    let done = complete(address, "a", &id, &[(1, &head), (2, &tag)], &[]).await;
    assert_eq!(done.status(), StatusCode::OK, "{done:?}");
    let joined = [&body[..PART], &body[1000..]].concat();
    assert_eq!(get(address, "/bucket/a").await.1, joined);
}

#[tokio::test]
async fn an_upload_is_completed_with_what_it_has_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let address = serve(directory.path()).await;
    let id = begin(address, "a").await;
    let first = send(address, "a", &id, 1, pattern(100)).await;
    let second = send(address, "a", &id, 2, pattern(200)).await;
    let (first, second) = (first.as_str(), second.as_str());
    let cases: [(&[(usize, &str)], &str); 5] = [
        (&[(2, second), (1, first)], "InvalidPartOrder"),
        (&[(1, first), (3, first)], "InvalidPart"),
        (&[(1, second)], "InvalidPart"),
        (&[(1, first), (2, second)], "EntityTooSmall"),
        (&[], "MalformedXML"),
    ];
    for (parts, code) in cases {
        assert_eq!(elements(&complete(address, "a", &id, parts, &[]).await, "Code"), [code]);
    }
    let other_key = complete(address, "b", &id, &[(1, first)], &[]).await;
    assert_eq!(elements(&other_key, "Code"), ["NoSuchUpload"]);
    for id in ["..%2F..%2Fbucket", "0"] {
        let sent = call(address, "PUT", &format!("/bucket/a?partNumber=1&uploadId={id}"), &[], "x").await;
        assert_eq!(elements(&sent, "Code"), ["NoSuchUpload"], "{id}");
    }
    assert_eq!(complete(address, "a", &id, &[(2, second)], &[]).await.status(), StatusCode::OK);
    assert_eq!(get(address, "/bucket/a").await.1, pattern(200));
}

#[tokio::test]
async fn uploads_are_listed_and_aborted() {
    let directory = tempfile::tempdir().unwrap();
    let address = serve(directory.path()).await;
    let mut ids = Vec::new();
    for key in ["a", "b%2B/1", "b%2B/2", "c"] {
        ids.push(begin(address, key).await);
    }
    let list = async |query: &str| {
        let page = call(address, "GET", &format!("/bucket?{query}"), &[], "").await;
        assert_eq!(page.status(), StatusCode::OK, "{page:?}");
        page
    };
    let all = list("encoding-type=url&uploads=").await;
    assert_eq!(elements(&all, "Key"), ["a", "b%2B/1", "b%2B/2", "c"]);
    let page = list("max-uploads=3&uploads=").await;
    assert_eq!(elements(&page, "IsTruncated"), ["true"]);
    let id = elements(&page, "NextUploadIdMarker").pop().unwrap();
    let rest = list(&format!("key-marker=b%2B%2F2&upload-id-marker={id}&uploads=")).await;
    assert_eq!(elements(&rest, "Key"), ["c"]);
    let grouped = list("delimiter=%2F&uploads=").await;
    assert_eq!(elements(&grouped, "Key"), ["a", "c"]);
    assert_eq!(elements(&grouped, "CommonPrefixes"), ["<Prefix>b+/</Prefix>"]);
    assert_eq!(elements(&list("prefix=b&uploads=").await, "Key"), ["b+/1", "b+/2"]);
    let target = format!("/bucket/a?uploadId={}", ids[0]);
    assert_eq!(call(address, "DELETE", &target, &[], "").await.status(), StatusCode::NO_CONTENT);
    assert_eq!(call(address, "DELETE", &target, &[], "").await.status(), StatusCode::NOT_FOUND);
    let target = format!("/bucket/a?partNumber=1&uploadId={}", ids[0]);
    let late = call(address, "PUT", &target, &[], "late").await;
    assert_eq!(elements(&late, "Code"), ["NoSuchUpload"]);
    assert_eq!(elements(&list("uploads=").await, "Key"), ["b+/1", "b+/2", "c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_concurrent_conditional_completions_and_puts_exactly_one_creates() {
    let directory = tempfile::tempdir().unwrap();
    let address = serve(directory.path()).await;
    let mut uploads = Vec::new();
    for writer in 0..4_u8 {
        let id = begin(address, "race").await;
        let tag = send(address, "race", &id, 1, vec![writer; 200_000].into()).await;
        uploads.push((id, tag));
    }
    let absent = [("if-none-match", "*")];
    let completions = join_all(
        uploads
            .iter()
            .map(async |(id, tag)| complete(address, "race", id, &[(1, tag)], &absent).await.status()),
    );
    let puts = join_all((4..8_u8).map(async |writer| {
        call(address, "PUT", "/bucket/race", &absent, vec![writer; 200_000]).await.status()
    }));
    let (mut answers, puts) = futures::future::join(completions, puts).await;
    answers.extend(puts);
    let created = answers.iter().position(|status| *status == StatusCode::OK).unwrap();
    let refused = answers.iter().filter(|status| **status == StatusCode::PRECONDITION_FAILED).count();
    assert_eq!(refused, 7, "{answers:?}");
    assert_eq!(get(address, "/bucket/race").await.1, vec![created as u8; 200_000]);
}
