//! What a record file is made of, and how a call goes about it.

use std::ops::Range;

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

/// A file, and what it is made of.
pub(crate) struct Made<W: World> {
    pub(crate) container: files::Container,
    pub(crate) content_type: &'static str,
    pub(crate) tag: String,
    pub(crate) work: Location,
    pub(crate) file: W::RecordFile,
    /// Where the media of its chunks lies, one after the other.
    pub(crate) media: Vec<Piece>,
}

impl<W: World> Made<W> {
    /// Hands on so many bytes of the file from `first` on.
    pub(crate) async fn write<T>(
        &self,
        world: &W,
        first: u64,
        size: u64,
        reader: impl AsyncFnOnce(W::Stream) -> T,
    ) -> T {
        let bytes = first..first + size;
        let media = within(&self.media, world.media(&self.file, bytes.clone()).await);
        let write = async |media| reader(world.write(&self.file, bytes, media).await).await;
        world.gather(self.work.clone(), Vec::new(), media, write).await
    }
}

/// What some bytes of all pieces, one after the other, are.
fn within(pieces: &[Piece], bytes: Range<u64>) -> Vec<Piece> {
    let (mut some, mut at) = (Vec::new(), 0);
    for Piece { key, first, size } in pieces {
        let (begin, end) = (bytes.start.max(at), bytes.end.min(at + size));
        if begin < end {
            some.push(Piece { key: key.clone(), first: first + (begin - at), size: end - begin });
        }
        at += size;
    }
    some
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_pieces_are_what_lies_in_them() {
        let piece = |key: &str, first, size| Piece { key: key.into(), first, size };
        let pieces = [piece("a", 100, 5), piece("b", 0, 0), piece("c", 200, 7)];
        let of =
            |bytes| within(&pieces, bytes).into_iter().map(|p| (p.key, p.first, p.size)).collect::<Vec<_>>();
        assert_eq!(of(0..12), [("a".into(), 100, 5), ("c".into(), 200, 7)]);
        assert_eq!(of(3..8), [("a".into(), 103, 2), ("c".into(), 200, 3)]);
        assert_eq!(of(5..6), [("c".into(), 200, 1)]);
        assert_eq!(of(11..u64::MAX), [("c".into(), 206, 1)]);
        assert_eq!((of(4..4), of(12..20)), (vec![], vec![]));
    }
}
