//! Ranges of time that are asked about.

use crate::{ApiError, faults};

/// Longest range of recorded content, in seconds.
const MAX_RANGE_S: u64 = 4 * 24 * 3600;

/// A range of recorded content, in Unix milliseconds.
///
/// # Errors
/// An end that is not after the start, or more than 4 days later.
pub fn content(start_s: u64, end_s: u64) -> Result<(u64, u64), ApiError> {
    if end_s <= start_s || end_s - start_s > MAX_RANGE_S {
        return Err(faults::INVALID_END_TIME_MISMATCH.into());
    }
    // A time on the wire ends with the year 9999, far from overflow.
    Ok((start_s * 1000, end_s * 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_a_second_at_least_and_four_days_at_most() {
        assert_eq!(content(10, 11), Ok((10_000, 11_000)));
        assert!(content(10, 10 + 345_600).is_ok());
        for (start, end) in [(10, 10), (11, 10), (10, 10 + 345_601)] {
            assert_eq!(content(start, end), Err(faults::INVALID_END_TIME_MISMATCH.into()));
        }
    }
}
