//! Writing a table, sample by sample.

use media::TrackKind;

use crate::{
    Head, Sample, SampleTable,
    fields::{write_bytes, write_number, write_signed},
    run::{HAS_TIMES, IS_SYNC, SIZE_SHIFT, Times},
};

/// Writes a table. Runs come in the order of the media bytes, samples of a track in decoding order.
#[derive(Clone, Debug, Default)]
pub struct TableWriter {
    runs: Vec<u8>,
    counts: [u32; 2],
    run: Option<OpenRun>,
    /// The open run's samples; kept from run to run.
    samples: Vec<u8>,
}

#[derive(Clone, Debug)]
struct OpenRun {
    track: TrackKind,
    entry: u32,
    count: u32,
    size: u64,
    times: Times,
}

impl TableWriter {
    /// A table without runs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a run of a track with one of the head's sample entries.
    pub fn begin_run(&mut self, track: TrackKind, entry: u32) {
        self.end_run();
        self.run = Some(OpenRun { track, entry, count: 0, size: 0, times: Times::default() });
    }

    /// Adds a sample to the run.
    ///
    /// # Panics
    /// When no run has begun.
    pub fn sample(&mut self, sample: Sample) {
        let run = self.run.as_mut().expect("a run should have begun");
        let change = run.times.change(&sample);
        let flags = if sample.is_sync { IS_SYNC } else { 0 } | if change.is_some() { HAS_TIMES } else { 0 };
        write_number(&mut self.samples, u64::from(sample.size) << SIZE_SHIFT | flags);
        if let Some((delta, offset)) = change {
            write_signed(&mut self.samples, delta);
            write_signed(&mut self.samples, offset);
        }
        run.count += 1;
        run.size += u64::from(sample.size);
    }

    fn end_run(&mut self) {
        let Some(run) = self.run.take().filter(|run| run.count > 0) else { return };
        write_number(&mut self.runs, u64::from(run.entry) << 1 | run.track as u64);
        write_number(&mut self.runs, run.count.into());
        write_number(&mut self.runs, run.size);
        write_bytes(&mut self.runs, &self.samples);
        self.samples.clear();
        self.counts[run.track as usize] += run.count;
    }

    /// The table.
    #[must_use]
    pub fn finish(mut self, head: &Head<'_>) -> Vec<u8> {
        self.end_run();
        let mut table = vec![SampleTable::VERSION];
        self.counts.iter().for_each(|&count| write_number(&mut table, count.into()));
        head.write(&mut table);
        table.extend_from_slice(&self.runs);
        table
    }
}
