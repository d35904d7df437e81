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

use simulation::coverage::Coverage;
use simulation::run::{Options, Outcome, run_on};

use alike::AsBuilt;
use bundle::Components;

/// The seeds that are played; this variable of the environment names others, as `first-last`.
const PLAYED: RangeInclusive<u64> = 1..=10;
const SEEDS: &str = "RECORDER_TESTS_SEEDS";

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

fn seeds() -> RangeInclusive<u64> {
    let Ok(named) = std::env::var(SEEDS) else { return PLAYED };
    let ends =
        named.split_once('-').and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    let (first, last) = ends.unwrap_or_else(|| panic!("{SEEDS} should be first-last, not {named:?}"));
    first..=last
}

#[test]
fn histories_lose_nothing_on_the_built_components() {
    let (mut failed, mut reached) = (Vec::new(), Coverage::default());
    for seed in seeds() {
        let outcome = on_components(&Options::of(seed));
        reached.add(&outcome.coverage);
        if let Err(error) = outcome.judged {
            println!("seed {seed}: {error}\n{SEEDS}={seed}-{seed} plays it alone");
            failed.push(seed);
        }
    }
    println!("{reached}");
    assert!(failed.is_empty(), "the histories of the seeds {failed:?} fail");
    let missing: Vec<&str> = REACHED.into_iter().filter(|what| reached.count(what) == 0).collect();
    let are_few = seeds().count() < PLAYED.count();
    assert!(are_few || missing.is_empty(), "these histories never reach {missing:?}");
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
