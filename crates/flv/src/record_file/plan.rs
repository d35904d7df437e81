//! The chunks of a file on its clock.

use media::TrackKind;
use sample_table::{FileClock, Follows, SampleEntry, SampleTable};

/// How far from its place in the media a sample is written at most: so much is kept in memory at a time. Unit: bytes.
///
/// Tracks are apart by as much as the push has them, which is less than a second in all likelihood, and where a chunk
/// begins anew by the depth of its pictures' reordering.
const MAX_WAITING: u64 = 16 << 20;

/// Where the sequence headers of a file stand. It follows from all its chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Headers {
    /// Before a track's first sample, and before the first with another one.
    Once,
    /// There, and those of both tracks before each keyframe: of a file in which a track's configuration changes.
    BeforeKeyframes,
}

/// The chunks of a file on its clock, and what holds for all of them.
#[derive(Clone, Debug)]
pub struct RecordPlan<'a> {
    pub(super) chunks: Vec<PlannedChunk<'a>>,
    pub(super) headers: Headers,
    pub(super) duration_90khz: u64,
    /// See [`MAX_WAITING`].
    pub(super) max_waiting: u64,
}

/// A chunk of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlannedChunk<'a> {
    pub(super) table: &'a SampleTable<'a>,
    /// What is added to its times. Unit: 1/90 000 s.
    pub(super) shift_90khz: i64,
    /// Where its media begins in that of all chunks, one after the other.
    pub(super) media_first: u64,
}

impl<'a> RecordPlan<'a> {
    /// The plan of a file of chunks, in their order.
    #[must_use]
    pub fn new(chunks: impl IntoIterator<Item = (&'a SampleTable<'a>, Follows)>) -> Self {
        let (mut clock, mut media_first) = (FileClock::default(), 0);
        let place = |(table, follows): (&'a SampleTable<'a>, Follows)| {
            let shift_90khz = clock.place(table, follows);
            let chunk = PlannedChunk { table, shift_90khz, media_first };
            media_first += table.media_size();
            chunk
        };
        let chunks: Vec<_> = chunks.into_iter().map(place).collect();
        let headers = headers(chunks.iter().map(|chunk| chunk.table));
        Self { chunks, headers, duration_90khz: clock.duration_90khz(), max_waiting: MAX_WAITING }
    }

    /// Bytes of the media of the chunks before one.
    pub(super) fn media_before(&self, chunk: usize) -> u64 {
        let end = || self.chunks.last().map_or(0, |last| last.media_first + last.table.media_size());
        self.chunks.get(chunk).map_or_else(end, |chunk| chunk.media_first)
    }
}

/// Where the headers of a file of chunks stand: before keyframes where a track's configuration changes.
fn headers<'a>(tables: impl Iterator<Item = &'a SampleTable<'a>>) -> Headers {
    let mut firsts = [None; 2];
    for table in tables {
        for run in table.runs() {
            let record = match &table.head().entries[run.entry as usize] {
                SampleEntry::Video(entry) => entry.record,
                SampleEntry::Audio(entry) => entry.record,
            };
            let configuration = (table.head().track(run.track).is_enhanced, record);
            let first = &mut firsts[usize::from(run.track == TrackKind::Audio)];
            if *first.get_or_insert(configuration) != configuration {
                return Headers::BeforeKeyframes;
            }
        }
    }
    Headers::Once
}
