//! Publishers that send what other servers pass over.

use flv::TagKind;

use crate::{
    Gateway, functions,
    media::{AUDIO_HEADER, Tag, VIDEO_HEADER, frames},
    publisher::Publisher,
};

/// A push that has sent its configurations.
async fn start(gateway: &Gateway, tc_url: &str, app: &str, name: &str) -> Publisher {
    let mut publisher = Publisher::start(gateway, tc_url, app, name).await;
    publisher.tag(TagKind::Video, 0, &VIDEO_HEADER);
    publisher.tag(TagKind::Audio, 0, &AUDIO_HEADER);
    publisher
}

/// Sends one second of video and audio from a time on; what is recorded of it.
fn second(publisher: &mut Publisher, from_ms: u32) -> Vec<Tag> {
    let mut sent = Vec::new();
    for at in 0..25 {
        let timestamp_ms = from_ms + at * 40;
        let video = vec![if at == 0 { 0x17 } else { 0x27 }, 1, 0, 0, 0, at as u8];
        let audio = vec![0xaf, 1, at as u8];
        publisher.tag(TagKind::Video, timestamp_ms, &video);
        publisher.tag(TagKind::Audio, timestamp_ms, &audio);
        sent.push(Tag { kind: 9, timestamp_ms, body: video });
        sent.push(Tag { kind: 8, timestamp_ms, body: audio });
    }
    sent
}

/// Pushes two seconds with something odd between them: both are recorded, and what is odd as told.
async fn check(odd: impl FnOnce(&mut Publisher) -> Vec<Tag>) {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    let mut publisher = start(&gateway, "rtmp://h/live", "live", "x").await;
    let mut expected = second(&mut publisher, 0);
    expected.extend(odd(&mut publisher));
    expected.extend(second(&mut publisher, 1_000));
    publisher.flush().await;
    publisher.finish().await;
    let session = functions.ended(1).await.remove(0);
    assert_eq!(frames(&session.chunks), expected);
    assert_eq!(session.stream, "h/live/x");
    gateway.stop().await;
}

#[tokio::test]
async fn commands_that_cannot_be_read_end_no_push() {
    check(|publisher| {
        publisher.message(3, 20, 0, 0, b"");
        publisher.message(3, 17, 0, 0, b"\x11\x06\x0bhello");
        publisher.message(3, 20, 0, 0, b"\x02\0\x09publ");
        publisher.message(3, 20, 0, 0, &[0; 18]);
        publisher.message(2, 5, 0, 0, &[0, 1]);
        publisher.message(2, 1, 0, 0, &[0; 4]);
        publisher.message(3, 4, 0, 0, &[0, 6]);
        Vec::new()
    })
    .await;
}

#[tokio::test]
async fn a_connection_publishes_one_stream_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    let mut publisher = start(&gateway, "rtmp://h/live", "live", "x").await;
    let mut expected = vec![("h/live/x".to_owned(), second(&mut publisher, 0))];
    for (name, from_ms) in [("y", 0), ("x", 2_000)] {
        let delete = b"\x02\0\x0cdeleteStream\0\0\0\0\0\0\0\0\0\x05\0\x3f\xf0\0\0\0\0\0\0";
        let publish = [b"\x02\0\x07publish\0\0\0\0\0\0\0\0\0\x05\x02\0\x01", name.as_bytes()].concat();
        publisher.message(3, 20, 0, 0, delete);
        publisher.message(3, 20, 1, 0, &publish);
        publisher.tag(TagKind::Video, from_ms, &VIDEO_HEADER);
        publisher.tag(TagKind::Audio, from_ms, &AUDIO_HEADER);
        expected.push((format!("h/live/{name}"), second(&mut publisher, from_ms)));
    }
    publisher.flush().await;
    publisher.finish().await;
    let sessions = functions.ended(3).await;
    let recorded = sessions.iter().map(|session| (session.stream.clone(), frames(&session.chunks)));
    let mut recorded: Vec<_> = recorded.collect();
    // Pushes of one millisecond have no order among their names, nor has what is sent at once.
    for pushes in [&mut recorded, &mut expected] {
        pushes.sort_by_key(|(stream, frames)| (stream.clone(), frames[0].timestamp_ms));
    }
    assert!(recorded == expected, "{recorded:#?}");
    gateway.stop().await;
}

#[tokio::test]
async fn a_second_publish_ends_no_push() {
    check(|publisher| {
        for name in [b"x", b"y"] {
            let publish = [b"\x02\0\x07publish\0\0\0\0\0\0\0\0\0\x05\x02\0\x01", &name[..]].concat();
            publisher.message(3, 20, 1, 0, &publish);
        }
        Vec::new()
    })
    .await;
}

#[tokio::test]
async fn an_aggregate_is_taken_apart() {
    check(|publisher| {
        let part = |time: u8, body: &[u8]| {
            let header = [8, 0, 0, body.len() as u8, 0, 0, time, 0, 0, 0, 0];
            [&header[..], body, &[0, 0, 0, body.len() as u8 + 11]].concat()
        };
        let parts = [part(100, &[0xaf, 1, 77]), part(120, &[0xaf, 1, 78])].concat();
        publisher.message(6, 22, 1, 970, &parts);
        let tag = |timestamp_ms, last| Tag { kind: 8, timestamp_ms, body: vec![0xaf, 1, last] };
        vec![tag(970, 77), tag(990, 78)]
    })
    .await;
}

#[tokio::test]
async fn chunk_streams_may_begin_with_a_header_of_type_1() {
    check(|publisher| {
        // librtmp's answer to a ping, and audio on a chunk stream that nothing used before.
        publisher.output().extend([0x42, 0, 0, 0, 0, 0, 6, 4, 0, 7, 0, 0, 0, 1]);
        publisher.output().extend([0x47, 0, 3, 0xca, 0, 0, 3, 8, 0xaf, 1, 77]);
        vec![Tag { kind: 8, timestamp_ms: 970, body: vec![0xaf, 1, 77] }]
    })
    .await;
}

#[tokio::test]
async fn publishers_that_name_their_stream_oddly_are_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    let cases = [
        ("", "live", "a", "127.0.0.1/live/a"),
        ("rtmp://h/live/room", "live/room", "b", "h/live/room/b"),
        ("rtmp://h/live/_definst_", "live/_definst_", "c?k=v", "h/live/c"),
        ("rtmp://h/live", "live", "room/d", "h/live/room/d"),
    ];
    for (at, (tc_url, app, name, expected)) in cases.into_iter().enumerate() {
        let mut publisher = start(&gateway, tc_url, app, name).await;
        let sent = second(&mut publisher, 0);
        publisher.finish().await;
        let session = functions.ended(at + 1).await.pop().unwrap();
        assert_eq!(session.stream, expected);
        assert_eq!(frames(&session.chunks), sent);
    }
    gateway.stop().await;
}
