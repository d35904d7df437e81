//! A publisher that speaks as the tests want.

use super::*;
use crate::message::{AUDIO, COMMAND_AMF0};

/// A publisher that sends any message at any time.
pub(super) struct Peer {
    pub(super) server: ServerSession,
    pub(super) chunks: crate::ChunkWriter,
    pub(super) heard: ChunkReader,
}

impl Peer {
    /// After the handshake and the answer to connect.
    pub(super) fn connected() -> Self {
        let (server, chunks) = (ServerSession::new(), crate::ChunkWriter::new());
        let mut peer = Self { server, chunks, heard: ChunkReader::new() };
        let mut handshake = vec![0; 1 + 2 * 1536];
        handshake[0] = 3;
        assert_eq!(feed(&mut peer.server, &mut handshake.as_slice()), []);
        peer.server.output().clear();
        let properties = object([("app", string("live")), ("tcUrl", string("rtmp://h/live"))]);
        assert_eq!(peer.command(0, "connect", 1.0, &[properties]), []);
        peer
    }

    /// A push of `live/talk` on message stream 1.
    pub(super) fn publishing() -> Self {
        let mut peer = Self::connected();
        peer.command(0, "createStream", 2.0, &[Value::Null]);
        assert!(matches!(peer.publish(1, "talk")[..], [Seen::Publish(_)]));
        peer.answers();
        peer
    }

    pub(super) fn send(
        &mut self,
        type_id: u8,
        stream_id: u32,
        timestamp_ms: u32,
        payload: &[u8],
    ) -> Vec<Seen> {
        let mut bytes = Vec::new();
        let chunk_stream = if stream_id == 0 { 3 } else { 4 };
        self.chunks.write(&mut bytes, chunk_stream, &Message { type_id, stream_id, timestamp_ms, payload });
        let mut rest = bytes.as_slice();
        let seen = feed(&mut self.server, &mut rest);
        assert!(rest.is_empty());
        seen
    }

    pub(super) fn command(
        &mut self,
        stream_id: u32,
        name: &str,
        transaction: f64,
        values: &[Value],
    ) -> Vec<Seen> {
        let mut payload = Vec::new();
        string(name).encode(&mut payload);
        Value::Number(transaction).encode(&mut payload);
        values.iter().for_each(|value| value.encode(&mut payload));
        self.send(COMMAND_AMF0, stream_id, 0, &payload)
    }

    pub(super) fn publish(&mut self, stream_id: u32, name: &str) -> Vec<Seen> {
        self.command(stream_id, "publish", 5.0, &[Value::Null, string(name), string("live")])
    }

    /// Whether media of that message stream arrives.
    pub(super) fn records(&mut self, stream_id: u32) -> bool {
        let seen = self.send(AUDIO, stream_id, 40, &[0xaf, 1, 7]);
        let expected = Seen::Media(TagKind::Audio, 40, vec![0xaf, 1, 7]);
        assert!(seen.is_empty() || seen == [expected]);
        !seen.is_empty()
    }

    /// What the server answered since the last call: names of commands with their codes, types of the others.
    pub(super) fn answers(&mut self) -> Vec<String> {
        let output = std::mem::take(self.server.output());
        let (mut rest, mut answers) = (output.as_slice(), Vec::new());
        while let Some(message) = self.heard.read(&mut rest).unwrap() {
            answers.push(match Command::decode(&message) {
                Ok(command) if message.type_id == COMMAND_AMF0 => {
                    let code = command.values.get(1).and_then(|value| value.get("code"));
                    let code = code.and_then(Value::as_str).unwrap_or_default();
                    format!("{} {} {code}", command.name, command.transaction).trim().to_owned()
                }
                _ => format!("type {}", message.type_id),
            });
        }
        answers
    }
}
