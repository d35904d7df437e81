//! The server's end: what a publisher asks for, and its media.

mod acknowledgement;
mod aggregate;
mod answers;
mod media;

use amf0::Value;

use crate::{
    ChunkReader, Error, MAX_EARLY_BYTES, MAX_PARTIAL_BYTES, Media, Message, Skipped,
    chunk::{Received, Step},
    command::{Command, object, string},
    handshake, message,
};
use acknowledgement::{Acknowledgement, WINDOW};
use aggregate::Aggregate;
use answers::Answers;
use media::media;

/// Chunk size of what the server sends.
const CHUNK_SIZE: u32 = 4096;

/// Most message streams of a connection that are told apart. Encoders create one.
const MAX_STREAMS: u32 = 64;

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
    /// It sent something that was passed over.
    Skipped(Skipped),
}

/// A publisher's connection.
#[derive(Debug)]
pub struct ServerSession {
    stage: Stage,
    reader: ChunkReader,
    tc_url: String,
    app: String,
    /// Message streams created so far; they are numbered from 1.
    streams: u32,
    publishing: Option<Publishing>,
    aggregate: Aggregate,
    acknowledgement: Acknowledgement,
    answers: Answers,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Asked,
    Answered,
    Done,
}

/// What the connection publishes, or asks to.
#[derive(Debug)]
struct Publishing {
    name: String,
    stream_id: u32,
    is_accepted: bool,
    /// Message streams on which the publisher asked to publish another name meanwhile: their media is not of
    /// this publish. Any other number is taken for it, since encoders that number their stream wrongly exist.
    declined: Vec<u32>,
}

impl Default for ServerSession {
    fn default() -> Self {
        Self::new()
    }
}

impl ServerSession {
    /// A session at the start of a connection.
    #[must_use]
    pub fn new() -> Self {
        let mut reader = ChunkReader::new();
        reader.limit(MAX_EARLY_BYTES);
        Self {
            stage: Stage::default(),
            reader,
            tc_url: String::new(),
            app: String::new(),
            streams: 0,
            publishing: None,
            aggregate: Aggregate::default(),
            acknowledgement: Acknowledgement::default(),
            answers: Answers::default(),
        }
    }

    /// What is to be sent to the publisher; the caller empties it.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.answers.output
    }

    /// Takes bytes from the front of `input` until something happens, or returns `None`.
    ///
    /// After `None`, what is left of `input` begins the next call's input; it is shorter than 1.6 KB.
    /// What cannot be read or followed is passed over, as other servers do, and told as
    /// [`ServerEvent::Skipped`].
    ///
    /// # Errors
    /// Any [`Error`]; the connection is then of no more use, but for what [`output`](Self::output) holds.
    pub fn read<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Result<Option<ServerEvent<'a>>, Error> {
        if !self.shake_hands(input)? {
            return Ok(None);
        }
        let message = loop {
            match self.aggregate.next_part() {
                Ok(Some(part)) if self.is_media(&self.aggregate.message(part)) == Ok(true) => {
                    break self.aggregate.message(part);
                }
                Ok(Some(_)) => continue,
                Ok(None) => {}
                Err(skipped) => return Ok(Some(ServerEvent::Skipped(skipped))),
            }
            let before = input.len();
            let step = self.reader.advance(input)?;
            self.acknowledge(before - input.len());
            let received = match step {
                None => return Ok(None),
                Some(Step::Skipped(skipped)) => return Ok(Some(ServerEvent::Skipped(skipped))),
                Some(Step::Message(received)) => received,
            };
            match self.is_media(&self.reader.message(received)) {
                Ok(true) => break self.reader.message(received),
                Ok(false) => {}
                Err(skipped) => return Ok(Some(ServerEvent::Skipped(skipped))),
            }
            if let Some(event) =
                self.handle(received).unwrap_or_else(|skipped| Some(ServerEvent::Skipped(skipped)))
            {
                return Ok(Some(event));
            }
        };
        Ok(media(&message).ok().flatten().map(ServerEvent::Media))
    }

    /// Whether a message is media of the stream that is published.
    fn is_media(&self, message: &Message<'_>) -> Result<bool, Skipped> {
        Ok(self.is_published(message.stream_id) && media(message)?.is_some())
    }

    /// Whether media of that message stream belongs to the publish.
    fn is_published(&self, stream_id: u32) -> bool {
        let publishing = self.publishing.as_ref().filter(|publishing| publishing.is_accepted);
        publishing.is_some_and(|publishing| !publishing.declined.contains(&stream_id))
    }

    /// Takes a message that is no media. What nothing here needs is passed over untold: acknowledgements,
    /// bandwidths, shared objects, types that later versions add.
    fn handle(&mut self, received: Received<'_>) -> Result<Option<ServerEvent<'static>>, Skipped> {
        let message = self.reader.message(received);
        match message.type_id {
            message::COMMAND_AMF0 | message::COMMAND_AMF3 => {
                let stream_id = message.stream_id;
                let command = Command::decode(&message)?;
                return self.follow(&command, stream_id);
            }
            message::WINDOW_ACKNOWLEDGEMENT_SIZE => self.acknowledgement.set_window(message.first_u32()?),
            message::USER_CONTROL => {
                if let Some(time) = ping_time(&message)? {
                    self.answers.user_control(PING_RESPONSE, time);
                }
            }
            message::AGGREGATE if self.is_published(message.stream_id) => self.aggregate.begin(&message),
            _ => {}
        }
        Ok(None)
    }

    /// Accepts the publish that was requested last.
    pub fn accept(&mut self) {
        let Some(publishing) = &mut self.publishing else { return };
        publishing.is_accepted = true;
        self.reader.limit(MAX_PARTIAL_BYTES);
        let stream_id = publishing.stream_id;
        self.answers.user_control(STREAM_BEGIN, stream_id);
        self.answers.publish_started(stream_id);
    }

    /// Refuses the publish that was requested last, or ends it if it was accepted, with a code such as
    /// `NetStream.Publish.BadName`. What the publisher sends of it afterwards is passed over.
    pub fn refuse(&mut self, code: &str, description: &str) {
        if let Some(Publishing { stream_id, .. }) = self.publishing.take() {
            self.answers.status(stream_id, "error", code, description);
        }
    }

    fn shake_hands(&mut self, input: &mut &[u8]) -> Result<bool, Error> {
        if self.stage == Stage::Asked && handshake::answer(input, &mut self.answers.output)? {
            self.stage = Stage::Answered;
        }
        if self.stage == Stage::Answered && handshake::finish(input) {
            self.stage = Stage::Done;
        }
        Ok(self.stage == Stage::Done)
    }

    fn follow(&mut self, command: &Command, stream_id: u32) -> Result<Option<ServerEvent<'static>>, Skipped> {
        match command.name.as_str() {
            "connect" => self.connect(command),
            // Nothing is to be released; some encoders wait for the answer.
            "releaseStream" => self.answers.empty_result(command),
            "FCPublish" => {
                self.answers.empty_result(command);
                self.answers.announce("onFCPublish", "NetStream.Publish.Start", "announced");
            }
            "createStream" => {
                self.streams = (self.streams + 1).min(MAX_STREAMS);
                self.answers.result(command, &[Value::Null, Value::Number(f64::from(self.streams))]);
            }
            "publish" => return self.publish(command, stream_id),
            "FCUnpublish" => {
                self.answers.announce("onFCUnpublish", "NetStream.Unpublish.Success", "unpublished");
                if command.transaction > 0.0 {
                    self.answers.empty_result(command);
                }
                return self.unpublish(command, stream_id);
            }
            "closeStream" | "deleteStream" => return self.unpublish(command, stream_id),
            "play" | "play2" => {
                let reason = "this server records, it plays nothing";
                self.answers.status(stream_id, "error", "NetStream.Play.Failed", reason);
                return Err(unexpected(command, reason));
            }
            "_result" | "_error" | "onStatus" => {}
            // Calls that nothing here serves, such as `_checkbw`: an encoder may wait for the answer.
            _ if command.transaction > 0.0 => self.answers.empty_result(command),
            _ => {}
        }
        Ok(None)
    }

    fn connect(&mut self, command: &Command) {
        let text = |name| command.property(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        self.tc_url = text("tcUrl");
        self.app = text("app");
        self.answers.control(message::WINDOW_ACKNOWLEDGEMENT_SIZE, &WINDOW.to_be_bytes());
        // 2: the limit is dynamic (RTMP 1.0 §5.4.5).
        self.answers.control(message::SET_PEER_BANDWIDTH, &[&WINDOW.to_be_bytes()[..], &[2]].concat());
        self.answers.set_chunk_size(CHUNK_SIZE);
        let encoding = command.property("objectEncoding").and_then(Value::as_number).unwrap_or(0.0);
        let server = object([("fmsVer", string("FMS/3,5,7,7009")), ("capabilities", Value::Number(31.0))]);
        let information = object([
            ("level", string("status")),
            ("code", string("NetConnection.Connect.Success")),
            ("description", string("connected")),
            ("objectEncoding", Value::Number(encoding)),
        ]);
        self.answers.result(command, &[server, information]);
    }

    fn publish(
        &mut self,
        command: &Command,
        stream_id: u32,
    ) -> Result<Option<ServerEvent<'static>>, Skipped> {
        let name = command.string(1).unwrap_or_default();
        // Message stream 0 is the connection itself; a publish there is meant for the stream that was created.
        let stream_id = if stream_id == 0 { self.streams.max(1) } else { stream_id };
        if let Some(publishing) = &mut self.publishing {
            // A connection publishes one stream at a time, and goes on with the one it has.
            if publishing.name == name {
                self.answers.publish_started(stream_id);
            } else {
                if stream_id != publishing.stream_id && publishing.declined.len() < MAX_STREAMS as usize {
                    publishing.declined.push(stream_id);
                }
                let reason = "the connection publishes another stream already";
                self.answers.status(stream_id, "error", "NetStream.Publish.BadName", reason);
            }
            return Err(unexpected(command, "the connection publishes already"));
        }
        self.publishing =
            Some(Publishing { name: name.to_owned(), stream_id, is_accepted: false, declined: Vec::new() });
        let (tc_url, app) = (self.tc_url.clone(), self.app.clone());
        Ok(Some(ServerEvent::Publish(Publish { tc_url, app, name: name.to_owned() })))
    }

    /// Ends what is published, unless the command is about another stream.
    fn unpublish(
        &mut self,
        command: &Command,
        stream_id: u32,
    ) -> Result<Option<ServerEvent<'static>>, Skipped> {
        let Some(publishing) = &self.publishing else { return Ok(None) };
        let is_other_stream = |id: u32| id != publishing.stream_id && (1..=self.streams).contains(&id);
        let is_other = match command.name.as_str() {
            "FCUnpublish" => command.string(1).is_some_and(|name| !is_same_stream(name, &publishing.name)),
            "deleteStream" => {
                let deleted = command.values.get(1).and_then(Value::as_number);
                deleted.is_some_and(|deleted| is_other_stream(deleted as u32))
            }
            _ => is_other_stream(stream_id),
        };
        if is_other {
            return Err(unexpected(command, "the connection publishes another stream"));
        }
        let Publishing { stream_id, is_accepted, .. } = *publishing;
        self.publishing = None;
        if !is_accepted {
            return Ok(None);
        }
        self.answers.status(stream_id, "status", "NetStream.Unpublish.Success", "unpublished");
        Ok(Some(ServerEvent::Unpublish))
    }

    fn acknowledge(&mut self, bytes: usize) {
        if let Some(total) = self.acknowledgement.received(bytes) {
            self.answers.control(message::ACKNOWLEDGEMENT, &total.to_be_bytes());
        }
    }
}

/// The time that a ping carries, if it is one.
fn ping_time(message: &Message<'_>) -> Result<Option<u32>, Skipped> {
    let too_short = |needed| {
        let (type_id, available) = (message.type_id, message.payload.len());
        Skipped::MessageTooShort { type_id, needed, available }
    };
    let (event, data) = message.payload.split_first_chunk::<2>().ok_or_else(|| too_short(2))?;
    if u16::from_be_bytes(*event) != PING_REQUEST {
        return Ok(None);
    }
    data.first_chunk().map(|time| Some(u32::from_be_bytes(*time))).ok_or_else(|| too_short(6))
}

/// Whether two names are of one stream: encoders leave out the arguments when they end it.
fn is_same_stream(a: &str, b: &str) -> bool {
    let name = |text: &str| text.split('?').next().unwrap_or_default().to_owned();
    name(a) == name(b)
}

fn unexpected(command: &Command, reason: &'static str) -> Skipped {
    Skipped::UnexpectedCommand { name: command.name.clone(), reason }
}

#[cfg(test)]
mod tests;
