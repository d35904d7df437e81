//! Pushes whose timestamps are presentation times: decoding times are made from them.
//!
//! FLV stamps messages with decoding times and says by an offset how much later a picture is shown. Some encoders
//! stamp presentation times and leave the offset at zero. With pictures that are reordered such stamps go back and
//! forth. In the order of time they are the decoding times, as many pictures later as the reordering is deep.

use super::{Ahead, Upcoming};
use crate::TrackKind;

/// The deepest reordering that is recognised; encoders use up to four.
const MAX_DEPTH: usize = 8;

/// Pictures that are looked at to recognise such a push: two groups of one picture and the sixteen shown before it, the
/// most that x264 makes, go back in time twice in as many.
const WINDOW: usize = 20;

/// A stamp further from the others than this does not belong to them, in milliseconds.
const MAX_DISTANCE_MS: i32 = 1_000;

/// Makes decoding times of presentation times, where a push stamps those.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PresentationStamps {
    /// The push has used composition offsets: its stamps are decoding times.
    pub has_offsets: bool,
    /// How many pictures are decoded before one that is shown before them; 0 while stamps are decoding times.
    pub depth: u8,
    /// The distance between two pictures in milliseconds.
    pub frame_ms: u16,
    /// The stamps that are not yet decoding times of a picture, `depth` of them in the order of time.
    pub waiting_ms: [u32; MAX_DEPTH],
}

impl PresentationStamps {
    /// Stamps that can wait.
    pub const MAX_DEPTH: usize = MAX_DEPTH;

    /// Looks for reordered stamps where decoding can begin; `last_ms` is the decoding stamp before.
    pub fn recognise(&mut self, last_ms: Option<u32>, first: Upcoming, ahead: impl Ahead) {
        if self.depth > 0 || self.has_offsets {
            return;
        }
        let video = std::iter::once(first).chain(ahead).filter(|upcoming| upcoming.track == TrackKind::Video);
        let Some((depth, frame_ms)) = reordering(video.take(WINDOW), first.timestamp_ms) else { return };
        self.depth = depth;
        self.frame_ms = frame_ms;
        let since_last = last_ms
            .map(|last| first.timestamp_ms.wrapping_sub(last))
            .filter(|&ms| ms > u32::from(depth) && ms < MAX_DISTANCE_MS.unsigned_abs());
        match since_last {
            None => self.restart(first.timestamp_ms),
            // Decoding times go on after the last one.
            Some(ms) => {
                for (index, waiting) in (0_u32..).zip(&mut self.waiting_ms[..usize::from(depth)]) {
                    let before = ms - ms * (index + 1) / (u32::from(depth) + 1);
                    *waiting = first.timestamp_ms.wrapping_sub(before);
                }
            }
        }
    }

    /// The decoding stamp and composition offset of the next picture, in milliseconds.
    pub fn next(&mut self, timestamp_ms: u32, composition_ms: i32) -> (u32, i32) {
        if composition_ms != 0 {
            *self = Self { has_offsets: true, ..Self::default() };
        }
        let depth = usize::from(self.depth);
        if depth == 0 {
            return (timestamp_ms, composition_ms);
        }
        let distance = |other: u32| timestamp_ms.wrapping_sub(other).cast_signed();
        if distance(self.waiting_ms[0]) < -MAX_DISTANCE_MS
            || distance(self.waiting_ms[depth - 1]) > MAX_DISTANCE_MS
        {
            self.restart(timestamp_ms);
        }
        let waiting = &mut self.waiting_ms[..depth];
        let earlier =
            waiting.iter().take_while(|&&other| timestamp_ms.wrapping_sub(other).cast_signed() >= 0).count();
        let next = if earlier == 0 {
            timestamp_ms
        } else {
            let next = waiting[0];
            waiting.copy_within(1..earlier, 0);
            waiting[earlier - 1] = timestamp_ms;
            next
        };
        (next, timestamp_ms.wrapping_sub(next).cast_signed())
    }

    /// Pictures before `timestamp_ms` that never were.
    fn restart(&mut self, timestamp_ms: u32) {
        let depth = u32::from(self.depth);
        for (index, waiting) in (0_u32..).zip(&mut self.waiting_ms[..depth as usize]) {
            *waiting = timestamp_ms.wrapping_sub(u32::from(self.frame_ms) * (depth - index));
        }
    }
}

/// The depth of the reordering and the distance between pictures in milliseconds, where stamps that go back and
/// forth are even in the order of time.
fn reordering(video: impl Iterator<Item = Upcoming>, first_ms: u32) -> Option<(u8, u16)> {
    let mut stamps = [0_i64; WINDOW];
    let mut count = 0;
    for upcoming in video {
        if upcoming.composition_ms != 0 {
            return None;
        }
        stamps[count] = upcoming.timestamp_ms.wrapping_sub(first_ms).cast_signed().into();
        count += 1;
    }
    let stamps = &mut stamps[..count];
    let steps_back = stamps.windows(2).filter(|pair| pair[1] < pair[0]).count();
    let later_before = |index: usize| stamps[..index].iter().filter(|&&stamp| stamp > stamps[index]).count();
    let depth = (0..count).map(later_before).max()?;
    if steps_back < 2 || !(1..=MAX_DEPTH).contains(&depth) {
        return None;
    }
    stamps.sort_unstable();
    // The last pictures may be shown after others that are not seen here.
    let settled = &stamps[..count - count / 4];
    let steps = settled.windows(2).map(|pair| pair[1] - pair[0]);
    let (shortest, longest) = (steps.clone().min()?, steps.max()?);
    let is_even = shortest > 0 && longest <= 2 * shortest + 2 && longest < i64::from(MAX_DISTANCE_MS);
    is_even.then_some((depth as u8, shortest as u16))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn video(stamps: &[u32]) -> Vec<Upcoming> {
        let upcoming =
            |&timestamp_ms: &u32| Upcoming { track: TrackKind::Video, timestamp_ms, composition_ms: 0 };
        stamps.iter().map(upcoming).collect()
    }

    /// Decoding stamps and offsets of a push, each less `first`.
    #[track_caller]
    fn check(stamps: &[u32], expected: &[(i32, i32)]) {
        let mut presentation = PresentationStamps::default();
        let upcoming = video(stamps);
        presentation.recognise(None, upcoming[0], upcoming[1..].iter().copied());
        let found: Vec<(i32, i32)> = stamps
            .iter()
            .map(|&stamp| presentation.next(stamp, 0))
            .map(|(stamp, offset)| (stamp.wrapping_sub(stamps[0]).cast_signed(), offset))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn reordered_presentation_times_become_decoding_times_and_offsets() {
        // I P B B P B B, from just before the wrap of the clock.
        let stamps = [0_u32, 120, 40, 80, 240, 160, 200, 360, 280, 320].map(|stamp| stamp.wrapping_sub(100));
        check(
            &stamps,
            &[
                (-40, 40),
                (0, 120),
                (40, 0),
                (80, 0),
                (120, 120),
                (160, 0),
                (200, 0),
                (240, 120),
                (280, 0),
                (320, 0),
            ],
        );
    }

    #[test]
    fn a_pyramid_waits_for_two_pictures() {
        // I P B b b, where the first B is shown between the two b.
        check(
            &[0, 160, 80, 40, 120, 320, 240, 200, 280, 480, 400, 360, 440],
            &[
                (-80, 80),
                (-40, 200),
                (0, 80),
                (40, 0),
                (80, 40),
                (120, 200),
                (160, 80),
                (200, 0),
                (240, 40),
                (280, 200),
                (320, 80),
                (360, 0),
                (400, 40),
            ],
        );
    }

    #[test]
    fn decoding_times_stay_what_they_are() {
        let even = [0, 40, 80, 120, 160, 200, 240, 280];
        check(&even, &even.map(|stamp| (stamp as i32, 0)));
        // One stamp that is wrong, also before two that are alike, and a clock that steps back.
        for stamps in [
            [0, 40, 80, 10, 160, 200, 240, 280],
            [0, 40, 120, 80, 160, 200, 240, 240],
            [0, 40, 80, 50, 90, 130, 100, 140],
        ] {
            check(&stamps, &stamps.map(|stamp| (stamp as i32, 0)));
        }
        // Stamps as far apart as they can be.
        for stamps in [[0, 3 << 30, 1 << 31, 1 << 30], [0, 1 << 31, 0x7fff_ffff, 1 << 31]] {
            check(&stamps, &stamps.map(|stamp: u32| (stamp.cast_signed(), 0)));
        }
    }

    #[test]
    fn a_push_that_uses_offsets_stamps_decoding_times() {
        let mut presentation = PresentationStamps::default();
        assert_eq!(presentation.next(0, 80), (0, 80));
        let upcoming = video(&[0, 120, 40, 80, 240, 160, 200, 360, 280, 320]);
        presentation.recognise(None, upcoming[0], upcoming[1..].iter().copied());
        assert_eq!(presentation.next(120, 0), (120, 0));
    }

    /// Groups of one picture and the two shown before it.
    const GROUPS: [u32; 10] = [0, 120, 40, 80, 240, 160, 200, 360, 280, 320];

    /// What makes decoding times of groups that begin at `first_ms`, behind a decoding time.
    fn of_groups(first_ms: u32, last_ms: u32) -> PresentationStamps {
        let mut presentation = PresentationStamps::default();
        let upcoming = video(&GROUPS.map(|stamp| first_ms + stamp));
        presentation.recognise(Some(last_ms), upcoming[0], upcoming[1..].iter().copied());
        presentation
    }

    #[test]
    fn decoding_times_go_on_behind_the_last_one() {
        for (last_ms, expected_ms) in [(4_960, 4_980), (4_900, 4_950), (4_001, 4_500)] {
            let mut presentation = of_groups(5_000, last_ms);
            assert_eq!(presentation.next(5_000, 0), (expected_ms, (5_000_u32 - expected_ms).cast_signed()));
            assert_eq!(presentation.next(5_120, 0), (5_000, 120));
        }
        // There is no room behind it, or it is too far away.
        for last_ms in [4_999, 5_000, 5_010, 4_000] {
            assert_eq!(of_groups(5_000, last_ms).next(5_000, 0), (4_960, 40), "{last_ms}");
        }
    }

    #[test]
    fn a_leap_of_the_stamps_begins_anew() {
        for leap_ms in [20_000, 6_400, 3_000] {
            let mut presentation = of_groups(5_000, 4_960);
            for stamp in GROUPS {
                presentation.next(5_000 + stamp, 0);
            }
            let found = GROUPS[..4].iter().map(|stamp| presentation.next(leap_ms + stamp, 0));
            let expected = [(leap_ms - 40, 40), (leap_ms, 120), (leap_ms + 40, 0), (leap_ms + 80, 0)];
            assert_eq!(found.collect::<Vec<_>>(), expected, "{leap_ms}");
        }
    }
}
