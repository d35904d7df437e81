//! From the tables of a file's chunks to its index.

use sample_table::{FileClock, Follows, Run, SampleEntry, SampleTable};

use crate::{Error, Index, Policy, movie, track::Track};

/// Puts the index of a file together, chunk by chunk. What it holds is what the index will take, and no table.
#[derive(Clone, Debug)]
pub struct IndexBuilder {
    policy: Policy,
    clock: FileClock,
    tracks: Vec<Track>,
    media_size: u64,
    left_out: u64,
}

impl IndexBuilder {
    /// A file without chunks.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { policy, clock: FileClock::default(), tracks: Vec::new(), media_size: 0, left_out: 0 }
    }

    /// Adds the file's next chunk, whose media follows that of the one before.
    pub fn add(&mut self, table: &SampleTable<'_>, follows: Follows) {
        let shift = self.clock.place(table, follows);
        for run in table.runs() {
            self.add_run(table, &run, shift);
        }
        self.media_size += table.media_size();
    }

    fn add_run(&mut self, table: &SampleTable<'_>, run: &Run<'_>, shift: i64) {
        let entry = &table.head().entries[run.entry as usize];
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
