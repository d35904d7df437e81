//! The second pass: the tags, as the media comes.

use super::RecordPlan;
use super::body::Payload;
use super::order::Next;
use super::tags::Tags;
use crate::{Error, write_previous_tag_size, write_tag_header};

/// Writes the tags of a file in the order in which they were laid out, from any of them on.
///
/// The media of its chunks comes in their order, a chunk at a time; samples that have to stand behind some of a later
/// chunk wait. What a chunk and they have is what is in memory.
#[derive(Clone, Debug)]
pub struct RecordWriter<'a> {
    plan: &'a RecordPlan<'a>,
    tags: Tags<'a>,
    /// The chunk whose media comes next; the media before it has come, from `media_first` on.
    chunk: usize,
    media_first: u64,
    /// Samples of each track that have come and are not written.
    pub(super) waiting: [Vec<u8>; 2],
}

impl<'a> RecordWriter<'a> {
    /// Writes these tags of a file.
    pub(super) fn new(plan: &'a RecordPlan<'a>, tags: Tags<'a>) -> Self {
        let heads = tags.order.tracks.iter().filter_map(|cursor| cursor.head);
        let first = heads.min_by_key(|placed| placed.offset);
        let chunk = first.map_or(plan.chunks.len(), |placed| placed.chunk);
        let media_first = first.map_or(plan.media_before(chunk), |placed| placed.offset);
        Self { plan, tags, chunk, media_first, waiting: Default::default() }
    }

    /// The byte of the chunks' media, one after the other, that is needed next.
    #[must_use]
    pub fn media_first(&self) -> u64 {
        self.media_first
    }

    /// How many bytes of media come next; `None` once all tags are written.
    #[must_use]
    pub fn needed(&self) -> Option<u64> {
        self.tags.order.peek(self.plan)?;
        Some(self.plan.media_before(self.chunk + 1) - self.media_first)
    }

    /// Appends the tags that can be written with the media that comes next.
    ///
    /// # Errors
    /// [`Error::BodyTooLong`] for what the layout has refused;
    /// [`Error::MediaTruncated`] where `media` is shorter than is [needed](Self::needed).
    pub fn take(&mut self, media: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let end = self.plan.media_before(self.chunk + 1);
        let (needed, available) = (end - self.media_first, media.len() as u64);
        if available < needed {
            return Err(Error::MediaTruncated { needed, available });
        }
        let (first, plan) = (self.media_first, self.plan);
        let of_media = |offset: u64, size: u32| &media[(offset - first) as usize..][..size as usize];
        let mut written = [0; 2];
        while let Some(next) = self.tags.order.peek(plan) {
            let sample = match next {
                Next::Sample { placed, .. } if placed.chunk > self.chunk => break,
                Next::Sample { track, placed } if placed.offset < first => {
                    let begin = written[track];
                    written[track] += placed.sample.size as usize;
                    &self.waiting[track][begin..written[track]]
                }
                Next::Sample { placed, .. } => of_media(placed.offset, placed.sample.size),
                Next::Script { .. } => &[],
            };
            self.tags.step(plan, &next, &mut |tag| {
                let payload = match tag.payload {
                    Payload::Bytes(bytes) => bytes,
                    Payload::Sample(_) => sample,
                };
                // 32 bits of milliseconds, which wrap.
                write_tag_header(out, tag.kind, tag.body_size(), tag.time_ms as u32)?;
                out.extend_from_slice(tag.header());
                out.extend_from_slice(payload);
                write_previous_tag_size(out, tag.body_size());
                Ok(())
            })?;
        }
        for ((waiting, written), cursor) in self.waiting.iter_mut().zip(written).zip(&self.tags.order.tracks)
        {
            waiting.drain(..written);
            for placed in cursor.until(plan, self.chunk).filter(|placed| placed.offset >= first) {
                waiting.extend_from_slice(of_media(placed.offset, placed.sample.size));
            }
        }
        (self.chunk, self.media_first) = (self.chunk + 1, end);
        Ok(())
    }
}
