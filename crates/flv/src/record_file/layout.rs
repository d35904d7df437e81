//! The first pass: where everything will be.

use media::TrackKind;
use sample_table::{Follows, SampleEntry, SampleTable};

use super::{Headers, metadata::Facts, tags::Tags};
use crate::{Error, FILE_HEADER_SIZE, TAG_HEADER_SIZE, TagKind, script, write_header, write_tag};

/// Bytes of a tag beside its body.
const AROUND_BODY: usize = TAG_HEADER_SIZE + 4;

/// Lays a file out, from the tables of its chunks alone.
///
/// It begins as a file without chunks.
#[derive(Clone, Debug, Default)]
pub struct RecordLayout {
    tags: Tags,
    facts: Facts,
}

/// What a file begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordHead {
    /// The file header and `onMetaData`: all that stands before the first chunk's tags.
    pub bytes: Vec<u8>,
    /// Bytes of the whole file.
    pub file_size: u64,
    /// How long the file plays. Unit: 1/90 000 s.
    pub duration_90khz: u64,
    /// Samples in the file.
    pub samples: u64,
    /// Samples that no tag can hold.
    pub left_out: u64,
}

impl RecordLayout {
    /// A file without chunks, whose headers stand in some places.
    #[must_use]
    pub fn new(headers: Headers) -> Self {
        Self { tags: Tags::new(headers), ..Self::default() }
    }

    /// Adds the file's next chunk. A sample that no tag can hold is left out, and counted.
    ///
    /// # Errors
    /// [`Error::BodyTooLong`] for a header or script data that no tag can hold: tags have brought them.
    pub fn add(&mut self, table: &SampleTable<'_>, follows: Follows) -> Result<(), Error> {
        let head = table.head();
        for run in table.runs() {
            match head.entries[run.entry as usize] {
                SampleEntry::Video(entry) => {
                    self.facts.take_video(&entry, head.track(TrackKind::Video).is_enhanced);
                }
                SampleEntry::Audio(entry) => {
                    self.facts.take_audio(&entry, head.track(TrackKind::Audio).is_enhanced);
                }
            }
        }
        let of_stream = |body: &&[u8]| script::name(body) == Some(script::ON_META_DATA);
        let metadata = head.scripts.iter().map(|script| script.body).filter(of_stream);
        metadata.for_each(|body| self.facts.take_metadata(body));
        let facts = &mut self.facts;
        self.tags.each(table, follows, &mut |tag| {
            if tag.body_size() >= 1 << 24 {
                return Err(Error::BodyTooLong { found: tag.body_size() as u64 });
            }
            if tag.is_entry {
                facts.keyframes.push(tag.time_ms, facts.size);
            }
            facts.size += (tag.body_size() + AROUND_BODY) as u64;
            Ok(())
        })
    }

    /// Bytes of the tags of the chunks that were added.
    #[must_use]
    pub fn tags_size(&self) -> u64 {
        self.facts.size
    }

    /// What the file begins with.
    ///
    /// # Errors
    /// [`Error::BodyTooLong`] where `onMetaData` fits no tag, which its bounds rule out.
    pub fn finish(mut self) -> Result<RecordHead, Error> {
        let duration_90khz = self.tags.clock().duration_90khz();
        self.facts.duration_ms = (duration_90khz + 45) / 90;
        self.facts.last_ms = self.tags.last_ms();
        let body_size = self.facts.body(0).len();
        let before = (FILE_HEADER_SIZE + AROUND_BODY + body_size) as u64;
        let mut bytes = Vec::with_capacity(before as usize);
        write_header(&mut bytes, self.facts.audio.is_some(), self.facts.video.is_some());
        write_tag(&mut bytes, TagKind::Script, 0, &self.facts.body(before))?;
        let (seen, left_out) = self.tags.samples();
        let (file_size, samples) = (before + self.facts.size, seen - left_out);
        Ok(RecordHead { bytes, file_size, duration_90khz, samples, left_out })
    }
}
