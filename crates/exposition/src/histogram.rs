//! Histograms of durations.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::{
    Counter, Family,
    text::{Value, number},
};

/// Upper bounds of buckets, in seconds: from what a call takes on one machine to what one may take at most.
pub const SECONDS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0];

/// The same for what takes microseconds where all is well.
pub const FAST_SECONDS: [f64; 12] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0];

/// Counts durations, in the buckets of [`SECONDS`] unless it is told others.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [f64],
    buckets: Box<[Counter]>,
    longer: Counter,
    sum_us: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new(&SECONDS)
    }
}

impl Histogram {
    /// One with these upper bounds of buckets, in seconds, ascending.
    #[must_use]
    pub fn new(bounds: &'static [f64]) -> Self {
        let buckets = bounds.iter().map(|_| Counter::default()).collect();
        Self { bounds, buckets, longer: Counter::default(), sum_us: AtomicU64::new(0) }
    }

    /// Counts a duration.
    pub fn observe(&self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let bucket = self.bounds.iter().position(|bound| seconds <= *bound);
        bucket.map_or(&self.longer, |at| &self.buckets[at]).add_one();
        let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    /// Writes its buckets, its sum in seconds, and its count, each with these labels.
    pub fn write(&self, family: &mut Family<'_>, labels: &[(&str, &str)]) {
        let mut count = 0;
        let counters = self.buckets.iter().chain([&self.longer]);
        for (bound, counter) in self.bounds.iter().copied().chain([f64::INFINITY]).zip(counters) {
            count += counter.get();
            let bound = number(bound);
            let labels: Vec<_> = labels.iter().copied().chain([("le", bound.as_str())]).collect();
            family.sample("_bucket", &labels, Value::Whole(count));
        }
        let sum = Duration::from_micros(self.sum_us.load(Ordering::Relaxed)).as_secs_f64();
        family.sample("_sum", labels, Value::Real(sum));
        family.sample("_count", labels, Value::Whole(count));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Exposition;

    #[test]
    fn buckets_count_all_that_is_shorter() {
        let histogram = Histogram::default();
        for ms in [5, 6, 1_000, 200_000] {
            histogram.observe(Duration::from_millis(ms));
        }
        let mut text = Exposition::default();
        histogram.write(&mut text.histogram("h_seconds", "Waits."), &[("lane", "tick")]);
        let text = text.finish();
        for line in [
            "h_seconds_bucket{lane=\"tick\",le=\"0.005\"} 1",
            "h_seconds_bucket{lane=\"tick\",le=\"0.01\"} 2",
            "h_seconds_bucket{lane=\"tick\",le=\"0.5\"} 2",
            "h_seconds_bucket{lane=\"tick\",le=\"1\"} 3",
            "h_seconds_bucket{lane=\"tick\",le=\"120\"} 3",
            "h_seconds_bucket{lane=\"tick\",le=\"+Inf\"} 4",
            "h_seconds_sum{lane=\"tick\"} 201.011",
            "h_seconds_count{lane=\"tick\"} 4",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is not in {text}");
        }
    }
}
