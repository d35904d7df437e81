//! What a publisher sent that was passed over: each kind is logged once, all of them are counted.

use std::{
    collections::HashMap,
    mem::{Discriminant, discriminant},
    net::SocketAddr,
};

use rtmp::Skipped;

#[derive(Debug, Default)]
pub(super) struct Skips {
    counts: HashMap<Discriminant<Skipped>, (Skipped, u64)>,
}

impl Skips {
    pub(super) fn add(&mut self, peer: SocketAddr, skipped: Skipped) {
        let (_, count) = self.counts.entry(discriminant(&skipped)).or_insert_with(|| {
            tracing::warn!("{peer}: passed over: {skipped}");
            (skipped, 0)
        });
        *count += 1;
    }

    /// Logs how often what was logged once has come.
    pub(super) fn log(&self, peer: SocketAddr) {
        for (first, count) in self.counts.values().filter(|(_, count)| *count > 1) {
            tracing::warn!("{peer}: passed over {count} times, at first: {first}");
        }
    }
}
