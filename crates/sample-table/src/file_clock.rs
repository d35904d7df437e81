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

#[cfg(test)]
mod tests {
    use media::{AudioCodec, VideoCodec};

    use super::*;
    use crate::{AudioEntry, Head, Sample, SampleEntry, TableWriter, TrackHead, VideoEntry};

    /// A track's samples: decoding times and composition offsets.
    type Times<'a> = &'a [(i64, u32)];

    /// The table of a chunk whose last picture lasts 3,600, and whose last sound 1,920.
    fn table(video: Times<'_>, audio: Times<'_>) -> Vec<u8> {
        let picture = VideoEntry { codec: VideoCodec::H264, width: 16, height: 16, record: &[] };
        let sound = AudioEntry {
            codec: AudioCodec::Aac,
            sample_rate_hz: 48_000,
            channels: 2,
            frame_samples: 1_024,
            in_adts: false,
            record: &[],
        };
        let lasting = |last_duration_90khz| TrackHead { last_duration_90khz, ..TrackHead::default() };
        let head = Head {
            video: lasting(3_600),
            audio: lasting(1_920),
            entries: vec![SampleEntry::Video(picture), SampleEntry::Audio(sound)],
            ..Head::default()
        };
        let mut writer = TableWriter::new();
        for (track, entry, times) in [(TrackKind::Video, 0, video), (TrackKind::Audio, 1, audio)] {
            writer.begin_run(track, entry);
            for &(dts_90khz, composition_offset_90khz) in times {
                writer.sample(Sample { dts_90khz, composition_offset_90khz, size: 1, is_sync: true });
            }
        }
        writer.finish(&head)
    }

    /// Places chunks; answers what is added to the times of each, and how long the file plays.
    fn place(chunks: &[(Vec<u8>, Follows)]) -> (Vec<i64>, u64) {
        let mut clock = FileClock::default();
        let placed = chunks.iter().map(|(table, follows)| {
            clock.place(&SampleTable::parse(table).expect("a table should be read"), *follows)
        });
        (placed.collect(), clock.duration_90khz())
    }

    const AFTER_NOTHING: Follows = Follows::AfterGap { gap_90khz: 0 };

    #[test]
    fn a_file_plays_from_what_is_shown_first_to_the_end_of_what_is_last() {
        assert_eq!(place(&[]), (vec![], 0));
        // The picture is shown from 900 to 4,500, the sound heard from 1,000 to 2,920.
        let first = table(&[(100, 800)], &[(1_000, 0)]);
        assert_eq!(place(&[(first.clone(), AFTER_NOTHING)]), (vec![0], 3_600));
        let longer = table(&[(3_700, 800)], &[(2_920, 0), (4_840, 0)]);
        assert_eq!(place(&[(first, Follows::Directly), (longer, Follows::Directly)]), (vec![0, 0], 7_200));
        assert_eq!(place(&[(table(&[], &[(500, 0)]), Follows::Directly)]), (vec![0], 1_920));
    }

    #[test]
    fn a_chunk_after_a_gap_begins_where_what_is_shown_ends_or_so_much_later() {
        let first = || (table(&[(0, 7_200)], &[(0, 0)]), Follows::Directly);
        // What is shown first of it is the sound, at 50,000; the first chunk is shown up to 10,800.
        let next = || table(&[(45_000, 9_000)], &[(50_000, 0)]);
        for gap_90khz in [0, 1, 90_000] {
            let (placed, duration) = place(&[first(), (next(), Follows::AfterGap { gap_90khz })]);
            let gap = gap_90khz.cast_signed();
            assert_eq!(placed, [0, 10_800 + gap - 50_000]);
            // The picture of the second chunk is shown 4,000 after its sound, and lasts 3,600.
            assert_eq!(duration, 10_800 + gap_90khz + 4_000 + 3_600);
        }
        let (placed, _) = place(&[first(), (next(), Follows::AfterGap { gap_90khz: u64::MAX })]);
        assert_eq!(placed[1], 10_800 + 2_846_016_000_000 - 50_000, "a year of 366 days");
        // What follows directly keeps what was added before it.
        let third = (table(&[(48_600, 9_000)], &[(51_920, 0)]), Follows::Directly);
        let (placed, _) = place(&[first(), (next(), AFTER_NOTHING), third]);
        assert_eq!(placed, [0, -39_200, -39_200]);
    }

    #[test]
    fn decoding_times_rise_though_pictures_are_reordered_more_deeply_after_a_gap() {
        // It is shown from 0 on, and decoded 20,000 before.
        let deep = table(&[(-20_000, 20_000)], &[]);
        let (placed, _) = place(&[(table(&[(0, 0)], &[]), Follows::Directly), (deep, AFTER_NOTHING)]);
        assert_eq!(placed, [0, 20_001]);
        // The tracks rise each by itself.
        let sound = table(&[], &[(0, 0)]);
        let (placed, _) = place(&[(table(&[(0, 0)], &[]), Follows::Directly), (sound, AFTER_NOTHING)]);
        assert_eq!(placed, [0, 3_600]);
        let nothing = table(&[], &[]);
        assert_eq!(place(&[(nothing, Follows::Directly), (table(&[(7, 0)], &[]), AFTER_NOTHING)]).0, [0, 0]);
    }
}
