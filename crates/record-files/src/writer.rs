//! A record file as its media comes.

use std::ops::Range;

use flv::record_file::{RecordHead, RecordPlan, RecordWriter};
use mp4::{Index, IndexBuilder, Policy};
use sample_table::{Follows, SampleTable};

use crate::Error;

/// Media of an MP4 file is taken in blocks of at most so many bytes.
const BLOCK: u64 = 1 << 20;

/// What record files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// ISO/IEC 14496-14.
    Mp4,
    /// FLV 10.1, with the Enhanced RTMP tags that were pushed.
    Flv,
}

/// A chunk of a record file.
#[derive(Clone, Debug)]
pub struct Chunk<'a> {
    table: SampleTable<'a>,
    follows: Follows,
}

/// The chunks of a file: of each the bytes of its sample table, and how long the file shows nothing new before it, in
/// milliseconds, where it does not go on from the chunk before it.
///
/// # Errors
/// [`Error::Table`].
pub fn chunks<'a>(
    tables: impl IntoIterator<Item = (&'a [u8], Option<u64>)>,
) -> Result<Vec<Chunk<'a>>, Error> {
    let read = |(chunk, (bytes, gap_ms)): (usize, (&'a [u8], Option<u64>))| {
        let table = SampleTable::parse(bytes).map_err(|source| Error::Table { chunk, source })?;
        let after = |gap_ms: u64| Follows::AfterGap { gap_90khz: gap_ms.saturating_mul(90) };
        Ok(Chunk { table, follows: gap_ms.map_or(Follows::Directly, after) })
    };
    tables.into_iter().enumerate().map(read).collect()
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

/// Writes a record file, or bytes of it.
#[derive(Debug)]
pub struct Writer<'a> {
    file: File,
    body: Body<'a>,
    media_first: u64,
    /// What is written next is not wanted up to so many bytes.
    skip: u64,
    /// So many bytes are wanted then.
    left: u64,
}

#[derive(Debug)]
enum Body<'a> {
    /// The media as it is, behind an index.
    Mp4 { index: Index, left: u64 },
    /// Tags, a chunk at a time.
    Flv { head: Option<Vec<u8>>, writer: Box<RecordWriter<'a>> },
}

impl<'a> Writer<'a> {
    /// Lays the file out. `created_s`: when the recording began, in Unix seconds.
    ///
    /// # Errors
    /// [`Error::Empty`]; what the container cannot hold.
    pub fn new(container: Container, created_s: u64, chunks: &'a [Chunk<'a>]) -> Result<Self, Error> {
        Self::part(container, created_s, chunks, 0..u64::MAX)
    }

    /// The same, to write some of the file's bytes: media is wanted from [`media_first`](Self::media_first) on.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn part(
        container: Container,
        created_s: u64,
        chunks: &'a [Chunk<'a>],
        bytes: Range<u64>,
    ) -> Result<Self, Error> {
        let mut writer = match container {
            Container::Mp4 => Self::mp4(created_s, chunks, bytes.start)?,
            Container::Flv => Self::flv(chunks, bytes.start)?,
        };
        writer.left = bytes.end.min(writer.file.size).saturating_sub(bytes.start);
        Ok(writer)
    }

    fn mp4(created_s: u64, chunks: &[Chunk<'_>], first: u64) -> Result<Self, Error> {
        let mut builder = IndexBuilder::new(Policy { created_unix_s: Some(created_s) });
        for chunk in chunks {
            builder.add(&chunk.table, chunk.follows);
        }
        let index = builder.finish()?;
        let file = File {
            size: index.file_size(),
            duration_90khz: index.duration_90khz(),
            left_out: index.left_out(),
        };
        let media_first = first.saturating_sub(index.media_offset());
        let left = (index.file_size() - index.media_offset()).saturating_sub(media_first);
        let skip = first - media_first;
        Ok(Self { file, body: Body::Mp4 { index, left }, media_first, skip, left: 0 })
    }

    fn flv(chunks: &'a [Chunk<'a>], first: u64) -> Result<Self, Error> {
        let plan = RecordPlan::new(chunks.iter().map(|chunk| (&chunk.table, chunk.follows)));
        let RecordHead { bytes: head, file_size: size, duration_90khz, samples, left_out } =
            plan.lay_out()?;
        if samples == 0 {
            return Err(Error::Empty);
        }
        let file = File { size, duration_90khz, left_out };
        let behind_head = first.checked_sub(head.len() as u64);
        let (writer, passed) = RecordWriter::behind(plan, behind_head.unwrap_or(0));
        let (head, skip) = match behind_head {
            Some(behind_head) => (None, behind_head - passed),
            None => (Some(head), first),
        };
        let media_first = writer.media_first();
        Ok(Self { file, body: Body::Flv { head, writer: Box::new(writer) }, media_first, skip, left: 0 })
    }

    /// What the whole file is.
    #[must_use]
    pub fn file(&self) -> File {
        self.file
    }

    /// The byte of the chunks' media that is needed first.
    #[must_use]
    pub fn media_first(&self) -> u64 {
        self.media_first
    }

    /// The next piece of what stands before the media; `None` once there is no more.
    pub fn head(&mut self) -> Option<Vec<u8>> {
        loop {
            let piece = match &mut self.body {
                Body::Mp4 { index, .. } => index.next(),
                Body::Flv { head, .. } => head.take(),
            }?;
            let wanted = self.wanted(piece);
            if !wanted.is_empty() {
                return Some(wanted);
            }
        }
    }

    /// How many bytes of media come next; `None` once all is written.
    #[must_use]
    pub fn needed(&self) -> Option<u64> {
        if self.left == 0 {
            return None;
        }
        match &self.body {
            Body::Mp4 { left, .. } => (*left > 0).then_some((*left).min(BLOCK)),
            Body::Flv { writer, .. } => writer.needed(),
        }
    }

    /// What becomes of so many bytes of media as were [needed](Self::needed).
    ///
    /// # Errors
    /// [`Error::Flv`] where there are fewer.
    pub fn take(&mut self, media: Vec<u8>) -> Result<Vec<u8>, Error> {
        let written = match &mut self.body {
            Body::Mp4 { left, .. } => {
                *left = left.saturating_sub(media.len() as u64);
                media
            }
            Body::Flv { writer, .. } => {
                let mut tags = Vec::new();
                writer.take(&media, &mut tags)?;
                tags
            }
        };
        Ok(self.wanted(written))
    }

    /// What is wanted of the next bytes of the file.
    fn wanted(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        let skipped = self.skip.min(bytes.len() as u64);
        self.skip -= skipped;
        if skipped > 0 {
            bytes.drain(..skipped as usize);
        }
        bytes.truncate(self.left.min(bytes.len() as u64) as usize);
        self.left -= bytes.len() as u64;
        bytes
    }
}
