//! What a record file is made of, and how a call goes about it.

use shared::bucket::Location;
use shared::{Piece, Refusal, files, lane};

use crate::plan::Sizes;
use crate::world::World;

/// How a call goes about its files.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// How large parts and blocks are.
    pub(crate) sizes: Sizes,
    /// Nothing is begun after this, Unix milliseconds.
    pub(crate) until_ms: u64,
}

impl Pace {
    /// Whether there is time to begin something.
    ///
    /// # Errors
    /// 503 where there is none, which says what is left.
    pub(crate) fn check(&self, world: &impl World, left: impl FnOnce() -> String) -> Result<(), Refusal> {
        if world.now_ms() <= self.until_ms {
            return Ok(());
        }
        Err(Refusal::unavailable(lane::UNFINISHED, format!("{}; the next call goes on", left())))
    }

    /// The same for the first thing by which a call comes further: a file whose tables take their time to be read would
    /// never be written otherwise.
    ///
    /// # Errors
    /// 503 where there is no time even so. That is a failure: the next call would come no further either.
    pub(crate) fn check_first(
        &self,
        world: &impl World,
        left: impl FnOnce() -> String,
    ) -> Result<(), Refusal> {
        if world.now_ms() <= self.until_ms + FIRST_MS {
            return Ok(());
        }
        Err(Refusal::unavailable("FileFailed", format!("{}; there was no time to send one", left())))
    }
}

/// What a call has come no further with yet, it may begin so much later. Unit: ms.
const FIRST_MS: u64 = 30_000;

/// What a file is made of.
pub(crate) struct Made {
    pub(crate) container: files::Container,
    pub(crate) content_type: &'static str,
    pub(crate) tag: String,
    pub(crate) created_s: u64,
    pub(crate) work: Location,
    pub(crate) parts: (Vec<files::Chunk>, Vec<Piece>),
}

impl Made {
    /// Hands on so many bytes of the file from `first` on.
    pub(crate) async fn write<W: World, T>(
        &self,
        world: &W,
        first: u64,
        size: u64,
        reader: impl AsyncFnOnce(W::Stream) -> T,
    ) -> Result<T, Refusal> {
        let (tables, media) = &self.parts;
        let layout = world.lay_out(self.container, self.created_s, tables.clone(), first).await?;
        let bytes = first..first + size;
        let write = async |media| {
            let file = world.write(self.container, self.created_s, tables.clone(), bytes, media).await?;
            Ok(reader(file).await)
        };
        world.gather(self.work.clone(), Vec::new(), from(media, layout.media_first), write).await
    }

    /// Where everything is in the file; `None` where nothing can be in it.
    pub(crate) async fn lay_out(&self, world: &impl World) -> Result<Option<files::Layout>, Refusal> {
        match world.lay_out(self.container, self.created_s, self.parts.0.clone(), 0).await {
            Ok(layout) => Ok(Some(layout)),
            Err(files::Error::Empty) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Pieces from a byte of theirs on.
fn from(pieces: &[Piece], mut first: u64) -> Vec<Piece> {
    let mut rest = Vec::new();
    for piece in pieces {
        let passed = first.min(piece.size);
        first -= passed;
        if passed < piece.size {
            let key = piece.key.clone();
            rest.push(Piece { key, first: piece.first + passed, size: piece.size - passed });
        }
    }
    rest
}
