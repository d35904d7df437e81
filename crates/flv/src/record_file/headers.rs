//! Where the sequence headers of a file stand.

use media::TrackKind;
use sample_table::{SampleEntry, SampleTable};

/// Where the sequence headers of a file stand. It follows from all its chunks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Headers {
    /// Before a track's first sample, and before the first with another one.
    #[default]
    Once,
    /// There, and those of both tracks before each keyframe.
    BeforeKeyframes,
}

impl Headers {
    /// Where they stand in a file of chunks: before keyframes where a track's configuration changes.
    #[must_use]
    pub fn of<'t, 'a: 't>(tables: impl IntoIterator<Item = &'t SampleTable<'a>>) -> Self {
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
                    return Self::BeforeKeyframes;
                }
            }
        }
        Self::Once
    }
}
