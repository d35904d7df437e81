//! What the server sends.

use amf0::Value;

use crate::{
    ChunkWriter, Message,
    command::{self, Command, object, string},
    message,
};

/// Chunk stream of protocol control messages (RTMP 1.0 §5.4).
const CONTROL: u8 = 2;

/// The server's messages, as bytes that wait to be sent.
#[derive(Debug, Default)]
pub(super) struct Answers {
    writer: ChunkWriter,
    pub(super) output: Vec<u8>,
}

impl Answers {
    pub(super) fn set_chunk_size(&mut self, size: u32) {
        self.writer.set_chunk_size(&mut self.output, size);
    }

    /// The result of a command that awaits one.
    pub(super) fn result(&mut self, command: &Command, values: &[Value]) {
        command::write(&self.writer, &mut self.output, 0, "_result", command.transaction, values);
    }

    /// The result of a command of which nothing is to be told.
    pub(super) fn empty_result(&mut self, command: &Command) {
        self.result(command, &[Value::Null, Value::Undefined]);
    }

    pub(super) fn status(&mut self, stream_id: u32, level: &str, code: &str, description: &str) {
        let information =
            object([("level", string(level)), ("code", string(code)), ("description", string(description))]);
        let values = [Value::Null, information];
        command::write(&self.writer, &mut self.output, stream_id, "onStatus", 0.0, &values);
    }

    pub(super) fn publish_started(&mut self, stream_id: u32) {
        self.status(stream_id, "status", "NetStream.Publish.Start", "publishing");
    }

    /// `onFCPublish` and `onFCUnpublish`, which Flash Media Server sends beside a result.
    pub(super) fn announce(&mut self, name: &str, code: &str, description: &str) {
        let information = object([("code", string(code)), ("description", string(description))]);
        command::write(&self.writer, &mut self.output, 0, name, 0.0, &[Value::Null, information]);
    }

    pub(super) fn user_control(&mut self, event: u16, value: u32) {
        self.control(message::USER_CONTROL, &[&event.to_be_bytes()[..], &value.to_be_bytes()].concat());
    }

    pub(super) fn control(&mut self, type_id: u8, payload: &[u8]) {
        let message = Message { type_id, stream_id: 0, timestamp_ms: 0, payload };
        self.writer.write(&mut self.output, CONTROL, &message);
    }
}
