//! From the tables of a file's chunks to its index.

use media::TrackKind;
use sample_table::{Run, SampleEntry, SampleTable};

use crate::{Error, Index, movie, track::Track};

/// What becomes of time without media of either track, where a chunk does not follow the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GapPolicy {
    /// It is left out: the chunk begins where the one before ends. A file lasts as long as what it holds.
    #[default]
    LeftOut,
    /// It is kept: the last picture stays, and nothing is heard.
    Kept,
}

/// What the caller may choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// What becomes of gaps.
    pub gaps: GapPolicy,
    /// When the stream began, in seconds since 1970; `None`: nothing is said.
    pub created_unix_s: Option<u64>,
    /// The media begins at a multiple of so many bytes, for stores that want parts of one size; 0: where the index ends.
    pub media_alignment: u64,
}

/// How a chunk follows the one before it in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follows {
    /// It goes on, on the same clock. What its times leave open is the push's own timing.
    Directly,
    /// Media is missing, or the chunk is of another session: its clock says nothing.
    AfterGap {
        /// How long nothing was recorded. Unit: 1/90 000 s.
        gap_90khz: u64,
    },
}

/// Puts the index of a file together, chunk by chunk. What it holds is what the index will take, and no table.
#[derive(Clone, Debug)]
pub struct IndexBuilder {
    policy: Policy,
    /// What is added to a chunk's times to have those of the file. Unit: 1/90 000 s.
    shift_90khz: Option<i64>,
    tracks: Vec<Track>,
    media_size: u64,
    left_out: u64,
}

impl IndexBuilder {
    /// A file without chunks.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { policy, shift_90khz: None, tracks: Vec::new(), media_size: 0, left_out: 0 }
    }

    /// Adds the file's next chunk, whose media follows that of the one before.
    pub fn add(&mut self, table: &SampleTable<'_>, follows: Follows) {
        self.shift_90khz = Some(match (self.shift_90khz, follows) {
            (Some(shift), Follows::Directly) => shift,
            (_, Follows::AfterGap { gap_90khz }) => self.shift_after_gap(table, gap_90khz),
            (None, Follows::Directly) => 0,
        });
        for run in table.runs() {
            self.add_run(table, &run);
        }
        self.media_size += table.media_size();
    }

    /// By how much the chunk's times move so that it begins where what is shown ends.
    fn shift_after_gap(&self, table: &SampleTable<'_>, gap_90khz: u64) -> i64 {
        let Some(end) = self.tracks.iter().map(Track::end_90khz).max() else { return 0 };
        let gap = match self.policy.gaps {
            GapPolicy::LeftOut => 0,
            GapPolicy::Kept => i64::try_from(gap_90khz).unwrap_or(i64::MAX >> 8),
        };
        let first_of = |kind| {
            let run = table.runs().find(|run| run.track == kind)?;
            run.samples().next()
        };
        let firsts = [TrackKind::Video, TrackKind::Audio].map(|kind| (kind, first_of(kind)));
        let firsts = firsts.iter().filter_map(|(kind, sample)| Some((*kind, (*sample)?)));
        let shown =
            firsts.clone().map(|(_, first)| first.dts_90khz + i64::from(first.composition_offset_90khz));
        let shift = end + gap - shown.min().unwrap_or(0);
        // Decoding times rise, also where pictures are reordered more deeply than before.
        let at_least = firsts.filter_map(|(kind, first)| {
            let track = self.tracks.iter().find(|track| track.kind == kind)?;
            Some(track.last_dts_90khz() + 1 - first.dts_90khz)
        });
        at_least.fold(shift, i64::max)
    }

    fn add_run(&mut self, table: &SampleTable<'_>, run: &Run<'_>) {
        let entry = &table.head().entries[run.entry as usize];
        let shift = self.shift_90khz.unwrap_or(0);
        let mut samples = run.samples().peekable();
        let Some(first) = samples.peek() else { return };
        let at = match self.tracks.iter().position(|track| track.kind == run.track) {
            Some(at) => at,
            None => {
                self.tracks.push(Track::new(entry, first.dts_90khz + shift));
                self.tracks.len() - 1
            }
        };
        let track = &mut self.tracks[at];
        let Some(number) = track.entry(entry) else {
            self.left_out += u64::from(run.count);
            if track.count == 0 {
                self.tracks.remove(at);
            }
            return;
        };
        track.add_chunk(self.media_size + run.offset, run.count, number);
        let frame = match entry {
            SampleEntry::Audio(entry) => Some((entry.frame_samples, entry.sample_rate_hz)),
            SampleEntry::Video(_) => None,
        };
        let lasts_90khz = table.head().track(run.track).last_duration_90khz.into();
        for mut sample in samples {
            sample.dts_90khz += shift;
            track.add(&sample, frame, lasts_90khz);
        }
    }

    /// How long the file plays so far. Unit: 1/90 000 s.
    #[must_use]
    pub fn duration_90khz(&self) -> u64 {
        movie::edits(&self.tracks).iter().map(|edit| edit.duration_90khz()).max().unwrap_or(0)
    }

    /// The index.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn finish(self) -> Result<Index, Error> {
        Index::new(self.tracks, self.media_size, self.left_out, &self.policy)
    }
}
