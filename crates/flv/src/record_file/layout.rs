//! The first pass: where everything will be.

use media::TrackKind;
use sample_table::{SampleEntry, SampleTable};

use super::plan::{PlannedChunk, RecordPlan};
use super::{body::AROUND_BODY, metadata::Facts, tags::Tags};
use crate::{Error, FILE_HEADER_SIZE, TagKind, script, write_header, write_tag};

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

impl RecordPlan<'_> {
    /// Lays the file out.
    ///
    /// # Errors
    /// [`Error::BodyTooLong`] for a header or script data that no tag can hold: tags have brought them.
    pub fn lay_out(&self) -> Result<RecordHead, Error> {
        let mut facts = Facts::default();
        for PlannedChunk { table, .. } in &self.chunks {
            take_facts(&mut facts, table);
        }
        let mut tags = Tags::new(self);
        while let Some(next) = tags.order.peek(self) {
            tags.step(self, &next, &mut |tag| {
                if tag.body_size() >= 1 << 24 {
                    return Err(Error::BodyTooLong { found: tag.body_size() as u64 });
                }
                if tag.is_entry {
                    facts.keyframes.push(tag.time_ms, facts.size);
                }
                facts.size += (tag.body_size() + AROUND_BODY) as u64;
                Ok(())
            })?;
        }
        let duration_90khz = self.duration_90khz;
        facts.duration_ms = (duration_90khz + 45) / 90;
        facts.last_ms = tags.latest_ms;
        let body_size = facts.body(0).len();
        let before = (FILE_HEADER_SIZE + AROUND_BODY + body_size) as u64;
        let mut bytes = Vec::with_capacity(before as usize);
        write_header(&mut bytes, facts.audio.is_some(), facts.video.is_some());
        write_tag(&mut bytes, TagKind::Script, 0, &facts.body(before))?;
        let left_out = tags.order.tracks.iter().map(|cursor| cursor.left_out).sum();
        let (file_size, samples) = (before + facts.size, tags.samples);
        Ok(RecordHead { bytes, file_size, duration_90khz, samples, left_out })
    }
}

/// What a chunk says of the file.
fn take_facts(facts: &mut Facts, table: &SampleTable<'_>) {
    let head = table.head();
    for run in table.runs() {
        match head.entries[run.entry as usize] {
            SampleEntry::Video(entry) => {
                facts.take_video(&entry, head.track(TrackKind::Video).is_enhanced);
            }
            SampleEntry::Audio(entry) => {
                facts.take_audio(&entry, head.track(TrackKind::Audio).is_enhanced);
            }
        }
    }
    let of_stream = |body: &&[u8]| script::name(body) == Some(script::ON_META_DATA);
    let metadata = head.scripts.iter().map(|script| script.body).filter(of_stream);
    metadata.for_each(|body| facts.take_metadata(body));
}
