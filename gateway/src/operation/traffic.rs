//! What comes of one push.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::metrics::{Metrics, TrackKind};

/// How long a rate is measured.
const MEASURED: Duration = Duration::from_secs(2);

/// Counts the media of one push.
#[derive(Debug)]
pub(crate) struct Traffic {
    metrics: Arc<Metrics>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    bytes: u64,
    is_recorded: bool,
    last_frame: Option<Instant>,
    /// What came since then.
    since: Option<Instant>,
    window: Window,
    /// What came each second before.
    rates: Rates,
}

#[derive(Clone, Copy, Debug, Default)]
struct Window {
    bytes: u64,
    pictures: u64,
}

/// What comes each second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Rates {
    pub(crate) bits_per_s: f64,
    pub(crate) frames_per_s: f64,
}

/// What came of a push so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum {
    pub(crate) bytes: u64,
    pub(crate) is_recorded: bool,
    pub(crate) last_frame: Option<Instant>,
    pub(crate) rates: Rates,
}

impl Traffic {
    pub(crate) fn new(metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self { metrics, state: Mutex::default() })
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// A coded frame of so many bytes came. `is_recorded`: it is to be recorded, or is spooled until that is known.
    pub(crate) fn frame(&self, track: TrackKind, bytes: usize, is_recorded: bool, now: Instant) {
        self.metrics.frames.of(track).add_one();
        let mut state = self.state();
        state.measure(now);
        state.bytes += bytes as u64;
        state.is_recorded = is_recorded;
        state.last_frame = Some(now);
        state.window.bytes += bytes as u64;
        state.window.pictures += u64::from(track == TrackKind::Video);
    }

    pub(crate) fn sum(&self, now: Instant) -> Sum {
        let mut state = self.state();
        state.measure(now);
        let State { bytes, is_recorded, last_frame, rates, .. } = *state;
        Sum { bytes, is_recorded, last_frame, rates }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn measure(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(*self.since.get_or_insert(now));
        if elapsed >= MEASURED {
            let Window { bytes, pictures } = std::mem::take(&mut self.window);
            let each_second = |count: u64| count as f64 / elapsed.as_secs_f64();
            self.rates = Rates { bits_per_s: each_second(8 * bytes), frames_per_s: each_second(pictures) };
            self.since = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_the_last_seconds_and_fall_to_nothing_in_a_silence() {
        let traffic = Traffic::new(Arc::default());
        let began = Instant::now();
        let at = |ms| began + Duration::from_millis(ms);
        for frame in 0..=50 {
            traffic.frame(TrackKind::Video, 1_000, true, at(40 * frame));
            traffic.frame(TrackKind::Audio, 250, true, at(40 * frame));
        }
        let rates = traffic.sum(at(2_010)).rates;
        assert_eq!(rates, Rates { bits_per_s: 250_000.0, frames_per_s: 25.0 });
        assert_eq!(
            (traffic.sum(at(2_010)).bytes, traffic.metrics().frames.of(TrackKind::Audio).get()),
            (63_750, 51)
        );
        traffic.sum(at(5_000));
        assert_eq!(traffic.sum(at(9_000)).rates, Rates::default());
    }
}
