//! What guests print, line by line, in the host's log.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

/// Longest line that is logged whole, in bytes.
const LINE_BYTES: usize = 8 << 10;

/// Which of a guest's outputs a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// One output of one component.
#[derive(Clone)]
pub(crate) struct GuestLog {
    component: Arc<str>,
    stream: Stream,
}

impl GuestLog {
    pub(crate) fn new(component: Arc<str>, stream: Stream) -> Self {
        Self { component, stream }
    }

    fn log(&self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let component = &*self.component;
        match self.stream {
            Stream::Stdout => tracing::info!(target: "guest", component, "{line}"),
            Stream::Stderr => tracing::warn!(target: "guest", component, "{line}"),
        }
    }
}

impl IsTerminal for GuestLog {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestLog {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(Lines { log: self.clone(), pending: Vec::new() })
    }
}

/// Cuts what is written into lines.
struct Lines {
    log: GuestLog,
    /// A line that has not ended yet, never longer than [`LINE_BYTES`].
    pending: Vec<u8>,
}

impl Lines {
    fn push(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (line, ended) = match piece.strip_suffix(b"\n") {
                Some(line) => (line, true),
                None => (piece, false),
            };
            for part in line.chunks(LINE_BYTES) {
                if self.pending.len() + part.len() > LINE_BYTES {
                    self.flush_line();
                }
                self.pending.extend_from_slice(part);
            }
            if ended {
                self.flush_line();
            }
        }
    }

    fn flush_line(&mut self) {
        if !self.pending.is_empty() {
            self.log.log(&self.pending);
            self.pending.clear();
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.flush_line();
    }
}

impl AsyncWrite for Lines {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
