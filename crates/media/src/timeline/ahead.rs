//! What comes after an access unit, as far as it may be looked at.

use crate::{TICKS_PER_MS, TrackKind};

/// The stamp of a coming message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upcoming {
    /// Its track.
    pub track: TrackKind,
    /// Its timestamp in milliseconds.
    pub timestamp_ms: u32,
    /// Its composition offset in milliseconds; 0 for audio.
    pub composition_ms: i32,
}

/// The coming messages in the order of their arrival.
///
/// They end where the push may be cut, before the next keyframe, so that the same push gives the same times
/// wherever it is cut.
pub trait Ahead: Iterator<Item = Upcoming> + Clone {}

impl<T: Iterator<Item = Upcoming> + Clone> Ahead for T {}

/// The stamps of one track in `ahead`, counted on from `timestamp_ms`, which is `stamp_ms`.
pub(crate) fn stamps(
    ahead: &impl Ahead,
    track: TrackKind,
    timestamp_ms: u32,
    stamp_ms: i64,
) -> impl Iterator<Item = i64> {
    let mut last = (timestamp_ms, stamp_ms);
    ahead.clone().filter(move |upcoming| upcoming.track == track).map(move |upcoming| {
        let step = upcoming.timestamp_ms.wrapping_sub(last.0).cast_signed();
        last = (upcoming.timestamp_ms, last.1 + i64::from(step));
        last.1
    })
}

/// The first stamp in `stamps` that differs from `stamp_ms`, and how many before it do not.
pub(crate) fn next_other(mut stamps: impl Iterator<Item = i64>, stamp_ms: i64) -> Option<(i64, u32)> {
    let mut equal = 0;
    let next = stamps.find(|&next| {
        equal += u32::from(next == stamp_ms);
        next != stamp_ms
    })?;
    Some((next, equal))
}

/// Whether a track makes a step beside its own pace that `is_it`, and whether the stamp after it goes on from there.
pub(crate) fn makes_step(
    mut stamps: impl Iterator<Item = i64>,
    last_ms: i64,
    frame_90khz: i64,
    is_it: impl Fn(i64) -> bool,
) -> Option<bool> {
    let mut last = last_ms;
    let before = stamps.find_map(|stamp| {
        let step = (stamp - last) * TICKS_PER_MS - frame_90khz;
        let before = std::mem::replace(&mut last, stamp);
        is_it(step).then_some(before)
    })?;
    let back = last - before;
    Some(stamps.next().is_some_and(|next| (next - last).abs() < (next - last + back).abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether stamps after 0, that come each 40 ms but for one step of 5 s or more, go on from there.
    fn goes_on(stamps: &[i64]) -> Option<bool> {
        let is_it = |step_90khz| step_90khz >= 5_000 * TICKS_PER_MS;
        makes_step(stamps.iter().copied(), 0, 40 * TICKS_PER_MS, is_it)
    }

    #[test]
    fn a_step_goes_on_where_the_stamp_after_it_is_nearer_to_it_than_to_the_one_before() {
        assert_eq!(goes_on(&[40, 80, 120]), None);
        assert_eq!(goes_on(&[40, 5_079, 5_119]), None);
        assert_eq!(goes_on(&[40, 5_080, 5_120]), Some(true));
        assert_eq!(goes_on(&[40, 5_080, 2_561]), Some(true));
        assert_eq!(goes_on(&[40, 5_080, 2_560]), Some(false));
        assert_eq!(goes_on(&[40, 5_080, 120]), Some(false));
        assert_eq!(goes_on(&[40, 80, 5_120]), Some(false));
    }
}
