//! The clock of a file: chunks of one session or of several, one after another.

use media::TrackKind;

use crate::SampleTable;

/// How a chunk follows the one before it in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follows {
    /// It goes on, on the same clock. What its times leave open is the push's own timing.
    Directly,
    /// Media is missing, or the chunk is of another session: its clock says nothing.
    AfterGap {
        /// How long the file shows the last picture and is silent; with 0 the chunk begins where the one before ends.
        /// Unit: 1/90 000 s.
        gap_90khz: u64,
    },
}

/// Puts the chunks of a file on one clock, alike for every format.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileClock {
    /// What is added to the last chunk's times. Unit: 1/90 000 s.
    shift_90khz: Option<i64>,
    /// The last decoding time of each track. Unit: 1/90 000 s.
    last_dts_90khz: [Option<i64>; 2],
    /// When something is shown or heard first, and the end of what is last. Unit: 1/90 000 s.
    shown_90khz: Option<(i64, i64)>,
}

impl FileClock {
    /// Takes the file's next chunk: what is to be added to its times. Unit: 1/90 000 s.
    pub fn place(&mut self, table: &SampleTable<'_>, follows: Follows) -> i64 {
        let shift = match (self.shift_90khz, follows) {
            (None, _) => 0,
            (Some(shift), Follows::Directly) => shift,
            (Some(_), Follows::AfterGap { gap_90khz }) => self.shift_after_gap(table, gap_90khz),
        };
        self.shift_90khz = Some(shift);
        for run in table.runs() {
            let lasts: i64 = table.head().track(run.track).last_duration_90khz.into();
            for sample in run.samples() {
                let dts = sample.dts_90khz + shift;
                let shown = dts + i64::from(sample.composition_offset_90khz);
                self.last_dts_90khz[run.track as usize] = Some(dts);
                let (first, end) = self.shown_90khz.unwrap_or((shown, shown));
                self.shown_90khz = Some((first.min(shown), end.max(shown + lasts)));
            }
        }
        shift
    }

    /// By how much the chunk's times move so that it begins where what is shown ends.
    fn shift_after_gap(&self, table: &SampleTable<'_>, gap_90khz: u64) -> i64 {
        let Some((_, end)) = self.shown_90khz else { return 0 };
        let gap = i64::try_from(gap_90khz).unwrap_or(i64::MAX).min(MAX_GAP_90KHZ);
        let first_of = |track| table.runs().find(|run| run.track == track)?.samples().next();
        let firsts = [TrackKind::Video, TrackKind::Audio].map(|track| (track, first_of(track)));
        let firsts = firsts.iter().filter_map(|(track, sample)| Some((*track, (*sample)?)));
        let shown =
            firsts.clone().map(|(_, first)| first.dts_90khz + i64::from(first.composition_offset_90khz));
        let shift = end + gap - shown.min().unwrap_or(0);
        // Decoding times rise, also where pictures are reordered more deeply than before.
        let at_least = firsts
            .filter_map(|(track, first)| Some(self.last_dts_90khz[track as usize]? + 1 - first.dts_90khz));
        at_least.fold(shift, i64::max)
    }

    /// How long the file plays so far, from what is shown or heard first to the end of what is last. Unit: 1/90 000 s.
    #[must_use]
    pub fn duration_90khz(&self) -> u64 {
        self.shown_90khz.map_or(0, |(first, end)| end.abs_diff(first))
    }
}

/// The longest gap that is kept: a year. Unit: 1/90 000 s.
const MAX_GAP_90KHZ: i64 = 366 * 86_400 * 90_000;
