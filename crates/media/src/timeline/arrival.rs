//! When chunks reached the gateway: what tells a long pause from a jump of the push's clock.

use crate::TICKS_PER_MS;

/// When a chunk arrived, as far as it matters to what lies before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkArrival {
    /// It is not known.
    Unknown,
    /// So many milliseconds after the push began its first tag did, by a clock that is never set.
    At(u64),
    /// The push went on, and was not recorded, since the chunk before.
    AfterPause,
}

/// An arrival time, and media time at that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArrivalPoint {
    /// Milliseconds since the push began, by the gateway's monotonic clock.
    pub arrival_ms: u64,
    /// Unit: 1/90 000 s.
    pub time_90khz: i64,
}

/// The arrival times of a session, as far as they are given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// The first chunk's.
    pub first: Option<ArrivalPoint>,
    /// The last chunk's.
    pub last: Option<ArrivalPoint>,
    /// What was taken for jumps ahead since then. Unit: 1/90 000 s.
    pub collapsed_90khz: i64,
    /// The arrival time of the chunk that is read, until its first access unit.
    pub(crate) pending_ms: Option<u64>,
    /// The chunk that is read comes after a pause of the recording, of which no access unit has told yet how long it was.
    pub(crate) is_after_pause: bool,
    /// How long the recording paused before the chunk that is read, by the push's clock. Unit: 1/90 000 s.
    pub(crate) paused_90khz: i64,
}

/// How long a push must have gone on for its speed to be known, in milliseconds of arrival time.
const KNOWN_SPEED_MS: u64 = 1_000;

impl Arrival {
    /// A chunk begins.
    pub(crate) fn begin_chunk(&mut self, arrival: ChunkArrival) {
        *self = match arrival {
            ChunkArrival::At(arrival_ms) => Self { pending_ms: Some(arrival_ms), paused_90khz: 0, ..*self },
            ChunkArrival::Unknown => Self::default(),
            ChunkArrival::AfterPause => Self { is_after_pause: true, ..Self::default() },
        };
    }

    /// The chunk has had no access unit, and something is known of when it arrived.
    pub(crate) fn is_pending(&self) -> bool {
        self.pending_ms.is_some() || self.is_after_pause
    }

    /// Whether the push paused for `step_90khz` since the last chunk began, at `time_90khz` without that pause.
    ///
    /// Pushes need not come at the speed of playback: what is compared is how fast media came since then, with and
    /// without the pause. The one nearer to the speed of the push so far is right. Where hardly any media came without
    /// the pause, that would be true of any: once the speed is known, no more came than twice what it lets expect.
    pub(crate) fn was_pause(&self, time_90khz: i64, step_90khz: i64) -> bool {
        let (Some(first), Some(last), Some(arrival_ms)) = (self.first, self.last, self.pending_ms) else {
            return false;
        };
        let arrival = u128::from(arrival_ms.saturating_sub(last.arrival_ms));
        let ms = |time: i64| u128::from((time.max(0) / TICKS_PER_MS).max(1).cast_unsigned());
        let without = ms(time_90khz - last.time_90khz);
        let with = ms(time_90khz - last.time_90khz + step_90khz);
        let known_arrival = last.arrival_ms.saturating_sub(first.arrival_ms);
        let is_known = known_arrival >= KNOWN_SPEED_MS && last.time_90khz > first.time_90khz;
        let (media, arrived) = if is_known {
            (ms(last.time_90khz - first.time_90khz), u128::from(known_arrival))
        } else {
            (1, 1)
        };
        // Nearer by ratio: the geometric mean of the two lies below what is to be expected.
        let expected = arrival.saturating_mul(media);
        without.saturating_mul(with).saturating_mul(arrived).saturating_mul(arrived)
            <= expected.saturating_mul(expected)
            && (!is_known || with.saturating_mul(arrived) <= expected.saturating_mul(2))
    }

    /// The chunk's first access unit has its time.
    pub(crate) fn take(&mut self, time_90khz: i64) {
        if let Some(arrival_ms) = self.pending_ms.take() {
            let point = ArrivalPoint { arrival_ms, time_90khz };
            self.first.get_or_insert(point);
            self.last = Some(point);
            self.collapsed_90khz = 0;
        }
    }

    /// The time of everything before moves.
    pub(crate) fn shift(&mut self, by_90khz: i64) {
        for point in [&mut self.first, &mut self.last].into_iter().flatten() {
            point.time_90khz += by_90khz;
        }
    }
}
