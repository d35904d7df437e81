//! Histories with the real gateway in the place of its model: RTMP pushes over sockets, the spool on disk and calls over
//! HTTP as they ship, on a clock that the history holds.
//!
//! Each gateway has a runtime of its own, whose time is that of the history. The simulated functions answer its calls, with the
//! faults that the seed draws. It is cut off, it is killed at any moment at which it waits for something, and it loses its spool.
//! What it calls is compared with what the publishers have sent, and noted for the judge.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod dates;
mod process;
mod publisher;
mod wire;

use std::ops::RangeInclusive;
use std::rc::Rc;

use shared::testing::World;
use simulation::call::Ask;
use simulation::functions::{Answering, Functions, Handlers};
use simulation::gateway::Engine;
use simulation::run::{Options, Outcome, run_on};
use simulation::seeds;
use simulation::trace::Detail;

use process::Process;

/// The seeds that are played where no others are named.
const PLAYED: RangeInclusive<u64> = 1..=80;

/// So many histories are played at once.
const AT_ONCE: usize = 2;

/// What some of the histories have to reach.
const REACHED: [&str; 12] = [
    "answer lost: admission",
    "answer lost: chunk",
    "event: gateway cut off",
    "event: gateway lost its spool",
    "event: gateway restarted",
    "event: gateway restarted, and its spool lost a push",
    "event: second gateway begins beside the first",
    "judged: a push that a real gateway has sent on",
    "judged: a push whose gateway died",
    "recorded: a publisher's clock that passes 2^32 ms",
    "recorded: parameter sets that change",
    "recorded: pictures of HEVC",
];

/// Real gateways before the handlers of the functions.
struct RealGateways {
    seed: u64,
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

fn play(seed: u64) -> Outcome {
    // One history that is played alone is printed.
    let detail = if seeds::seeds(PLAYED) == (seed..=seed) { Detail::Calls } else { Detail::None };
    run_on(Rc::new(RealGateways { seed }), &Options { detail, ..Options::of(seed) })
}

#[test]
fn real_gateways_lose_nothing_and_come_to_rest() {
    seeds::check(PLAYED, AT_ONCE, &REACHED, |seed| {
        let outcome = play(seed);
        println!("seed {seed}: hash {:016x}", outcome.hash);
        outcome
    });
}

/// Sockets, files and timers of a gateway are in it as well. Of one that finds many pushes in its spool, calls may come in
/// another order each time: such histories are not these.
#[test]
fn a_history_with_real_gateways_is_the_same_each_time() {
    for seed in [3, 9] {
        let (one, other) = (play(seed), play(seed));
        assert_eq!(one.hash, other.hash, "seed {seed}");
    }
}
