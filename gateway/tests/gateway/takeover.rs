//! Two publishers of one stream.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use flv::TagKind;
use gateway::SecondPublisher;
use protocol::Problem;

use crate::{
    Gateway,
    fake::{Act, Fake, Kind, Session, fail},
    functions,
    media::{AUDIO_HEADER, VIDEO_HEADER, frames},
    publisher::Publisher,
};

const FIRST: [u8; 4] = [127, 0, 0, 1];
const OTHER: [u8; 4] = [127, 0, 0, 2];

async fn takeover(functions: &Fake, spool: &Path) -> Gateway {
    Gateway::with(&functions.url(), spool, 1 << 30, SecondPublisher::Takeover).await
}

/// Sends pictures that say whose they are, from one number to another.
async fn send(publisher: &mut Publisher, mark: u8, numbers: std::ops::Range<u8>) {
    if numbers.start == 0 {
        publisher.tag(TagKind::Video, 0, &VIDEO_HEADER);
        publisher.tag(TagKind::Audio, 0, &AUDIO_HEADER);
    }
    for number in numbers {
        let body = [if number == 0 { 0x17 } else { 0x27 }, 1, 0, 0, 0, mark, number];
        publisher.tag(TagKind::Video, u32::from(number) * 40, &body);
    }
    publisher.flush().await;
}

/// Marks and numbers of the pictures that were recorded of a push.
fn recorded(session: &Session) -> Vec<(u8, u8)> {
    frames(&session.chunks).iter().map(|tag| (tag.body[5], tag.body[6])).collect()
}

fn pictures(mark: u8, count: u8) -> Vec<(u8, u8)> {
    (0..count).map(|number| (mark, number)).collect()
}

#[tokio::test]
async fn another_publisher_is_refused_and_harms_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), folder.path()).await;
    let mut first = Publisher::start_from(FIRST, &gateway, "x?key=1").await.unwrap();
    send(&mut first, 1, 0..10).await;
    for (address, name) in [(OTHER, "x?key=1"), (FIRST, "x?key=2"), (OTHER, "x")] {
        let error = Publisher::start_from(address, &gateway, name).await.err().unwrap();
        assert!(error.contains("NetStream.Publish.BadName"), "{error}");
        assert!(error.contains("h/live/x is being published already"), "{error}");
    }
    send(&mut first, 1, 10..20).await;
    first.finish().await;
    let session = functions.ended(1).await.remove(0);
    assert_eq!(recorded(&session), pictures(1, 20));
    gateway.stop().await;
}

#[tokio::test]
async fn another_publisher_takes_over_where_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    let gateway = takeover(&functions, folder.path()).await;
    let mut first = Publisher::start_from(FIRST, &gateway, "x").await.unwrap();
    send(&mut first, 1, 0..10).await;
    functions.until("the first session", |log| log.sessions.len() == 1).await;
    let mut second = Publisher::start_from(OTHER, &gateway, "x").await.unwrap();
    first.ended().await;
    send(&mut second, 2, 0..20).await;
    second.finish().await;
    let sessions = functions.ended(2).await;
    assert_eq!(recorded(&sessions[0]), pictures(1, 10));
    assert_eq!(recorded(&sessions[1]), pictures(2, 20));
    let after = sessions[1].begin.after.as_ref().unwrap();
    assert_eq!(after.session, sessions[0].name);
    gateway.stop().await;
}

#[tokio::test]
async fn the_same_publisher_takes_over_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), folder.path()).await;
    let mut first = Publisher::start_from(OTHER, &gateway, "x?key=1").await.unwrap();
    send(&mut first, 1, 0..10).await;
    functions.until("the first session", |log| log.sessions.len() == 1).await;
    let mut second = Publisher::start_from(OTHER, &gateway, "x?key=1").await.unwrap();
    first.ended().await;
    send(&mut second, 2, 0..10).await;
    second.finish().await;
    let sessions = functions.ended(2).await;
    assert_eq!([recorded(&sessions[0]), recorded(&sessions[1])], [pictures(1, 10), pictures(2, 10)]);
    gateway.stop().await;
}

#[tokio::test]
async fn the_name_of_a_dead_connection_is_free_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), folder.path()).await;
    for (at, abruptly) in [false, true, false, true].into_iter().enumerate() {
        let address = if at.is_multiple_of(2) { FIRST } else { OTHER };
        let mut publisher = Publisher::start_from(address, &gateway, "x").await.unwrap();
        send(&mut publisher, at as u8, 0..10).await;
        functions.until("the session", |log| log.sessions.len() == at + 1).await;
        publisher.hang_up(abruptly);
    }
    let sessions = functions.ended(4).await;
    for (at, session) in sessions.iter().enumerate() {
        assert_eq!(recorded(session), pictures(at as u8, 10));
    }
    gateway.stop().await;
}

/// A publisher that is held back: the functions take no chunk of it until they are opened.
async fn held_back(spool: &Path) -> (Fake, Gateway, Publisher, Arc<AtomicBool>) {
    let is_open = Arc::new(AtomicBool::new(false));
    let open = Arc::clone(&is_open);
    let functions = Fake::start(move |call| match call.kind {
        Kind::Chunk if !open.load(Relaxed) => fail(503),
        _ => Act::Succeed,
    })
    .await;
    let gateway = Gateway::with_limit(&functions.url(), spool, 1 << 20).await;
    let mut publisher = Publisher::start_from(FIRST, &gateway, "x").await.unwrap();
    send(&mut publisher, 1, 0..1).await;
    // A little more than the spool holds: the rest finds room in the socket, and what comes behind it arrives.
    for number in 1..55 {
        let mut body = vec![0; 20_000];
        body[..7].copy_from_slice(&[0x27, 1, 0, 0, 0, 1, number]);
        publisher.tag(TagKind::Video, u32::from(number) * 40, &body);
    }
    publisher.flush().await;
    functions.until("a refused chunk", |log| log.refused > 0).await;
    (functions, gateway, publisher, is_open)
}

#[tokio::test]
async fn a_connection_that_died_while_it_was_held_back_gives_its_name_and_loses_nothing_that_it_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (functions, gateway, first, is_open) = held_back(folder.path()).await;
    first.hang_up(false);
    let mut second = Publisher::start_from(OTHER, &gateway, "x").await.unwrap();
    is_open.store(true, Relaxed);
    send(&mut second, 2, 0..10).await;
    second.finish().await;
    let sessions = functions.ended(2).await;
    assert_eq!(recorded(&sessions[0]), pictures(1, 55));
    assert_eq!(recorded(&sessions[1]), pictures(2, 10));
    gateway.stop().await;
}

#[tokio::test]
async fn a_connection_that_is_held_back_gives_way_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (functions, gateway, first, is_open) = held_back(folder.path()).await;
    let mut second = Publisher::start_from(FIRST, &gateway, "x").await.unwrap();
    first.ended().await;
    is_open.store(true, Relaxed);
    send(&mut second, 2, 0..10).await;
    second.finish().await;
    let sessions = functions.ended(2).await;
    assert!(sessions[0].lost.is_empty(), "it was not ended by the room that the loss of its chunks makes");
    assert_eq!(recorded(&sessions[1]), pictures(2, 10));
    gateway.stop().await;
}

#[tokio::test]
async fn who_is_not_admitted_takes_nothing_over() {
    let folder = tempfile::tempdir().unwrap();
    let functions = Fake::start(|call| match (call.kind, call.nth) {
        (Kind::Admission, 1..) => {
            Act::Fail(403, Problem { code: "NotAdmitted".into(), message: "no".into(), expected: None })
        }
        _ => Act::Succeed,
    })
    .await;
    let gateway = takeover(&functions, folder.path()).await;
    let mut first = Publisher::start_from(FIRST, &gateway, "x").await.unwrap();
    send(&mut first, 1, 0..10).await;
    for address in [FIRST, OTHER] {
        let error = Publisher::start_from(address, &gateway, "x").await.err().unwrap();
        assert!(error.ends_with("NetStream.Publish.Denied: no"), "{error}");
    }
    send(&mut first, 1, 10..20).await;
    first.finish().await;
    assert_eq!(recorded(&functions.ended(1).await[0]), pictures(1, 20));
    gateway.stop().await;
}
