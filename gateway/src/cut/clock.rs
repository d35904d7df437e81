//! How much time passes in one track, by its own timestamps.

/// A step of at most this much is taken as it is: forward it counts, backward it is interleaving.
const SURE_MS: u64 = 2_000;

/// A longer step forward counts only as far as arrival times confirm it.
const MAX_STEP_MS: u64 = 10_000;

/// How much faster than it plays a push may arrive for a pause to be one.
const MAX_PACE: u64 = 8;

/// The clock of one track.
///
/// Timestamps are 32-bit milliseconds that wrap, jump and glitch. A step forward of up to two seconds counts.
/// A longer one counts at once as far as the frame was also waited for. The rest counts when the next frame
/// goes on from there; where the next frame goes on from before the step, the step was a glitch, and counts
/// nothing. A jump of more than ten seconds and a jump back count what was waited for. Two tracks whose clocks
/// are days apart so count the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock {
    /// Whether the track has had a frame.
    pub(super) is_seen: bool,
    newest_ms: u32,
    arrival_ms: u64,
    /// The last step, if it was a long one.
    long_step: Option<LongStep>,
}

/// A long step forward, of which the next frame tells what it was.
#[derive(Clone, Copy, Debug)]
struct LongStep {
    /// The time before it.
    before_ms: u32,
    counted_ms: u64,
    /// What counts if the next frame goes on from there.
    doubtful_ms: u64,
}

/// What a frame adds to its track.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    /// Time that passed.
    pub(super) elapsed_ms: u64,
    /// Time that passed before, as this frame tells.
    pub(super) confirmed_ms: u64,
    /// A step of more than ten seconds that took its time to arrive: nothing was sent meanwhile.
    pub(super) is_pause: bool,
}

impl Clock {
    /// Takes the time of a frame and when it arrived, in milliseconds since the push began.
    pub(super) fn step(&mut self, timestamp_ms: u32, arrival_ms: u64) -> Step {
        if !self.is_seen {
            *self = Self { is_seen: true, newest_ms: timestamp_ms, arrival_ms, long_step: None };
            return Step::default();
        }
        let waited_ms = arrival_ms.saturating_sub(self.arrival_ms);
        self.arrival_ms = arrival_ms;
        let (is_back, step_ms) = distance(self.newest_ms, timestamp_ms);
        if is_back && step_ms <= SURE_MS {
            return Step::default();
        }
        let before_ms = std::mem::replace(&mut self.newest_ms, timestamp_ms);
        let last = self.long_step.take();
        if is_back {
            let since_glitch = last.map(|last| (last, distance(last.before_ms, timestamp_ms)));
            return match since_glitch {
                Some((last, (false, step_ms))) if step_ms <= SURE_MS => {
                    Step::of(step_ms.saturating_sub(last.counted_ms))
                }
                _ => Step::of(waited_ms),
            };
        }
        let confirmed_ms = last.map_or(0, |last| last.doubtful_ms);
        if step_ms <= SURE_MS {
            return Step { confirmed_ms, ..Step::of(step_ms) };
        }
        let counted_ms = step_ms.min(waited_ms);
        let doubtful_ms = if step_ms <= MAX_STEP_MS { step_ms - counted_ms } else { 0 };
        self.long_step = Some(LongStep { before_ms, counted_ms, doubtful_ms });
        let is_pause = step_ms > MAX_STEP_MS && counted_ms >= step_ms / MAX_PACE;
        Step { elapsed_ms: counted_ms, confirmed_ms, is_pause }
    }

    /// A chunk begins: what passed before it counts there, or nowhere.
    pub(super) fn begin_chunk(&mut self) {
        if let Some(step) = &mut self.long_step {
            step.doubtful_ms = 0;
        }
    }

    /// What the last step adds if it is none of the clock's glitches.
    pub(super) fn doubtful_ms(&self) -> u64 {
        self.long_step.map_or(0, |step| step.doubtful_ms)
    }
}

impl Step {
    fn of(elapsed_ms: u64) -> Self {
        Self { elapsed_ms, ..Self::default() }
    }

    pub(super) fn total_ms(self) -> u64 {
        self.elapsed_ms + self.confirmed_ms
    }
}

/// Whether `to` is before `from`, and how far apart they are.
fn distance(from_ms: u32, to_ms: u32) -> (bool, u64) {
    let step = to_ms.wrapping_sub(from_ms) as i32;
    (step < 0, u64::from(step.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What passes in a track of frames with these timestamps and arrival times, in milliseconds.
    #[track_caller]
    fn check(frames: &[(u32, u64)], expected_ms: u64) {
        let mut clock = Clock::default();
        let elapsed_ms: u64 =
            frames.iter().map(|&(timestamp, arrival)| clock.step(timestamp, arrival).total_ms()).sum();
        assert_eq!(elapsed_ms, expected_ms, "{frames:?}");
    }

    #[test]
    fn time_goes_by_the_stamps_however_frames_arrive() {
        check(&[(90, 0), (130, 0), (170, 0)], 80);
        check(&[(90, 0), (130, 4_000), (170, 4_001)], 80);
        check(&[(u32::MAX - 9, 0), (30, 0)], 40);
        // B-frames stamped by presentation time; clocks that step back a little again and again.
        check(&[(0, 0), (120, 0), (40, 0), (80, 0), (160, 0)], 160);
        check(&[(0, 0), (40, 0), (1_000, 0), (930, 0), (970, 0), (1_010, 0)], 1_010);
    }

    #[test]
    fn a_long_step_counts_when_it_was_waited_for_or_goes_on() {
        check(&[(0, 0), (5_000, 5_000), (10_000, 10_000)], 10_000);
        check(&[(0, 0), (5_000, 0), (10_000, 0), (10_040, 0)], 10_040);
        check(&[(0, 0), (5_000, 1_000)], 1_000);
    }

    #[test]
    fn glitches_add_nothing_however_often_they_come() {
        for size_ms in [2_500, 8_000, 90_000, 1 << 30] {
            for pace in [0, 1] {
                let every_second = |at: u32| (at * 40 + at % 2 * size_ms, u64::from(at * 40) * pace);
                check(&(0..51).map(every_second).collect::<Vec<_>>(), 2_000);
                let once =
                    |at: u32| (at * 40 + if at == 25 { size_ms } else { 0 }, u64::from(at * 40) * pace);
                check(&(0..51).map(once).collect::<Vec<_>>(), 2_000);
            }
        }
    }

    #[test]
    fn jumps_count_what_was_waited_for() {
        check(&[(0, 0), (1 << 30, 0), ((1 << 30) + 40, 0)], 40);
        check(&[(0, 0), (1 << 30, 40), ((1 << 30) + 40, 80)], 80);
        check(&[(90_000, 0), (0, 40), (40, 80)], 80);
    }

    #[test]
    fn a_pause_is_a_long_step_that_took_its_time() {
        let mut clock = Clock::default();
        clock.step(0, 0);
        assert_eq!(clock.step(12_000, 11_900), Step { is_pause: true, ..Step::of(11_900) });
        assert_eq!(clock.step(24_000, 13_900), Step { is_pause: true, ..Step::of(2_000) });
        assert_eq!(clock.step(36_000, 13_940), Step::of(40));
        assert_eq!(clock.step(36_000 + (1 << 30), 23_940), Step::of(10_000));
    }
}
