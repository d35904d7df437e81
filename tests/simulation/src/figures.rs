//! How much there was of a history.

use std::fmt;

use crate::history::{BEGAN_MS, History};
use crate::hosts::WORK_BUCKET;

/// How much there was of a history, or of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Histories.
    pub histories: u64,
    /// Pushes.
    pub pushes: u64,
    /// How long they lasted in all. Unit: ms.
    pub pushed_ms: u64,
    /// How much time passed. Unit: ms.
    pub passed_ms: u64,
    /// Calls of the functions.
    pub calls: u64,
    /// Operations of stores, buckets and receivers.
    pub operations: u64,
    /// Chunks that were acknowledged.
    pub chunks: u64,
    /// Record files and slices.
    pub files: u64,
    /// Callbacks that were sent.
    pub callbacks: u64,
}

impl Figures {
    /// Those of a history.
    #[must_use]
    pub fn of(history: &History) -> Self {
        let world = history.hosts.any();
        let acknowledged = history.pushes().flat_map(|(_, push)| &push.chunks);
        Self {
            histories: 1,
            pushes: history.pushes().count() as u64,
            pushed_ms: history.pushes().filter_map(|(_, push)| push.duration_ms).sum(),
            passed_ms: history.now_ms - BEGAN_MS,
            calls: history.calls(),
            operations: history.operations(),
            chunks: acknowledged.filter(|chunk| chunk.acknowledged_ms.is_some()).count() as u64,
            files: world.buckets.names("").iter().filter(|name| !name.starts_with(WORK_BUCKET)).count()
                as u64,
            callbacks: world.receivers.sent().len() as u64,
        }
    }

    /// Adds those of other histories.
    pub fn add(&mut self, other: &Self) {
        self.histories += other.histories;
        self.pushes += other.pushes;
        self.pushed_ms += other.pushed_ms;
        self.passed_ms += other.passed_ms;
        self.calls += other.calls;
        self.operations += other.operations;
        self.chunks += other.chunks;
        self.files += other.files;
        self.callbacks += other.callbacks;
    }

    /// Hours that streams were pushed.
    #[must_use]
    pub fn stream_hours(&self) -> f64 {
        self.pushed_ms as f64 / 3_600_000.0
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.passed_ms as f64 / 86_400_000.0;
        writeln!(f, "{:>12} histories", self.histories)?;
        writeln!(f, "{:>12.1} stream-hours pushed, in {} pushes", self.stream_hours(), self.pushes)?;
        writeln!(f, "{days:>12.0} days simulated, retention and all")?;
        writeln!(f, "{:>12} calls, {} operations", self.calls, self.operations)?;
        writeln!(f, "{:>12} chunks acknowledged", self.chunks)?;
        writeln!(f, "{:>12} objects in users' buckets", self.files)?;
        write!(f, "{:>12} callbacks sent", self.callbacks)
    }
}
