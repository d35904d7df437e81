mod answers;
mod passed_over;
mod peer;

use flv::TagKind;

use super::*;
use crate::{ClientSession, ClientState};

#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Publish(Publish),
    Media(TagKind, u32, Vec<u8>),
    Unpublish,
    Skipped(Skipped),
}

impl Seen {
    fn of(event: ServerEvent<'_>) -> Self {
        match event {
            ServerEvent::Publish(publish) => Self::Publish(publish),
            ServerEvent::Media(media) => Self::Media(media.kind, media.timestamp_ms, media.body.to_vec()),
            ServerEvent::Unpublish => Self::Unpublish,
            ServerEvent::Skipped(skipped) => Self::Skipped(skipped),
        }
    }
}

/// Gives the server some bytes and returns what it makes of them; it accepts what is asked.
fn feed(server: &mut ServerSession, rest: &mut &[u8]) -> Vec<Seen> {
    let mut seen = Vec::new();
    while let Some(event) = server.read(rest).unwrap() {
        let event = Seen::of(event);
        if matches!(event, Seen::Publish(_)) {
            server.accept();
        }
        seen.push(event);
    }
    seen
}

/// Moves bytes both ways until neither side has anything to say; the server accepts what is asked.
fn exchange(client: &mut ClientSession, server: &mut ServerSession, step: usize) -> Vec<Seen> {
    let mut seen = Vec::new();
    let (mut at_server, mut at_client) = (Vec::new(), Vec::new());
    loop {
        let sent = std::mem::take(client.output());
        let answered = std::mem::take(server.output());
        if sent.is_empty() && answered.is_empty() {
            return seen;
        }
        for piece in sent.chunks(step) {
            at_server.extend_from_slice(piece);
            let mut rest = at_server.as_slice();
            seen.extend(feed(server, &mut rest));
            at_server = rest.to_vec();
        }
        for piece in answered.chunks(step) {
            at_client.extend_from_slice(piece);
            let mut rest = at_client.as_slice();
            client.read(&mut rest).unwrap();
            at_client = rest.to_vec();
        }
    }
}

#[test]
fn a_publish_arrives_whole_whatever_the_pieces() {
    for step in [1, 5, 100, 4096, 1 << 20] {
        let mut client = ClientSession::new("rtmp://h/live?vhost=d", "live", "talk?key=1");
        let mut server = ServerSession::new();
        let seen = exchange(&mut client, &mut server, step);
        let publish =
            Publish { tc_url: "rtmp://h/live?vhost=d".into(), app: "live".into(), name: "talk?key=1".into() };
        assert_eq!(seen, [Seen::Publish(publish)]);
        assert_eq!(client.state(), ClientState::Publishing);

        // Enhanced RTMP: not looked into.
        let body = [&[0x90, b'h', b'v', b'c', b'1'][..], &[7; 100_000]].concat();
        let script = [2, 0, 1, b'x'];
        client.send(&Media { kind: TagKind::Script, timestamp_ms: 0, body: &script });
        client.send(&Media { kind: TagKind::Video, timestamp_ms: u32::MAX, body: &body });
        client.finish();
        let seen = exchange(&mut client, &mut server, step);
        let expected = [
            Seen::Media(TagKind::Script, 0, script.to_vec()),
            Seen::Media(TagKind::Video, u32::MAX, body),
            Seen::Unpublish,
        ];
        assert_eq!(seen, expected);
    }
}

#[test]
fn a_refused_publisher_learns_why() {
    let mut client = ClientSession::new("rtmp://h/live", "live", "..");
    let mut server = ServerSession::new();
    let error = loop {
        let sent = std::mem::take(client.output());
        let asked = matches!(server.read(&mut sent.as_slice()).unwrap(), Some(ServerEvent::Publish(_)));
        if asked {
            server.refuse("NetStream.Publish.BadName", "stream name is \"..\"");
        }
        let answered = std::mem::take(server.output());
        if let Err(error) = client.read(&mut answered.as_slice()) {
            break error;
        }
    };
    assert_eq!(error.to_string(), "server refused: NetStream.Publish.BadName: stream name is \"..\"");
}

#[test]
fn a_publish_that_was_accepted_can_be_ended_and_nothing_more_of_it_arrives() {
    let mut client = ClientSession::new("rtmp://h/live", "live", "x");
    let mut server = ServerSession::new();
    exchange(&mut client, &mut server, 1 << 20);
    server.refuse("NetStream.Publish.Denied", "no more");
    client.send(&Media { kind: TagKind::Audio, timestamp_ms: 0, body: &[1] });
    assert_eq!(feed(&mut server, &mut client.output().as_slice()), []);
    let error = client.read(&mut server.output().as_slice()).unwrap_err().to_string();
    assert_eq!(error, "server refused: NetStream.Publish.Denied: no more");
}

#[test]
fn media_before_the_publish_is_accepted_is_dropped() {
    let mut client = ClientSession::new("rtmp://h/live", "live", "x");
    let mut server = ServerSession::new();
    let mut sent = std::mem::take(client.output());
    server.read(&mut sent.as_slice()).unwrap();
    let answered = std::mem::take(server.output());
    client.read(&mut answered.as_slice()).unwrap();
    client.send(&Media { kind: TagKind::Audio, timestamp_ms: 0, body: &[1] });
    sent = std::mem::take(client.output());
    assert_eq!(server.read(&mut sent.as_slice()), Ok(None));
}

#[test]
fn a_long_message_is_read_after_the_publish_alone() {
    let body = vec![0x17; 2 * MAX_EARLY_BYTES];
    let mut sent = Vec::new();
    let message = Message { type_id: message::VIDEO, stream_id: 1, timestamp_ms: 0, payload: &body };
    crate::ChunkWriter::new().write(&mut sent, 4, &message);
    let mut server = ServerSession { stage: Stage::Done, ..ServerSession::new() };
    let outcome = server.read(&mut sent.as_slice());
    assert!(
        matches!(outcome, Err(Error::PartialMessagesTooLong { limit: MAX_EARLY_BYTES, .. })),
        "{outcome:?}"
    );

    let mut client = ClientSession::new("rtmp://h/live", "live", "talk");
    let mut server = ServerSession::new();
    exchange(&mut client, &mut server, 4096);
    client.send(&Media { kind: TagKind::Video, timestamp_ms: 0, body: &body });
    assert_eq!(exchange(&mut client, &mut server, 4096), [Seen::Media(TagKind::Video, 0, body)]);
}
