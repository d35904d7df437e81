//! An RTMP publisher over a plain socket that can misbehave on purpose.
//!
//! `crates/rtmp` has a client that behaves; this one writes every chunk by hand.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::flv_tags::{Kind, Tag};

/// Types of messages (RTMP 1.0 §5.4, §7.1).
pub(crate) const SET_CHUNK_SIZE: u8 = 1;
pub(crate) const USER_CONTROL: u8 = 4;
pub(crate) const WINDOW_ACKNOWLEDGEMENT_SIZE: u8 = 5;
pub(crate) const DATA_AMF3: u8 = 15;
pub(crate) const COMMAND_AMF3: u8 = 17;
pub(crate) const DATA_AMF0: u8 = 18;
pub(crate) const COMMAND_AMF0: u8 = 20;
pub(crate) const AGGREGATE: u8 = 22;

/// How long the server may take to answer.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// What the publisher cuts its messages into once it is connected.
const CHUNK_SIZE: usize = 4_096;

/// The header of a message's first chunk (RTMP 1.0 §5.3.1.2).
#[derive(Clone, Copy)]
pub(crate) enum Header {
    /// Type 0: with a timestamp and a message stream.
    Full { timestamp_ms: u32, stream_id: u32 },
    /// Type 1: with the time since the message before; the message stream stays.
    Delta { delta_ms: u32 },
}

/// A connection that publishes.
pub(crate) struct Publisher {
    socket: TcpStream,
    heard: Receiver<Vec<u8>>,
    /// What the server sent and nobody has looked for yet.
    answers: Vec<u8>,
    chunk_size: usize,
}

impl Publisher {
    /// Connects and shakes hands (RTMP 1.0 §5.2).
    pub(crate) fn connect(address: &str) -> Result<Self> {
        let mut socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.set_write_timeout(Some(ANSWER_TIME))?;
        socket.set_read_timeout(Some(ANSWER_TIME))?;
        let random: Vec<u8> = (0..1528_u32).map(|at| (at * 31 % 251) as u8).collect();
        socket.write_all(&[&[3][..], &[0; 8], &random].concat())?;
        let mut answer = [0; 1 + 1536 + 1536];
        socket.read_exact(&mut answer).context("the server does not shake hands")?;
        socket.write_all(&answer[1..1537])?;
        socket.set_read_timeout(None)?;

        let (sender, heard) = channel();
        let mut listening = socket.try_clone()?;
        thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok(read @ 1..) = listening.read(&mut buffer) {
                if sender.send(buffer[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        Ok(Self { socket, heard, answers: Vec::new(), chunk_size: 128 })
    }

    /// Connects to a gateway and begins to publish a stream, and sends nothing yet.
    pub(crate) fn of_stream(rtmp: &str, domain: &str, app: &str, stream: &str) -> Result<Self> {
        let mut publisher = Self::connect(rtmp)?;
        let tc_url = format!("rtmp://{rtmp}/{app}");
        publisher.publish(app, &format!("{stream}?vhost={domain}"), Some(&tc_url))?;
        Ok(publisher)
    }

    /// Connects to `app`, raises the chunk size, and publishes `name` as encoders do that wait for every answer.
    pub(crate) fn publish(&mut self, app: &str, name: &str, tc_url: Option<&str>) -> Result<()> {
        self.connect_to(app, tc_url)?;
        self.wait_for("NetConnection.Connect.Success")?;
        self.raise_chunk_size()?;
        self.announce(name)?;
        self.wait_for("onFCPublish")?;
        self.command(0, &[string("createStream"), number(4.0), null()])?;
        self.wait_for("_result")?;
        self.publish_on(1, name)?;
        self.wait_for("NetStream.Publish.Start")
    }

    /// The same without waiting for any answer.
    pub(crate) fn publish_unasked(&mut self, app: &str, name: &str) -> Result<()> {
        self.connect_to(app, None)?;
        self.raise_chunk_size()?;
        self.announce(name)?;
        self.command(0, &[string("createStream"), number(4.0), null()])?;
        self.publish_on(1, name)
    }

    fn connect_to(&mut self, app: &str, tc_url: Option<&str>) -> Result<()> {
        let mut properties =
            vec![("app", app), ("type", "nonprivate"), ("flashVer", "FMLE/3.0 (compatible)")];
        properties.extend(tc_url.map(|url| ("tcUrl", url)));
        self.command(0, &[string("connect"), number(1.0), object(&properties)])
    }

    fn raise_chunk_size(&mut self) -> Result<()> {
        let size = (CHUNK_SIZE as u32).to_be_bytes();
        self.message(2, SET_CHUNK_SIZE, Header::Full { timestamp_ms: 0, stream_id: 0 }, &size)?;
        self.chunk_size = CHUNK_SIZE;
        Ok(())
    }

    fn announce(&mut self, name: &str) -> Result<()> {
        self.command(0, &[string("releaseStream"), number(2.0), null(), string(name)])?;
        self.command(0, &[string("FCPublish"), number(3.0), null(), string(name)])
    }

    /// Asks to publish on a message stream.
    pub(crate) fn publish_on(&mut self, stream_id: u32, name: &str) -> Result<()> {
        self.command(stream_id, &[string("publish"), number(5.0), null(), string(name), string("live")])
    }

    /// Sends a tag as encoders do: audio, video and data each on a chunk stream of its own.
    pub(crate) fn send(&mut self, tag: &Tag) -> Result<()> {
        let header = Header::Full { timestamp_ms: tag.timestamp_ms, stream_id: 1 };
        match tag.kind {
            Kind::Audio => self.message(4, tag.kind.type_id(), header, &tag.body),
            Kind::Video => self.message(6, tag.kind.type_id(), header, &tag.body),
            Kind::Script => {
                let body = [string("@setDataFrame"), tag.body.clone()].concat();
                self.message(5, tag.kind.type_id(), header, &body)
            }
        }
    }

    /// Sends each tag at its place in the show, `speed` times as fast as the show.
    pub(crate) fn send_paced(&mut self, tags: &[Tag], speed: f64) -> Result<()> {
        let begun = Instant::now();
        let first_ms = tags.first().map_or(0, |tag| tag.sent_ms);
        for (at, tag) in tags.iter().enumerate() {
            let due = Duration::from_secs_f64((tag.sent_ms - first_ms) as f64 / 1_000.0 / speed);
            thread::sleep(due.saturating_sub(begun.elapsed()));
            self.send(tag).with_context(|| format!("at tag {at} of {}", tags.len()))?;
        }
        Ok(())
    }

    /// Sends a command message in AMF0.
    pub(crate) fn command(&mut self, stream_id: u32, values: &[Vec<u8>]) -> Result<()> {
        self.message(3, COMMAND_AMF0, Header::Full { timestamp_ms: 0, stream_id }, &values.concat())
    }

    /// Sends a message on a chunk stream of 2 to 63.
    pub(crate) fn message(
        &mut self,
        chunk_stream: u8,
        type_id: u8,
        header: Header,
        body: &[u8],
    ) -> Result<()> {
        let (format, time, stream_id) = match header {
            Header::Full { timestamp_ms, stream_id } => (0, timestamp_ms, Some(stream_id)),
            Header::Delta { delta_ms } => (1, delta_ms, None),
        };
        let is_extended = time >= 0x00ff_ffff;
        let extended = if is_extended { time.to_be_bytes().to_vec() } else { Vec::new() };
        let mut out = vec![format << 6 | chunk_stream];
        out.extend_from_slice(&time.min(0x00ff_ffff).to_be_bytes()[1..]);
        out.extend_from_slice(&(body.len() as u32).to_be_bytes()[1..]);
        out.push(type_id);
        out.extend(stream_id.into_iter().flat_map(u32::to_le_bytes));
        out.extend_from_slice(&extended);
        for (at, piece) in body.chunks(self.chunk_size).enumerate() {
            if at > 0 {
                out.push(3 << 6 | chunk_stream);
                out.extend_from_slice(&extended);
            }
            out.extend_from_slice(piece);
        }
        self.socket.write_all(&out).context("the server has closed the connection")
    }

    /// Ends the stream as encoders do.
    ///
    /// # Errors
    /// The server has closed the connection before.
    pub(crate) fn finish(mut self, name: &str) -> Result<()> {
        self.command(0, &[string("FCUnpublish"), number(6.0), null(), string(name)])?;
        self.wait_for("onFCUnpublish")?;
        self.command(0, &[string("deleteStream"), number(7.0), null(), number(1.0)])?;
        loop {
            match self.heard.try_recv() {
                Ok(_) => {}
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => bail!("the server has closed the connection"),
            }
        }
        Ok(self.socket.shutdown(Shutdown::Write)?)
    }

    /// Ends the connection without a word.
    pub(crate) fn hang_up(self) -> Result<()> {
        Ok(self.socket.shutdown(Shutdown::Both)?)
    }

    /// Waits for a word in what the server sends.
    fn wait_for(&mut self, word: &str) -> Result<()> {
        let until = Instant::now() + ANSWER_TIME;
        while !self.has_heard(word) {
            match self.heard.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.answers.extend(bytes),
                Err(RecvTimeoutError::Disconnected) => bail!("the server closes instead of {word}"),
                Err(RecvTimeoutError::Timeout) => bail!("the server does not answer {word}"),
            }
        }
        self.answers.clear();
        Ok(())
    }

    fn has_heard(&self, word: &str) -> bool {
        self.answers.windows(word.len()).any(|bytes| bytes == word.as_bytes())
    }
}

/// AMF0 values (AMF0 §2).
pub(crate) fn string(text: &str) -> Vec<u8> {
    [&[2][..], &key(text)].concat()
}

pub(crate) fn number(value: f64) -> Vec<u8> {
    [&[0][..], &value.to_be_bytes()].concat()
}

pub(crate) fn null() -> Vec<u8> {
    vec![5]
}

pub(crate) fn object(properties: &[(&str, &str)]) -> Vec<u8> {
    let fields: Vec<u8> =
        properties.iter().flat_map(|(name, value)| [key(name), string(value)].concat()).collect();
    [&[3][..], &fields, &[0, 0, 9]].concat()
}

fn key(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat()
}
