//! The server's end: what a publisher asks for, and its media.

use amf0::Value;

use crate::{
    ChunkReader, ChunkWriter, Error, Media, MediaKind, Message,
    command::{self, Command, object, string},
    handshake, message,
};

/// Chunk size of what the server says.
const CHUNK_SIZE: u32 = 4096;

/// Bytes after which the peers acknowledge (RTMP 1.0 §5.4.3); the value that other servers announce.
const WINDOW: u32 = 2_500_000;

/// The smallest window that is obeyed, lest a hostile peer make every byte cost an answer.
const MIN_WINDOW: u32 = 4096;

/// Chunk stream of protocol control messages (RTMP 1.0 §5.4).
const CONTROL: u8 = 2;

/// The message stream of every publish; a connection has one at a time.
const STREAM: u32 = 1;

/// User control events (RTMP 1.0 §7.1.7).
const STREAM_BEGIN: u16 = 0;
const PING_REQUEST: u16 = 6;
const PING_RESPONSE: u16 = 7;

/// What a publisher asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publish {
    /// The connect command's `tcUrl`, empty if it had none.
    pub tc_url: String,
    /// The connect command's `app`, with any query string it came with.
    pub app: String,
    /// The publish command's name, with any query string it came with.
    pub name: String,
}

/// What a publisher did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerEvent<'a> {
    /// It asks to publish: answer with [`ServerSession::accept`] or [`ServerSession::refuse`].
    Publish(Publish),
    /// It sent media of the stream that it publishes.
    Media(Media<'a>),
    /// It ended the stream; the connection may publish another.
    Unpublish,
}

/// A publisher's connection.
#[derive(Debug, Default)]
pub struct ServerSession {
    stage: Stage,
    reader: ChunkReader,
    writer: ChunkWriter,
    tc_url: String,
    app: Option<String>,
    publishing: Publishing,
    acknowledgement: Acknowledgement,
    output: Vec<u8>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Asked,
    Answered,
    Done,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Publishing {
    #[default]
    No,
    Requested,
    Accepted,
}

impl ServerSession {
    /// A session at the start of a connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// What is to be sent to the publisher; the caller empties it.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// Takes bytes from the front of `input` until something happens, or returns `None`.
    ///
    /// After `None`, what is left of `input` begins the next call's input; it is shorter than 1.6 KB.
    ///
    /// # Errors
    /// Any [`Error`]; the connection is then of no more use, but for what [`output`](Self::output) holds.
    pub fn read<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Result<Option<ServerEvent<'a>>, Error> {
        if !self.shake_hands(input)? {
            return Ok(None);
        }
        loop {
            let before = input.len();
            let received = self.reader.advance(input)?;
            self.acknowledge(before - input.len());
            let Some(received) = received else { return Ok(None) };
            let message = self.reader.message(received);
            match message.type_id {
                message::AUDIO | message::VIDEO | message::DATA_AMF0 | message::DATA_AMF3
                    if self.publishing == Publishing::Accepted && media(&message).is_some() =>
                {
                    return Ok(media(&self.reader.message(received)).map(ServerEvent::Media));
                }
                message::COMMAND_AMF0 | message::COMMAND_AMF3 => {
                    let command = Command::decode(&message)?;
                    if let Some(event) = self.obey(&command)? {
                        return Ok(Some(event));
                    }
                }
                message::WINDOW_ACKNOWLEDGEMENT_SIZE => {
                    self.acknowledgement.window = message.first_u32()?.max(MIN_WINDOW);
                }
                message::USER_CONTROL => {
                    if let Some(time) = ping_time(message.payload) {
                        self.user_control(PING_RESPONSE, time);
                    }
                }
                message::AGGREGATE => return Err(Error::Aggregate { bytes: message.payload.len() }),
                // Acknowledgements, bandwidths, shared objects: nothing here needs them.
                _ => {}
            }
        }
    }

    /// Says that the publish requested last is welcome.
    pub fn accept(&mut self) {
        self.publishing = Publishing::Accepted;
        self.user_control(STREAM_BEGIN, STREAM);
        self.status("status", "NetStream.Publish.Start", "publishing");
    }

    /// Says that the publish requested last is not welcome, such as `NetStream.Publish.BadName`.
    pub fn refuse(&mut self, code: &str, description: &str) {
        self.publishing = Publishing::No;
        self.status("error", code, description);
    }

    fn shake_hands(&mut self, input: &mut &[u8]) -> Result<bool, Error> {
        if self.stage == Stage::Asked && handshake::answer(input, &mut self.output)? {
            self.stage = Stage::Answered;
        }
        if self.stage == Stage::Answered && handshake::finish(input) {
            self.stage = Stage::Done;
        }
        Ok(self.stage == Stage::Done)
    }

    fn obey(&mut self, command: &Command) -> Result<Option<ServerEvent<'static>>, Error> {
        match command.name.as_str() {
            "connect" => self.connect(command),
            // Nothing is to be released or announced; some encoders wait for the answer.
            "releaseStream" | "FCPublish" => self.result(command, &[Value::Null, Value::Undefined]),
            "createStream" => self.result(command, &[Value::Null, Value::Number(f64::from(STREAM))]),
            "publish" => return self.publish(command).map(Some),
            "FCUnpublish" | "closeStream" | "deleteStream" => {
                let was = std::mem::take(&mut self.publishing);
                if was == Publishing::Accepted {
                    self.status("status", "NetStream.Unpublish.Success", "unpublished");
                    return Ok(Some(ServerEvent::Unpublish));
                }
            }
            "play" | "play2" => {
                self.status("error", "NetStream.Play.Failed", "this server records, it plays nothing");
                return Err(unexpected(command, "this server records, it plays nothing"));
            }
            _ => {}
        }
        Ok(None)
    }

    fn connect(&mut self, command: &Command) {
        let text = |name| command.property(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        self.tc_url = text("tcUrl");
        self.app = Some(text("app"));
        self.control(message::WINDOW_ACKNOWLEDGEMENT_SIZE, &WINDOW.to_be_bytes());
        // 2: the limit is dynamic (RTMP 1.0 §5.4.5).
        self.control(message::SET_PEER_BANDWIDTH, &[&WINDOW.to_be_bytes()[..], &[2]].concat());
        self.writer.set_chunk_size(&mut self.output, CHUNK_SIZE);
        let encoding = command.property("objectEncoding").and_then(Value::as_number).unwrap_or(0.0);
        let server = object([("fmsVer", string("FMS/3,5,7,7009")), ("capabilities", Value::Number(31.0))]);
        let information = object([
            ("level", string("status")),
            ("code", string("NetConnection.Connect.Success")),
            ("description", string("connected")),
            ("objectEncoding", Value::Number(encoding)),
        ]);
        self.result(command, &[server, information]);
    }

    fn publish(&mut self, command: &Command) -> Result<ServerEvent<'static>, Error> {
        let Some(app) = self.app.clone() else {
            return Err(unexpected(command, "the connection has sent no connect"));
        };
        if self.publishing != Publishing::No {
            return Err(unexpected(command, "the connection publishes already"));
        }
        self.publishing = Publishing::Requested;
        let name = command.string(1).unwrap_or_default().to_owned();
        Ok(ServerEvent::Publish(Publish { tc_url: self.tc_url.clone(), app, name }))
    }

    fn result(&mut self, command: &Command, values: &[Value]) {
        command::write(&self.writer, &mut self.output, 0, "_result", command.transaction, values);
    }

    fn status(&mut self, level: &str, code: &str, description: &str) {
        let information =
            object([("level", string(level)), ("code", string(code)), ("description", string(description))]);
        let values = [Value::Null, information];
        command::write(&self.writer, &mut self.output, STREAM, "onStatus", 0.0, &values);
    }

    fn user_control(&mut self, event: u16, value: u32) {
        self.control(message::USER_CONTROL, &[&event.to_be_bytes()[..], &value.to_be_bytes()].concat());
    }

    fn control(&mut self, type_id: u8, payload: &[u8]) {
        let message = Message { type_id, stream_id: 0, timestamp_ms: 0, payload };
        self.writer.write(&mut self.output, CONTROL, &message);
    }

    fn acknowledge(&mut self, bytes: usize) {
        if let Some(total) = self.acknowledgement.received(bytes) {
            self.control(message::ACKNOWLEDGEMENT, &total.to_be_bytes());
        }
    }
}

/// When the publisher is to be told how much has arrived (RTMP 1.0 §5.4.3).
#[derive(Debug)]
struct Acknowledgement {
    window: u32,
    total: u32,
    told: u32,
}

impl Default for Acknowledgement {
    fn default() -> Self {
        Self { window: WINDOW, total: 0, told: 0 }
    }
}

impl Acknowledgement {
    /// Counts, and says the total modulo 2^32 when it is due.
    fn received(&mut self, bytes: usize) -> Option<u32> {
        self.total = self.total.wrapping_add(bytes as u32);
        let due = self.total.wrapping_sub(self.told) >= self.window;
        due.then(|| {
            self.told = self.total;
            self.total
        })
    }
}

fn media<'a>(message: &Message<'a>) -> Option<Media<'a>> {
    let (kind, body) = match message.type_id {
        message::AUDIO => (MediaKind::Audio, message.payload),
        message::VIDEO => (MediaKind::Video, message.payload),
        message::DATA_AMF3 => {
            let payload = message.payload;
            (MediaKind::Data, data(payload.strip_prefix(&[0]).unwrap_or(payload))?)
        }
        _ => (MediaKind::Data, data(message.payload)?),
    };
    // An empty message says nothing; Flash sends them as keep-alive.
    (!body.is_empty()).then_some(Media { kind, timestamp_ms: message.timestamp_ms, body })
}

/// The data message without what only tells the server to keep it.
fn data(payload: &[u8]) -> Option<&[u8]> {
    let mut rest = payload;
    match Value::decode(&mut rest).ok()?.as_str()? {
        "@setDataFrame" => Some(rest),
        "@clearDataFrame" => None,
        _ => Some(payload),
    }
}

fn ping_time(payload: &[u8]) -> Option<u32> {
    let (event, time) = payload.split_first_chunk::<2>()?;
    (u16::from_be_bytes(*event) == PING_REQUEST).then_some(u32::from_be_bytes(*time.first_chunk()?))
}

fn unexpected(command: &Command, reason: &'static str) -> Error {
    Error::UnexpectedCommand { name: command.name.clone(), reason }
}

#[cfg(test)]
mod tests;
