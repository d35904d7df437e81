//! Publishers that send what other servers pass over.

use flv::TagKind;
use rtmp::{ChunkWriter, ClientSession, ClientState, Media, Message};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    Gateway, functions,
    media::{AUDIO_HEADER, Tag, VIDEO_HEADER, frames},
};

/// A publisher that can also send bytes of its own making.
struct Publisher {
    socket: TcpStream,
    session: ClientSession,
}

impl Publisher {
    async fn start(gateway: &Gateway, tc_url: &str, app: &str, name: &str) -> Self {
        let socket = TcpStream::connect(gateway.address).await.unwrap();
        let mut publisher = Self { socket, session: ClientSession::new(tc_url, app, name) };
        let mut received = Vec::new();
        while publisher.session.state() != ClientState::Publishing {
            publisher.flush().await;
            assert!(publisher.socket.read_buf(&mut received).await.unwrap() > 0, "closed");
            let mut rest = received.as_slice();
            publisher.session.read(&mut rest).unwrap();
            received = rest.to_vec();
        }
        publisher.tag(TagKind::Video, 0, &VIDEO_HEADER);
        publisher.tag(TagKind::Audio, 0, &AUDIO_HEADER);
        publisher
    }

    async fn flush(&mut self) {
        let output = std::mem::take(self.session.output());
        self.socket.write_all(&output).await.unwrap();
    }

    fn tag(&mut self, kind: TagKind, timestamp_ms: u32, body: &[u8]) {
        self.session.send(&Media { kind, timestamp_ms, body });
    }

    /// One second of video and audio from a time on; what is recorded of it.
    fn second(&mut self, from_ms: u32) -> Vec<Tag> {
        let mut sent = Vec::new();
        for at in 0..25 {
            let timestamp_ms = from_ms + at * 40;
            let video = vec![if at == 0 { 0x17 } else { 0x27 }, 1, 0, 0, 0, at as u8];
            let audio = vec![0xaf, 1, at as u8];
            self.tag(TagKind::Video, timestamp_ms, &video);
            self.tag(TagKind::Audio, timestamp_ms, &audio);
            sent.push(Tag { kind: 9, timestamp_ms, body: video });
            sent.push(Tag { kind: 8, timestamp_ms, body: audio });
        }
        sent
    }

    fn message(&mut self, chunk_stream: u8, type_id: u8, stream_id: u32, timestamp_ms: u32, payload: &[u8]) {
        // Each piece is below the chunk size that both ends begin with.
        assert!(payload.len() <= 128);
        let message = Message { type_id, stream_id, timestamp_ms, payload };
        ChunkWriter::new().write(self.session.output(), chunk_stream, &message);
    }

    async fn finish(mut self) {
        self.session.finish();
        self.flush().await;
        self.socket.shutdown().await.unwrap();
        self.socket.read_to_end(&mut Vec::new()).await.unwrap();
    }
}

/// Pushes two seconds with something odd between them: both are recorded, and what is odd as told.
async fn check(odd: impl FnOnce(&mut Publisher) -> Vec<Tag>) {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    let gateway = Gateway::start(&functions.url(), &folder.path().join("spool")).await;
    let mut publisher = Publisher::start(&gateway, "rtmp://h/live", "live", "x").await;
    let mut expected = publisher.second(0);
    expected.extend(odd(&mut publisher));
    expected.extend(publisher.second(1_000));
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
        publisher.session.output().extend([0x42, 0, 0, 0, 0, 0, 6, 4, 0, 7, 0, 0, 0, 1]);
        publisher.session.output().extend([0x47, 0, 3, 0xca, 0, 0, 3, 8, 0xaf, 1, 77]);
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
        let mut publisher = Publisher::start(&gateway, tc_url, app, name).await;
        let sent = publisher.second(0);
        publisher.finish().await;
        let session = functions.ended(at + 1).await.pop().unwrap();
        assert_eq!(session.stream, expected);
        assert_eq!(frames(&session.chunks), sent);
    }
    gateway.stop().await;
}
