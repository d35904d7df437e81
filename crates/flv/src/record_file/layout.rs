//! The first pass: where everything will be.

use std::ops::Range;

use media::TrackKind;
use sample_table::{SampleEntry, SampleTable};

use super::body::{AROUND_BODY, MAX_BODY_SIZE};
use super::marks::{Mark, Marks};
use super::plan::{PlannedChunk, RecordPlan};
use super::{RecordWriter, metadata::Facts};
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

/// Where everything is in a file.
#[derive(Clone, Debug)]
pub struct RecordLayout<'a> {
    /// What the file begins with.
    pub head: RecordHead,
    pub(super) plan: RecordPlan<'a>,
    pub(super) marks: Marks<'a>,
}

impl<'a> RecordPlan<'a> {
    /// Lays the file out.
    ///
    /// # Errors
    /// [`Error::BodyTooLong`] for a header or script data that no tag can hold: tags have brought them.
    pub fn lay_out(self) -> Result<RecordLayout<'a>, Error> {
        let mut facts = Facts::default();
        for PlannedChunk { table, .. } in &self.chunks {
            take_facts(&mut facts, table);
        }
        let mut at = Mark::first(&self);
        let mut marks = Marks::new(at.clone());
        while let Some(next) = at.peek(&self) {
            at.step(&self, &next, |tag, passed| {
                if tag.body_size() > MAX_BODY_SIZE {
                    return Err(Error::BodyTooLong { found: tag.body_size() as u64 });
                }
                if tag.is_entry {
                    facts.keyframes.push(tag.time_ms, passed);
                }
                Ok(())
            })?;
            marks.offer(&at);
        }
        facts.size = at.passed;
        let tags = &at.tags;
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
        let head = RecordHead { bytes, file_size, duration_90khz, samples, left_out };
        Ok(RecordLayout { head, plan: self, marks })
    }
}

impl<'a> RecordLayout<'a> {
    /// Writes the tags of the file but those that end within so many bytes behind its head. Answers as well how many bytes
    /// there are behind the head before what is written.
    #[must_use]
    pub fn writer(&'a self, behind: u64) -> (RecordWriter<'a>, u64) {
        let mark = self.marks.seek(&self.plan, behind);
        (RecordWriter::new(&self.plan, mark.tags), mark.passed)
    }

    /// Which bytes of the chunks' media, one after the other, are needed at most for these bytes behind the head.
    #[must_use]
    pub fn media(&self, behind: Range<u64>) -> Range<u64> {
        let writer = self.writer(behind.start).0;
        let first = writer.media_first();
        if behind.is_empty() {
            return first..first;
        }
        let mark = self.marks.seek(&self.plan, behind.end);
        let next = mark.peek(&self.plan).filter(|_| mark.passed < behind.end);
        let until = self.plan.media_before(mark.chunks_with(next.as_ref()));
        // Whatever comes first is written once there is a chunk's media, script data as well.
        first..until.max(first + writer.needed().unwrap_or(0))
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
