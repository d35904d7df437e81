//! The second pass: the tags, as the media comes.

use super::RecordPlan;
use super::body::{AROUND_BODY, Payload};
use super::order::Next;
use super::tags::Tags;
use crate::{Error, write_previous_tag_size, write_tag_header};

/// Passed over at a time are the tags of so many bytes.
const MAX_PASSED_AGAIN: u64 = 256 << 10;

/// Writes the tags of a file in the order in which they were laid out, from any of them on.
///
/// The media of its chunks comes in their order, a chunk at a time; samples that have to stand behind some of a later
/// chunk wait. What a chunk and they have is what is in memory.
#[derive(Clone, Debug)]
pub struct RecordWriter<'a> {
    plan: RecordPlan<'a>,
    tags: Tags<'a>,
    /// The chunk whose media comes next; the media before it has come, from `media_first` on.
    chunk: usize,
    media_first: u64,
    /// Samples of each track that have come and are not written.
    pub(super) waiting: [Vec<u8>; 2],
}

impl<'a> RecordWriter<'a> {
    /// Writes all tags of a file.
    #[must_use]
    pub fn new(plan: RecordPlan<'a>) -> Self {
        Self::behind(plan, 0).0
    }

    /// Writes all tags of a file but those that end within so many bytes behind its head, or most of these. Answers as
    /// well how many bytes there are behind the head before what is written.
    #[must_use]
    pub fn behind(plan: RecordPlan<'a>, bytes: u64) -> (Self, u64) {
        let (tags, passed) = pass_over(&plan, bytes);
        let heads = tags.order.tracks.iter().filter_map(|cursor| cursor.head);
        let first = heads.min_by_key(|placed| placed.offset);
        let chunk = first.map_or(plan.chunks.len(), |placed| placed.chunk);
        let media_first = first.map_or(plan.media_before(chunk), |placed| placed.offset);
        (Self { plan, tags, chunk, media_first, waiting: Default::default() }, passed)
    }

    /// The byte of the chunks' media, one after the other, that is needed next.
    #[must_use]
    pub fn media_first(&self) -> u64 {
        self.media_first
    }

    /// How many bytes of media come next; `None` once all tags are written.
    #[must_use]
    pub fn needed(&self) -> Option<u64> {
        self.tags.order.peek(&self.plan)?;
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
        let (first, plan) = (self.media_first, &self.plan);
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

/// The tags behind those that end within so many bytes, or behind most of these; and how many bytes are before them.
fn pass_over<'a>(plan: &RecordPlan<'a>, bytes: u64) -> (Tags<'a>, u64) {
    let mut tags = Tags::new(plan);
    let (mut kept, mut kept_passed, mut passed) = (tags.clone(), 0, 0);
    while passed <= bytes
        && let Some(next) = tags.order.peek(plan)
    {
        if passed >= kept_passed + MAX_PASSED_AGAIN || passed == bytes {
            (kept, kept_passed) = (tags.clone(), passed);
        }
        // Nothing is refused where nothing is written.
        let _ = tags.step(plan, &next, &mut |tag| {
            passed += (tag.body_size() + AROUND_BODY) as u64;
            Ok(())
        });
    }
    (kept, kept_passed)
}
