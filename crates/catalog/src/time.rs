//! The times that calls and gateways are held to.
//!
//! A clock may be an hour off, or step. So a moment is compared with a moment of the same clock as far as can be, and
//! `Elapsed` measures how long something has stayed as it is by many short steps.

use serde::{Deserialize, Serialize};

use crate::rule::Container;

/// No call commits anything later than this after its begin.
pub const CALL_MAX_MS: u64 = 120_000;

/// A gateway that has given no sign of life for so long is silent.
pub const SILENCE_MS: u64 = 60_000;

/// Another spool that uses a gateway's name is refused for so long after the last heartbeat.
pub const HEARD_MS: u64 = 10_000;

/// The clocks of function hosts are taken to agree within this.
pub(crate) const HOSTS_AGREE_MS: u64 = 1_000;

/// Gateways with live sessions are looked at so often.
pub const LOOK_MS: u64 = 10_000;

/// An offer that nobody has adopted expires after an hour: its timer waits three times.
pub(crate) const OFFER_WAIT_MS: u64 = 1_200_000;

/// A session that has been suspended for so long ends.
pub const SUSPENDED_MAX_MS: u64 = 7 * DAY_MS;

/// How long what was recorded is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Sessions and their slices. Unit: ms.
    pub sessions_ms: u64,
    /// Record files and indexes. Unit: ms.
    pub files_ms: u64,
    /// The formats whose record files are written: a session is kept as it is until those that it is in are.
    pub written: &'static [Container],
}

impl Default for Retention {
    /// Three and six months, the longest ones.
    fn default() -> Self {
        let written = &[Container::M3u8, Container::Mp4, Container::Flv];
        Self { sessions_ms: 92 * DAY_MS, files_ms: 184 * DAY_MS, written }
    }
}

/// A timer that is attended to so much later than it was due tells of another clock, or of an outage.
pub(crate) const LATE_MS: u64 = 90_000;

/// A day.
pub const DAY_MS: u64 = 86_400_000;

/// A longer step between two looks tells nothing: the clocks of two hosts differ, or nobody looked.
const STEP_MAX_MS: u64 = 90_000;

/// How long something has stayed as it is, by looks at it.
///
/// A step back takes away what the step forth before it gave: where hosts whose clocks differ take turns, what is measured
/// is off by what they differ by, however often they do. A step of more than 90 s either way counts for nothing: with one
/// of two hosts an hour off, what is measured is too short, never too long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Elapsed {
    /// So long. Unit: ms.
    pub(crate) ms: u64,
    /// The last look, Unix milliseconds.
    seen_ms: u64,
}

impl Elapsed {
    /// It is seen for the first time.
    pub(crate) fn begin(now_ms: u64) -> Self {
        Self { ms: 0, seen_ms: now_ms }
    }

    /// It is seen again.
    pub(crate) fn seen(self, now_ms: u64) -> Self {
        let step_ms = now_ms.cast_signed() - self.seen_ms.cast_signed();
        let is_step = step_ms.unsigned_abs() <= STEP_MAX_MS;
        Self { ms: self.ms.saturating_add_signed(if is_step { step_ms } else { 0 }), seen_ms: now_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suspended_session_may_come_back_for_a_week() {
        assert_eq!(SUSPENDED_MAX_MS, 604_800_000);
    }

    #[test]
    fn a_clock_an_hour_ahead_makes_nothing_last_longer() {
        let mut elapsed = Elapsed::begin(0);
        for look in 1..=12 {
            let is_ahead = look % 3 == 0;
            elapsed = elapsed.seen(look * 10_000 + if is_ahead { 3_600_000 } else { 0 });
            assert!(elapsed.ms <= look * 10_000, "{elapsed:?} at look {look}");
        }
        assert!(elapsed.ms >= 40_000, "{elapsed:?}");
    }

    #[test]
    fn hosts_that_differ_by_less_than_a_minute_are_off_by_no_more_however_often_they_take_turns() {
        for ahead_ms in [1_000, 15_000, 30_000, 60_000] {
            let begun_ms = 1_000_000 + ahead_ms;
            let mut elapsed = Elapsed::begin(begun_ms);
            for look in 1..=100_u64 {
                let is_ahead = look.wrapping_mul(0x9e37_79b9) % 7 < 3;
                elapsed = elapsed.seen(1_000_000 + look * 5_000 + if is_ahead { ahead_ms } else { 0 });
                let off_ms = elapsed.ms.abs_diff(look * 5_000);
                assert!(off_ms <= ahead_ms, "{ahead_ms} ms ahead: {elapsed:?} at look {look}");
            }
        }
    }
}
