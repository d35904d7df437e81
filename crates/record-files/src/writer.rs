//! Some of a record file as its media comes.

use std::collections::VecDeque;

use flv::record_file::{RecordLayout, RecordWriter};
use mp4::Index;

use crate::Error;

/// Media of an MP4 file is taken in blocks of at most so many bytes.
const BLOCK: u64 = 1 << 20;

/// Writes some of a record file.
#[derive(Debug)]
pub struct Writer<'a> {
    /// Pieces of what stands before the media.
    head: VecDeque<&'a [u8]>,
    body: Body<'a>,
    /// What is written next is not wanted up to so many bytes.
    skip: u64,
    /// So many bytes are wanted then.
    left: u64,
}

#[derive(Debug)]
enum Body<'a> {
    /// The media as it is.
    Mp4,
    /// Tags, a chunk at a time.
    Flv(Box<RecordWriter<'a>>),
}

impl<'a> Writer<'a> {
    pub(crate) fn mp4(index: &'a Index, first: u64, left: u64) -> Self {
        let is_behind = first >= index.media_offset();
        let (head, skip) = if is_behind { (VecDeque::new(), 0) } else { (index.pieces().collect(), first) };
        Self { head, body: Body::Mp4, skip, left }
    }

    pub(crate) fn flv(layout: &'a RecordLayout<'a>, first: u64, left: u64) -> Self {
        let behind_head = first.checked_sub(layout.head.bytes.len() as u64);
        let (writer, passed) = layout.writer(behind_head.unwrap_or(0));
        let (head, skip) = match behind_head {
            Some(behind_head) => (VecDeque::new(), behind_head - passed),
            None => (VecDeque::from([&layout.head.bytes[..]]), first),
        };
        Self { head, body: Body::Flv(Box::new(writer)), skip, left }
    }

    /// The next piece of what stands before the media; `None` once there is no more.
    pub fn head(&mut self) -> Option<Vec<u8>> {
        loop {
            let piece = self.head.pop_front()?;
            let skipped = self.skip.min(piece.len() as u64);
            self.skip -= skipped;
            let wanted = self.wanted(piece[skipped as usize..].to_vec());
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
            Body::Mp4 => Some(self.left.min(BLOCK)),
            Body::Flv(writer) => writer.needed(),
        }
    }

    /// What becomes of so many bytes of media as were [needed](Self::needed).
    ///
    /// # Errors
    /// [`Error::Flv`] where there are fewer.
    pub fn take(&mut self, media: Vec<u8>) -> Result<Vec<u8>, Error> {
        let written = match &mut self.body {
            Body::Mp4 => media,
            Body::Flv(writer) => {
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
        bytes.drain(..skipped as usize);
        bytes.truncate(self.left.min(bytes.len() as u64) as usize);
        self.left -= bytes.len() as u64;
        bytes
    }
}
