//! Durations as they are told: in callbacks, by the API, in playlists.

/// Ticks of the clock that durations are counted in, in a millisecond.
const TICKS_PER_MS: u64 = 90;

/// A duration in whole milliseconds, from 1/90 000 s. What is left of the last millisecond does not count, so that a
/// playlist's segments, each told from begin to end, add up to what is told of the whole.
#[must_use]
pub fn milliseconds(duration_90khz: u64) -> u64 {
    duration_90khz / TICKS_PER_MS
}

/// The same in seconds.
#[must_use]
pub fn seconds(duration_90khz: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "2^53 ms are 285,000 years")]
    let ms = milliseconds(duration_90khz) as f64;
    ms / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_one_number_of_seconds() {
        assert_eq!(seconds(0), 0.0);
        assert_eq!(seconds(90_000), 1.0);
        assert_eq!(seconds(2_700_089), 30.0);
        assert_eq!(seconds(2_700_090), 30.001);
    }
}
