//! Signatures, races and broken bodies.

use bucket_server::{BucketConfig, BucketServer, KeepFree};
use bytes::Bytes;
use futures::future::join_all;
use http::{Request, StatusCode};
use http_body_util::{Full, StreamBody};

use crate::client::{ID, SECRET, exchange, get, pattern, put_if_absent, serve, signed};

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
        keep_free: KeepFree::NOTHING,
    })
    .err()
    .unwrap();
    assert!(error.to_string().contains("../x"), "{error}");
}
