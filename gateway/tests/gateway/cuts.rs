//! What decides where chunks end, and what does not.

mod limits;
mod often;
mod tracks;

use std::time::Duration;

use flv::{Reader, TagKind};
use protocol::{ChunkPolicy, Order};

use crate::{
    Gateway,
    fake::Session,
    functions,
    media::{Tag, coded},
    publisher::Publisher,
};

/// A tag that is to be sent.
type Sent = (TagKind, u32, Vec<u8>);

/// Pushes the tags as fast as it goes.
async fn push(tags: &[Sent], policy: ChunkPolicy) -> Session {
    push_after(Duration::from_millis(100), tags, policy, Vec::new()).await
}

/// Pushes the tags, all but the first frame and what is before it so long after the functions have answered the begin.
async fn push_after(wait: Duration, tags: &[Sent], policy: ChunkPolicy, more_orders: Vec<Order>) -> Session {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    functions.log().policy = Some(policy);
    functions.log().more_orders = more_orders;
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    let mut publisher = Publisher::start(&gateway, "rtmp://h/live", "live", "x").await;
    let first = tags.iter().position(|(.., body)| begins(body)).unwrap();
    let (begin, rest) = tags.split_at(first + 1);
    for (kind, timestamp_ms, body) in begin {
        publisher.tag(*kind, *timestamp_ms, body);
    }
    publisher.flush().await;
    functions.until("the session", |log| log.sessions.len() == 1).await;
    tokio::time::sleep(wait).await;
    for (kind, timestamp_ms, body) in rest {
        publisher.tag(*kind, *timestamp_ms, body);
    }
    publisher.flush().await;
    publisher.finish().await;
    let session = functions.ended(1).await.remove(0);
    gateway.stop().await;
    session
}

/// Whether it is coded media of the recorded track, of one of the kinds that are made here.
fn begins(body: &[u8]) -> bool {
    matches!(body, [0x17 | 0xaf, 1, ..] | [0x96, 0x11, ..])
}

fn picture(is_key: bool, number: u32, size: usize) -> Vec<u8> {
    let (first, unit) = if is_key { (0x17, 0x65) } else { (0x27, 0x41) };
    let mut body = [&[first, 1, 0, 0, 0, 0, 0, 0, 7, unit, 0x80, 0][..], &number.to_be_bytes()].concat();
    body.resize(body.len().max(size), 0);
    body
}

/// All tags of each chunk.
fn chunks(session: &Session) -> Vec<Vec<Tag>> {
    let tag = |tag: flv::Tag<'_>| Tag {
        kind: tag.kind.wire(),
        timestamp_ms: tag.timestamp_ms,
        body: tag.body.to_vec(),
    };
    let tags = |chunk| Reader::new(chunk).unwrap().map(|read| tag(read.unwrap())).collect();
    session.chunks.iter().map(|(_, chunk)| tags(chunk)).collect()
}

/// The times of the first frames of the chunks.
fn starts_ms(session: &Session) -> Vec<u32> {
    session.chunks.iter().map(|(_, chunk)| coded(chunk)[0].timestamp_ms).collect()
}

/// All coded media came, once and in order.
#[track_caller]
fn check_frames(session: &Session, sent: &[Sent]) {
    let recorded: Vec<Tag> = session.chunks.iter().flat_map(|(_, chunk)| coded(chunk)).collect();
    let mut flv = Vec::new();
    flv::write_header(&mut flv, true, true);
    for (kind, timestamp_ms, body) in sent {
        flv::write_tag(&mut flv, *kind, *timestamp_ms, body).unwrap();
    }
    let sent = coded(&flv);
    assert_eq!(recorded.len(), sent.len());
    assert!(recorded == sent);
}

/// Each frame with the configuration that holds for its track where it is.
fn configured(tags: impl IntoIterator<Item = (u8, Vec<u8>)>) -> Vec<[Vec<u8>; 2]> {
    let mut held = [Vec::new(), Vec::new()];
    let mut frames = Vec::new();
    for (kind, body) in tags.into_iter().filter(|(kind, _)| *kind != 18) {
        match body[1] {
            0 => held[usize::from(kind == 9)] = body,
            _ => frames.push([held[usize::from(kind == 9)].clone(), body]),
        }
    }
    frames
}

/// All frames came, each behind the configuration that it was pushed behind.
#[track_caller]
fn check_configured(session: &Session, sent: &[Sent]) {
    let pushed = sent.iter().filter(|(_, _, body)| body[0] != 0x96);
    let pushed = configured(pushed.map(|(kind, _, body)| (kind.wire(), body.clone())));
    let tags = |tags: Vec<Tag>| configured(tags.into_iter().map(|tag| (tag.kind, tag.body)));
    let recorded: Vec<_> = chunks(session).into_iter().flat_map(tags).collect();
    let differs = recorded.iter().zip(&pushed).position(|(recorded, pushed)| recorded != pushed);
    assert_eq!((differs, recorded.len()), (None, pushed.len()));
}
