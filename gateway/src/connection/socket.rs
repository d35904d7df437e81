//! The socket of a publisher, and the bytes that were received and not yet handled.

use std::{
    io::{self, Read},
    net,
    time::Duration,
};

use futures_util::FutureExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, Interest},
    net::TcpStream,
    time::{Instant, sleep},
};
use tokio_rustls::server::TlsStream;

use crate::{clock::unix_ms, entrance::Transport};

/// Most bytes of the buffer: a read brings at most so many.
const CAPACITY: usize = 256 << 10;

/// Bytes of it when the publisher begins to send media. It doubles with each read that fills it.
const MEDIA_CAPACITY: usize = 64 << 10;

/// Bytes of it before the publisher sends media: anybody may connect.
const FIRST_CAPACITY: usize = 8 << 10;

/// A publisher that sends at the pace of its media is read from this often, in milliseconds.
///
/// No task is woken when a packet arrives: with fifty publishers, waking up for every packet would cost more than
/// all the copying. The moments are the same for all publishers.
/// Two of them are below the time within which what was received has to be on disk.
const PACE_MS: u64 = 45;

/// How often it is looked whether a publisher that is not read from has ended its connection.
const CLOSED_LOOK: Duration = Duration::from_millis(100);

/// How long the rate is measured.
const MEASURED: Duration = Duration::from_millis(100);

/// More than this in a second is not the pace of media: 32 Mbit/s.
const MAX_PACED_BYTES_PER_S: f64 = 4_000_000.0;

// Or a publisher that sends faster would for ever be read from at the rate of a buffer each time.
const _: () = assert!(MAX_PACED_BYTES_PER_S < (CAPACITY as u64 * 1_000 / PACE_MS) as f64);

#[derive(Debug)]
pub(crate) struct PublisherSocket {
    stream: Stream,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Whether the publisher now sends media.
    is_media: bool,
    /// Since when the rate is measured, and the bytes received since.
    since: Instant,
    received: usize,
}

#[derive(Debug)]
enum Stream {
    /// The system wakes the task when bytes arrive.
    Watched(TcpStream),
    /// The task reads from time to time.
    Paced(net::TcpStream),
    /// The same in TLS. Bytes that arrive wake the runtime either way, and the task only where it is not paced. Each read
    /// takes all records that are there, as long as there is room.
    Tls { stream: Box<TlsStream<TcpStream>>, is_paced: bool },
    /// Only while the stream changes from one to the other, and after that has failed.
    Lost,
}

impl PublisherSocket {
    pub(crate) fn new(transport: Transport) -> Self {
        let stream = match transport {
            Transport::Plain(socket) => Stream::Watched(socket),
            Transport::Tls(stream) => Stream::Tls { stream, is_paced: false },
        };
        let buffer = vec![0; FIRST_CAPACITY];
        Self { stream, buffer, start: 0, end: 0, is_media: false, since: Instant::now(), received: 0 }
    }

    /// From now on the publisher sends media, which may wait a moment.
    pub(crate) fn expect_media(&mut self) {
        self.is_media = true;
        let room = self.buffer.len().max(MEDIA_CAPACITY);
        self.buffer.resize(room, 0);
    }

    /// Reads what is there, or waits for it; returns 0 at the end. No byte is lost when the future is dropped.
    pub(crate) async fn receive(&mut self) -> io::Result<usize> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let room = &mut self.buffer[self.end..];
        let bytes = match &mut self.stream {
            Stream::Watched(socket) => socket.read(room).await?,
            Stream::Paced(socket) => loop {
                sleep(Duration::from_millis(PACE_MS - unix_ms() % PACE_MS)).await;
                match socket.read(room) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    read => break read?,
                }
            },
            Stream::Tls { stream, is_paced: false } => at_end(stream.read(room).await)?,
            Stream::Tls { stream, is_paced: true } => loop {
                sleep(Duration::from_millis(PACE_MS - unix_ms() % PACE_MS)).await;
                if let Some(read) = stream.read(room).now_or_never() {
                    break at_end(read)?;
                }
            },
            Stream::Lost => return Err(io::ErrorKind::NotConnected.into()),
        };
        self.end += bytes;
        if self.is_media && self.end == self.buffer.len() {
            self.buffer.resize(CAPACITY.min(2 * self.end), 0);
        }
        self.measure(bytes)?;
        Ok(bytes)
    }

    /// Completes when the publisher has ended its connection, also where not all that it sent is read.
    pub(crate) async fn closed(&mut self) {
        loop {
            let Ok(()) = self.watch() else { return };
            let socket = match &self.stream {
                Stream::Watched(socket) => socket,
                Stream::Tls { stream, .. } => stream.get_ref().0,
                Stream::Paced(_) | Stream::Lost => return,
            };
            match socket.ready(Interest::READABLE).await {
                Ok(ready) if !ready.is_read_closed() => sleep(CLOSED_LOOK).await,
                Ok(_) | Err(_) => return,
            }
        }
    }

    /// Whether the publisher has sent what is not read, or that cannot be known.
    pub(crate) fn has_more(&mut self) -> bool {
        let is_handled = self.start == self.end;
        let found = self.watch().and_then(|()| match &mut self.stream {
            Stream::Watched(socket) => socket.peek(&mut [0]).now_or_never().unwrap_or(Ok(0)),
            // What is read here is missed by nobody: it is asked of connections that have ended.
            Stream::Tls { stream, .. } => at_end(stream.read(&mut [0]).now_or_never().unwrap_or(Ok(0))),
            Stream::Paced(_) | Stream::Lost => Err(io::ErrorKind::NotConnected.into()),
        });
        !is_handled || !matches!(found, Ok(0))
    }

    fn measure(&mut self, bytes: usize) -> io::Result<()> {
        self.received += bytes;
        let now = Instant::now();
        let elapsed = now - self.since;
        if elapsed >= MEASURED {
            let is_slow = self.received as f64 / elapsed.as_secs_f64() < MAX_PACED_BYTES_PER_S;
            self.since = now;
            self.received = 0;
            if is_slow && self.is_media {
                self.pace()?;
            } else {
                self.watch()?;
            }
        }
        Ok(())
    }

    fn pace(&mut self) -> io::Result<()> {
        self.stream = match std::mem::replace(&mut self.stream, Stream::Lost) {
            Stream::Watched(socket) => Stream::Paced(socket.into_std()?),
            Stream::Tls { stream, .. } => Stream::Tls { stream, is_paced: true },
            other => other,
        };
        Ok(())
    }

    fn watch(&mut self) -> io::Result<()> {
        self.stream = match std::mem::replace(&mut self.stream, Stream::Lost) {
            Stream::Paced(socket) => Stream::Watched(TcpStream::from_std(socket)?),
            Stream::Tls { stream, .. } => Stream::Tls { stream, is_paced: false },
            other => other,
        };
        Ok(())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(crate) fn consume(&mut self, bytes: usize) {
        self.start += bytes;
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.watch()?;
        match &mut self.stream {
            Stream::Watched(socket) => socket.write_all(bytes).await,
            Stream::Tls { stream, .. } => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
            Stream::Paced(_) | Stream::Lost => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Ends the sending direction, and waits until the publisher has closed: closing first would make the system
    /// throw away what the publisher has not read.
    pub(crate) async fn close(&mut self) -> io::Result<()> {
        let mut ignored = [0; 4096];
        self.watch()?;
        match &mut self.stream {
            Stream::Watched(socket) => {
                socket.shutdown().await?;
                while socket.read(&mut ignored).await? > 0 {}
            }
            Stream::Tls { stream, .. } => {
                stream.shutdown().await?;
                while stream.read(&mut ignored).await? > 0 {}
            }
            Stream::Paced(_) | Stream::Lost => {}
        }
        Ok(())
    }
}

/// The end of TLS that is not told counts as one: encoders close without a word, and RTMP tells where a message ends.
fn at_end(read: io::Result<usize>) -> io::Result<usize> {
    match read {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
        read => read,
    }
}
