//! Simulated histories on the components as they are built, and not on their handlers alone.

mod alike;
mod bundle;
mod configured;
mod objects;
mod uploads;
mod wire;

use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Instant;

use simulation::run::{Options, Outcome, run_on};
use simulation::seeds;

use alike::AsBuilt;
use bundle::Components;

/// The seeds that are played where no others are named.
const PLAYED: RangeInclusive<u64> = 1..=10;

/// Histories of these seeds are compared.
const COMPARED: RangeInclusive<u64> = 1..=20;

/// What some of the histories have to reach.
const REACHED: [&str; 8] = [
    "command Command::Start taken",
    "command Command::Stop taken",
    "command Command::Start refused",
    "fault: death after an operation",
    "fault: refusal of an operation",
    "fault: reply lost of an operation",
    "record file: .m3u8",
    "record file: .mp4",
];

/// A history has as many hosts at most.
const HOSTS: usize = 2;

fn on_components(options: &Options) -> Outcome {
    let begun = Instant::now();
    let outcome = run_on(Rc::new(Components::new(HOSTS)), options);
    println!("seed {} in {:.1} s:\n{}", options.seed, begun.elapsed().as_secs_f64(), outcome.figures);
    outcome
}

#[test]
fn histories_lose_nothing_on_the_built_components() {
    seeds::check(PLAYED, 1, &REACHED, |seed| on_components(&Options::of(seed)));
}

/// A request of a component is not always one operation of its handler, so a fault meets them at other places: nothing
/// fails here.
#[test]
fn the_built_components_say_what_their_handlers_say() {
    let mut compared = 0;
    for seed in COMPARED {
        let options = Options { in_turn: true, ..Options::of(seed) };
        let handlers = run_on(Rc::new(AsBuilt), &options);
        assert_eq!(handlers.judged, Ok(()), "seed {seed}");
        if !handlers.trace.iter().any(|line| line.contains("is_troubled: false")) {
            continue;
        }
        let built = on_components(&options);
        assert_eq!(built.judged, Ok(()), "seed {seed}");
        let lines = |outcome: &Outcome| alike::lines(alike::without_faults(&outcome.trace));
        let (built, handlers) = (lines(&built), lines(&handlers));
        println!("seed {seed}: {} lines", built.len());
        alike::check(&built, &handlers);
        compared += built.len();
    }
    assert!(compared > 10_000, "only {compared} lines were compared");
}
