//! Calls of a kind: how many run, how they end, and after how long.

use std::sync::Arc;
use std::time::Instant;

use exposition::{CounterVec, Gauge, Histogram, Label};

/// What is counted of calls whose ends are told apart by `L`.
#[derive(Debug)]
pub(crate) struct Calls<L: Label> {
    pub(super) outcomes: CounterVec<L>,
    pub(super) duration: Histogram,
    pub(super) running: Gauge,
}

/// A call that runs. It counts as ended when it is dropped.
pub(crate) struct Running<L: Label> {
    calls: Arc<Calls<L>>,
    begun: Instant,
    outcome: L,
}

impl<L: Label> Calls<L> {
    /// `bounds` of the histogram are in seconds.
    pub(super) fn new(bounds: &'static [f64]) -> Self {
        Self { outcomes: CounterVec::default(), duration: Histogram::new(bounds), running: Gauge::default() }
    }

    /// A call begins; `dropped` is its outcome where nobody waits for its end.
    pub(crate) fn begin(self: &Arc<Self>, dropped: L) -> Running<L> {
        self.running.add(1);
        Running { calls: self.clone(), begun: Instant::now(), outcome: dropped }
    }
}

impl<L: Label> Running<L> {
    pub(crate) fn end(mut self, outcome: L) {
        self.outcome = outcome;
    }
}

impl<L: Label> Drop for Running<L> {
    fn drop(&mut self) {
        let Calls { outcomes, duration, running } = &*self.calls;
        running.add(-1);
        duration.observe(self.begun.elapsed());
        outcomes.of(self.outcome).add_one();
    }
}
