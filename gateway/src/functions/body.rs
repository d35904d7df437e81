//! The bodies of calls, a chunk's above all.

use std::{
    collections::VecDeque,
    convert::Infallible,
    io,
    path::PathBuf,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::Stream;
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use tokio::{
    fs::File,
    io::{AsyncReadExt, Take},
};
use tokio_util::io::ReaderStream;

use crate::{
    block::BLOCK_BYTES,
    spool::{Chunk, ChunkName},
};

/// The body of a call.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) bytes: UnsyncBoxBody<Bytes, io::Error>,
    pub(super) unread: Unread,
}

/// Why a body could not be read to its end, if it could not: the call fails then, whoever was called.
#[derive(Clone, Debug, Default)]
pub(super) struct Unread(Arc<Mutex<Option<io::Error>>>);

/// What is sent of a chunk; cheap to make again for a retry.
#[derive(Debug)]
pub(crate) struct ChunkBody {
    pub(super) bytes: u64,
    pub(super) name: ChunkName,
    pub(super) path: PathBuf,
    pub(super) blocks: Option<Vec<Bytes>>,
}

impl Body {
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        let never = |error: Infallible| match error {};
        let bytes = Full::new(Bytes::from(bytes)).map_err(never).boxed_unsync();
        Self { bytes, unread: Unread::default() }
    }
}

impl Unread {
    fn set(&self, error: io::Error) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    pub(super) fn take(&self) -> Option<io::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ChunkBody {
    pub(crate) fn of(chunk: &Chunk) -> Self {
        let &Chunk { bytes, name, .. } = chunk;
        Self { bytes, name, path: chunk.path().to_owned(), blocks: chunk.blocks() }
    }

    pub(crate) fn name(&self) -> ChunkName {
        self.name
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// From memory, if it is there, or from its file.
    pub(super) async fn open(self) -> io::Result<Body> {
        let unread = Unread::default();
        let bytes = match self.blocks {
            Some(blocks) => Blocks { left: self.bytes, blocks: blocks.into() }.boxed_unsync(),
            None => {
                let file = File::open(&self.path).await?.take(self.bytes);
                let pieces = ReaderStream::with_capacity(file, BLOCK_BYTES);
                Pieces { left: self.bytes, pieces, unread: unread.clone() }.boxed_unsync()
            }
        };
        Ok(Body { bytes, unread })
    }
}

/// A body of known length out of blocks.
struct Blocks {
    left: u64,
    blocks: VecDeque<Bytes>,
}

impl http_body::Body for Blocks {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let block = self.blocks.pop_front();
        self.left -= block.as_ref().map_or(0, |block| block.len() as u64);
        Poll::Ready(block.map(|block| Ok(Frame::data(block))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// A body of known length out of a file, which may be shorter.
struct Pieces {
    left: u64,
    pieces: ReaderStream<Take<File>>,
    unread: Unread,
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let error = match ready!(Pin::new(&mut self.pieces).poll_next(cx)) {
            Some(Ok(piece)) => {
                self.left -= piece.len() as u64;
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            None if self.left == 0 => return Poll::Ready(None),
            None => io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("the file lacks the last {} bytes", self.left),
            ),
            Some(Err(error)) => error,
        };
        let kind = error.kind();
        self.unread.set(error);
        Poll::Ready(Some(Err(kind.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
