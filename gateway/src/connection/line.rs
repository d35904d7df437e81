//! The socket of a publisher, and what was received and not yet taken.

use std::{
    io::{self, Read},
    net,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep},
};

use crate::clock::unix_ms;

/// Bytes of the buffer: what a read brings at most.
const CAPACITY: usize = 256 << 10;

/// A publisher that sends at the pace of its media is read from this often, in milliseconds.
///
/// Its socket is looked at then, and nobody is woken when something arrives: with fifty publishers waking up
/// for every packet would cost more than all the copying. The moments are the same for all publishers.
const PACE_MS: u64 = 50;

/// How long the rate is measured.
const MEASURED: Duration = Duration::from_millis(100);

/// More than this in a second is not the pace of media: 100 Mbit/s.
const MAX_PACED_BYTES_PER_S: f64 = 12_500_000.0;

#[derive(Debug)]
pub(crate) struct Line {
    socket: Socket,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Whether what comes now is media.
    is_media: bool,
    /// Since when the rate is measured, and what came since.
    since: Instant,
    received: usize,
}

#[derive(Debug)]
enum Socket {
    /// The system says when something arrives.
    Watched(TcpStream),
    /// It is looked at from time to time.
    Paced(net::TcpStream),
    /// While it changes; after that failed.
    Lost,
}

impl Line {
    pub(crate) fn new(socket: TcpStream) -> Self {
        let (socket, buffer) = (Socket::Watched(socket), vec![0; CAPACITY]);
        Self { socket, buffer, start: 0, end: 0, is_media: false, since: Instant::now(), received: 0 }
    }

    /// What comes from now on is media: that may wait a moment.
    pub(crate) fn expect_media(&mut self) {
        self.is_media = true;
    }

    /// Reads what is there, or waits for it; 0 at the end. Nothing is lost when this is dropped.
    pub(crate) async fn receive(&mut self) -> io::Result<usize> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let room = &mut self.buffer[self.end..];
        let bytes = match &mut self.socket {
            Socket::Watched(socket) => socket.read(room).await?,
            Socket::Paced(socket) => loop {
                sleep(Duration::from_millis(PACE_MS - unix_ms() % PACE_MS)).await;
                match socket.read(room) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    read => break read?,
                }
            },
            Socket::Lost => return Err(io::ErrorKind::NotConnected.into()),
        };
        self.end += bytes;
        self.measure(bytes)?;
        Ok(bytes)
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
        self.socket = match std::mem::replace(&mut self.socket, Socket::Lost) {
            Socket::Watched(socket) => Socket::Paced(socket.into_std()?),
            other => other,
        };
        Ok(())
    }

    fn watch(&mut self) -> io::Result<&mut TcpStream> {
        self.socket = match std::mem::replace(&mut self.socket, Socket::Lost) {
            Socket::Paced(socket) => Socket::Watched(TcpStream::from_std(socket)?),
            other => other,
        };
        match &mut self.socket {
            Socket::Watched(socket) => Ok(socket),
            _ => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(crate) fn consume(&mut self, bytes: usize) {
        self.start += bytes;
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.watch()?.write_all(bytes).await
    }

    /// Says that nothing more is sent, and waits until the publisher has closed: closing first would make the
    /// system throw away what it has not read.
    pub(crate) async fn close(&mut self) -> io::Result<()> {
        let mut ignored = [0; 4096];
        self.watch()?.shutdown().await?;
        while self.watch()?.read(&mut ignored).await? > 0 {}
        Ok(())
    }
}
