//! A record file, before any of it is written.

use std::ops::Range;

use mp4::{Index, IndexBuilder, Policy};

use crate::flv_file::FlvFile;
use crate::{Chunk, Error, Writer};

/// What record files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// ISO/IEC 14496-14.
    Mp4,
    /// FLV 10.1, with the Enhanced RTMP tags that were pushed.
    Flv,
}

/// What a record file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// Its bytes, exactly.
    pub size: u64,
    /// How long it plays. Unit: 1/90 000 s.
    pub duration_90khz: u64,
    /// Samples that it cannot hold.
    pub left_out: u64,
}

/// A record file that is laid out: any bytes of it can be written, as often as wanted.
#[derive(Debug)]
pub struct RecordFile(Laid);

#[derive(Debug)]
enum Laid {
    /// The media as it is, behind an index.
    Mp4(Index),
    /// Tags, which are laid out over the tables of all chunks.
    Flv(FlvFile),
}

impl RecordFile {
    /// Lays a file out. `created_s`: when the recording began, in Unix seconds.
    ///
    /// # Errors
    /// [`Error::Table`], [`Error::Empty`]; what the container cannot hold.
    pub fn lay_out(container: Container, created_s: u64, chunks: Vec<Chunk>) -> Result<Self, Error> {
        Ok(Self(match container {
            Container::Mp4 => Laid::Mp4(index(created_s, chunks)?),
            Container::Flv => Laid::Flv(FlvFile::lay_out(chunks)?),
        }))
    }

    /// What the whole file is.
    #[must_use]
    pub fn file(&self) -> File {
        match &self.0 {
            Laid::Mp4(index) => File {
                size: index.file_size(),
                duration_90khz: index.duration_90khz(),
                left_out: index.left_out(),
            },
            Laid::Flv(flv) => {
                let head = &flv.layout().head;
                File { size: head.file_size, duration_90khz: head.duration_90khz, left_out: head.left_out }
            }
        }
    }

    /// Which bytes of the chunks' media, one after the other, are needed for some of the file.
    #[must_use]
    pub fn media(&self, bytes: Range<u64>) -> Range<u64> {
        let behind = |head: u64| bytes.start.saturating_sub(head)..bytes.end.saturating_sub(head);
        match &self.0 {
            Laid::Mp4(index) => behind(index.media_offset()),
            Laid::Flv(flv) => {
                let layout = flv.layout();
                layout.media(behind(layout.head.bytes.len() as u64))
            }
        }
    }

    /// Writes some of the file, of the [media](Self::media) for it.
    #[must_use]
    pub fn writer(&self, bytes: Range<u64>) -> Writer<'_> {
        let left = bytes.end.min(self.file().size).saturating_sub(bytes.start);
        match &self.0 {
            Laid::Mp4(index) => Writer::mp4(index, bytes.start, left),
            Laid::Flv(flv) => Writer::flv(flv.layout(), bytes.start, left),
        }
    }
}

/// The index of an MP4 file. A table is freed once it is read.
fn index(created_s: u64, chunks: Vec<Chunk>) -> Result<Index, Error> {
    let mut builder = IndexBuilder::new(Policy { created_unix_s: Some(created_s) });
    for (place, chunk) in chunks.into_iter().enumerate() {
        builder.add(&chunk.parse(place)?, chunk.follows());
    }
    Ok(builder.finish()?)
}
