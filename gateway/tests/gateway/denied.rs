//! Pushes that the functions end.

use std::time::{Duration, Instant};

use flv::TagKind;
use protocol::{ChunkPolicy, Problem, SessionAnswer};

use crate::{
    Gateway,
    fake::{Act, Fake, Kind, fail},
    functions,
    media::{VIDEO_HEADER, frames},
    publisher::Publisher,
};

/// As long as a live push may go on after its gateway can hear that it is to end.
const AT_MOST: Duration = Duration::from_secs(2);

const REASON: &str = "live.example.com/live/x is forbidden until 2030-01-01T00:00:00Z";

async fn start(gateway: &Gateway) -> Result<Publisher, String> {
    Publisher::start_from([127, 0, 0, 1], gateway, "x").await
}

/// Sends pictures of these numbers, 40 ms apart, from a keyframe on.
async fn send(publisher: &mut Publisher, numbers: std::ops::Range<u8>) {
    if numbers.start == 0 {
        publisher.tag(TagKind::Video, 0, &VIDEO_HEADER);
    }
    for number in numbers {
        let body = [if number % 25 == 0 { 0x17 } else { 0x27 }, 1, 0, 0, 0, number];
        publisher.tag(TagKind::Video, u32::from(number) * 40, &body);
    }
    publisher.flush().await;
}

fn deny(functions: &Fake) {
    let mut log = functions.log();
    let session = log.sessions[0].name.clone();
    let (chunk, orders, denied) = (ChunkPolicy::default(), Vec::new(), Some(REASON.to_owned()));
    log.changes.push(SessionAnswer { session, chunk, orders, denied });
}

async fn is_adopted(functions: &Fake) {
    functions.until("an adoption", |log| log.heartbeats.iter().any(|beat| !beat.adopted.is_empty())).await;
}

#[tokio::test]
async fn a_denied_push_ends_at_once_and_what_it_sent_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), folder.path()).await;
    let mut publisher = start(&gateway).await.unwrap();
    send(&mut publisher, 0..60).await;
    is_adopted(&functions).await;
    deny(&functions);
    let since = Instant::now();
    let error = publisher.refused().await;
    assert_eq!(error, format!("server refused: NetStream.Publish.Denied: {REASON}"));
    assert!(since.elapsed() < AT_MOST, "{:?}", since.elapsed());
    publisher.ended().await;
    assert!(since.elapsed() < AT_MOST, "{:?}", since.elapsed());
    let session = functions.ended(1).await.pop().unwrap();
    let recorded: Vec<u8> = frames(&session.chunks).iter().map(|tag| tag.body[5]).collect();
    assert_eq!(recorded, (0..60).collect::<Vec<_>>());
    // The name is free, and another session is another push.
    let mut again = start(&gateway).await.unwrap();
    send(&mut again, 0..30).await;
    again.finish().await;
    functions.ended(2).await;
    gateway.stop().await;
}

#[tokio::test]
async fn a_denied_push_that_is_held_back_ends_too() {
    let folder = tempfile::tempdir().unwrap();
    // The session begins, and no chunk is taken.
    let script = |call: &crate::fake::Call| match call.kind {
        Kind::Chunk => fail(503),
        _ => Act::Succeed,
    };
    let functions = Fake::start(script).await;
    let gateway = Gateway::with_limit(&functions.url(), folder.path(), 100_000).await;
    let mut publisher = start(&gateway).await.unwrap();
    send(&mut publisher, 0..1).await;
    is_adopted(&functions).await;
    publisher.tag(TagKind::Video, 40, &[&[0x17, 1, 0, 0, 0][..], &[0; 400_000]].concat());
    assert!(publisher.try_flush().await);
    functions.until("a chunk", |log| log.refused > 0).await;
    deny(&functions);
    let since = Instant::now();
    assert_eq!(publisher.refused().await, format!("server refused: NetStream.Publish.Denied: {REASON}"));
    assert!(since.elapsed() < AT_MOST, "{:?}", since.elapsed());
    gateway.crash().await;
}

#[tokio::test]
async fn a_refusal_at_admission_counts_only_if_the_functions_give_it() {
    let problem = |status, code: &str| {
        let problem = Problem { code: code.into(), message: REASON.into(), expected: None };
        Act::Fail(status, problem)
    };
    for (act, is_refused) in [
        (problem(403, "StreamForbidden"), true),
        (problem(503, "RulesFailed"), false),
        (problem(401, "Unauthorized"), false),
        (problem(404, "NoSuchRoute"), false),
        (Act::Foreign(403), false),
        (Act::Foreign(200), false),
        (Act::Foreign(413), false),
        (Act::LoseReply, false),
        (Act::Delay(Duration::from_secs(30)), false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let shown = format!("{act:?}");
        let script = move |call: &crate::fake::Call| match call.kind {
            Kind::Admission => act.clone(),
            _ => Act::Succeed,
        };
        let functions = Fake::start(script).await;
        let gateway = Gateway::start(&functions.url(), folder.path()).await;
        let since = Instant::now();
        let started = start(&gateway).await;
        assert!(since.elapsed() < Duration::from_secs(4), "{shown}: {:?}", since.elapsed());
        match started {
            Err(error) => {
                assert!(is_refused, "{shown}: {error}");
                assert_eq!(error, format!("server refused: NetStream.Publish.Denied: {REASON}"));
                assert_eq!(functions.log().calls(Kind::Begin), 0);
            }
            Ok(publisher) => {
                assert!(!is_refused, "{shown}");
                publisher.finish().await;
            }
        }
        gateway.stop().await;
    }
}
