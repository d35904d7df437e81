//! The gateway as it ships in the place of its model: RTMP pushes over sockets, the spool in files and calls over HTTP, on a
//! clock that the history holds.
//!
//! Each gateway has a runtime of its own, whose time is that of the history. The simulated functions answer its calls, with the
//! faults that the seed draws. It is cut off, it is killed at any moment at which it waits for something, and it loses its spool.
//! What it calls is compared with what the publishers have sent, and noted for the judge.

#![expect(clippy::unwrap_used, reason = "a history fails by panicking")]

mod clock;
mod cpu;
mod dates;
mod process;
mod publisher;
mod wire;

use std::rc::Rc;

use shared::testing::World;

use crate::call::Ask;
use crate::functions::{Answering, Functions, Handlers};
use crate::gateway::Engine;
use process::Process;

/// Real gateways before the handlers of the functions.
#[derive(Clone, Copy, Debug)]
pub struct RealGateways {
    /// The seed of the history.
    pub seed: u64,
}

impl Functions for RealGateways {
    fn answer(&self, host: usize, world: Rc<World>, ask: Ask) -> Answering {
        Handlers.answer(host, world, ask)
    }

    fn gateway(&self, name: &str) -> Option<Box<dyn Engine>> {
        Some(Box::new(Process::start(name, self.seed)))
    }

    fn configure(&self, _: &World) {}
}
