//! The client's end: publishing one stream.

use amf0::Value;
use flv::TagKind;

use crate::{
    ChunkReader, ChunkWriter, Error, Media, Message,
    chunk::Step,
    command::{self, Command, object, string},
    handshake, message,
};

/// Chunk size of the media: few headers, and small enough for audio between the pieces of a picture.
const CHUNK_SIZE: u32 = 60_000;

/// Transactions of the commands that are answered.
const CONNECT: f64 = 1.0;
const CREATE_STREAM: f64 = 4.0;

/// Chunk streams of the media, as other publishers number them.
const DATA: u8 = 5;
const AUDIO: u8 = 4;
const VIDEO: u8 = 6;

/// How far a publish has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientState {
    /// Waiting for the handshake.
    Handshake,
    /// Waiting for the answers to connect, createStream and publish.
    Asking,
    /// Media may be sent.
    Publishing,
}

/// A connection that publishes one stream.
#[derive(Debug)]
pub struct ClientSession {
    state: ClientState,
    reader: ChunkReader,
    writer: ChunkWriter,
    tc_url: String,
    app: String,
    name: String,
    stream_id: u32,
    output: Vec<u8>,
}

impl ClientSession {
    /// A session at the start of a connection; `app` and `name` may carry query strings.
    #[must_use]
    pub fn new(tc_url: &str, app: &str, name: &str) -> Self {
        let mut output = Vec::new();
        handshake::ask(&mut output);
        Self {
            state: ClientState::Handshake,
            reader: ChunkReader::new(),
            writer: ChunkWriter::new(),
            tc_url: tc_url.into(),
            app: app.into(),
            name: name.into(),
            stream_id: 0,
            output,
        }
    }

    /// How far it has come.
    #[must_use]
    pub fn state(&self) -> ClientState {
        self.state
    }

    /// What is to be sent to the server; the caller empties it.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// Takes what the server sent from the front of `input`; what is left begins the next call's input.
    ///
    /// # Errors
    /// [`Error::Refused`] when the server does not want the stream, or any [`Error`] about what it sent.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<(), Error> {
        if self.state == ClientState::Handshake {
            if !handshake::confirm(input, &mut self.output)? {
                return Ok(());
            }
            self.state = ClientState::Asking;
            self.connect();
        }
        while let Some(step) = self.reader.advance(input)? {
            let Step::Message(received) = step else { continue };
            let message = self.reader.message(received);
            if !matches!(message.type_id, message::COMMAND_AMF0 | message::COMMAND_AMF3) {
                continue;
            }
            // A command that cannot be read is none that this end waits for.
            if let Ok(command) = Command::decode(&message) {
                self.follow(&command)?;
            }
        }
        Ok(())
    }

    /// Appends a media message to the output.
    pub fn send(&mut self, media: &Media<'_>) {
        let &Media { kind, timestamp_ms, body } = media;
        let (type_id, chunk_stream) = match kind {
            TagKind::Audio => (message::AUDIO, AUDIO),
            TagKind::Video => (message::VIDEO, VIDEO),
            TagKind::Script => (message::DATA_AMF0, DATA),
        };
        let stream_id = self.stream_id;
        let mut with_prefix = Vec::new();
        let payload = if kind == TagKind::Script {
            string("@setDataFrame").encode(&mut with_prefix);
            with_prefix.extend_from_slice(body);
            &with_prefix
        } else {
            body
        };
        self.writer.write(
            &mut self.output,
            chunk_stream,
            &Message { type_id, stream_id, timestamp_ms, payload },
        );
    }

    /// Appends the end of the stream to the output.
    pub fn finish(&mut self) {
        let name = string(&self.name);
        self.command("FCUnpublish", 6.0, &[Value::Null, name]);
        self.command("deleteStream", 7.0, &[Value::Null, Value::Number(f64::from(self.stream_id))]);
    }

    fn connect(&mut self) {
        self.writer.set_chunk_size(&mut self.output, CHUNK_SIZE);
        let properties = object([
            ("app", string(&self.app)),
            ("type", string("nonprivate")),
            ("flashVer", string("FMLE/3.0 (compatible; live-recorder)")),
            ("tcUrl", string(&self.tc_url)),
        ]);
        self.command("connect", CONNECT, &[properties]);
    }

    fn follow(&mut self, command: &Command) -> Result<(), Error> {
        match command.name.as_str() {
            "_result" if command.transaction == CONNECT => {
                let name = string(&self.name);
                self.command("releaseStream", 2.0, &[Value::Null, name.clone()]);
                self.command("FCPublish", 3.0, &[Value::Null, name]);
                self.command("createStream", CREATE_STREAM, &[Value::Null]);
            }
            "_result" if command.transaction == CREATE_STREAM => {
                let id = command.values.get(1).and_then(Value::as_number).unwrap_or(1.0);
                self.stream_id = id as u32;
                let values = [Value::Null, string(&self.name), string("live")];
                command::write(&self.writer, &mut self.output, self.stream_id, "publish", 5.0, &values);
            }
            "_error" => return Err(refused(command)),
            "onStatus" => match information(command, "level").as_str() {
                "error" => return Err(refused(command)),
                _ if information(command, "code") == "NetStream.Publish.Start" => {
                    self.state = ClientState::Publishing;
                }
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }

    fn command(&mut self, name: &str, transaction: f64, values: &[Value]) {
        command::write(&self.writer, &mut self.output, 0, name, transaction, values);
    }
}

/// A field of the information object that follows the command object.
fn information(command: &Command, field: &str) -> String {
    let value = command.values.get(1).and_then(|information| information.get(field));
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn refused(command: &Command) -> Error {
    Error::Refused { code: information(command, "code"), description: information(command, "description") }
}

#[cfg(test)]
mod tests;
