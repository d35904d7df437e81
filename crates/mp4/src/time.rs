//! Clocks: of the file and its pictures at 90 kHz, of sound at its sample rate.

/// Units a second of the file's clock.
pub(crate) const TICKS_A_SECOND: u32 = 90_000;

/// Units a second of a track's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scale(pub(crate) u32);

impl Scale {
    /// A time of the file in the track's units, rounded.
    pub(crate) fn of(self, time_90khz: i64) -> i64 {
        scale(time_90khz, self.0, TICKS_A_SECOND)
    }

    /// A time in the track's units on the file's clock, rounded.
    pub(crate) fn to_90khz(self, time: i64) -> i64 {
        scale(time, TICKS_A_SECOND, self.0)
    }

    /// Samples at a rate in the track's units, where these are whole.
    pub(crate) fn exactly(self, samples: u16, rate_hz: u32) -> Option<i64> {
        let product = u64::from(samples) * u64::from(self.0);
        (samples > 0 && product.is_multiple_of(rate_hz.into())).then(|| (product / u64::from(rate_hz)) as i64)
    }
}

fn scale(time: i64, to: u32, from: u32) -> i64 {
    if to == from {
        return time;
    }
    let (time, to, from) = (i128::from(time), i128::from(to), i128::from(from));
    (time * to + from / 2).div_euclid(from) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_and_come_back() {
        let scale = Scale(44_100);
        assert_eq!((scale.of(90_000), scale.of(-90_000), scale.of(2_090)), (44_100, -44_100, 1_024));
        for ms in [-1_000, 0, 23, 1 << 40] {
            assert_eq!(scale.to_90khz(scale.of(ms * 90)).abs_diff(ms * 90) / 2, 0);
        }
        assert_eq!((scale.exactly(1_024, 44_100), scale.exactly(2_048, 88_200)), (Some(1_024), Some(1_024)));
        assert_eq!((scale.exactly(1_024, 48_000), scale.exactly(0, 48_000)), (None, None));
    }
}
