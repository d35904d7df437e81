//! What was received and not yet taken.

use std::{
    io,
    time::{Duration, Instant},
};

use tokio::{io::AsyncReadExt, net::TcpStream};

/// Bytes of the buffer: what a read brings at most.
const CAPACITY: usize = 256 << 10;

/// A publisher that sends at the pace of its media is read from this often at most. The system keeps what
/// arrives meanwhile, and many small messages cost one wake-up.
const PACE: Duration = Duration::from_millis(20);

/// Less than this in a [`PACE`] is a live pace: 100 Mbit/s.
const LIVE_BYTES: usize = 250_000;

#[derive(Debug)]
pub(crate) struct Input {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// When the current pace began, and what came since.
    since: Instant,
    received: usize,
}

impl Input {
    pub(crate) fn new() -> Self {
        Self { buffer: vec![0; CAPACITY], start: 0, end: 0, since: Instant::now(), received: 0 }
    }

    /// Reads what is there, or waits for it. Nothing is lost when this is dropped.
    pub(crate) async fn receive(&mut self, socket: &mut TcpStream) -> io::Result<usize> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let bytes = socket.read(&mut self.buffer[self.end..]).await?;
        self.end += bytes;
        Ok(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(crate) fn consume(&mut self, bytes: usize) {
        self.start += bytes;
    }
}
