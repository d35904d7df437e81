//! Seeds that a test plays on something real, of which there are few.

use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};

use crate::coverage::Coverage;
use crate::run::Outcome;

/// The variable of the environment that names other seeds, as `first-last`.
pub const SEEDS: &str = "RECORDER_TESTS_SEEDS";

/// The seeds to play where no others are named.
///
/// # Panics
/// Where what is named is no range.
#[must_use]
pub fn seeds(played: RangeInclusive<u64>) -> RangeInclusive<u64> {
    let Ok(named) = std::env::var(SEEDS) else { return played };
    let ends =
        named.split_once('-').and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    let (first, last) = ends.unwrap_or_else(|| panic!("{SEEDS} should be first-last, not {named:?}"));
    first..=last
}

/// Plays the histories of seeds, so many at once.
///
/// # Panics
/// Where a history fails, or none reaches one of the things that so many have to reach.
pub fn check(
    played: RangeInclusive<u64>,
    at_once: usize,
    reaches: &[&str],
    play: impl Fn(u64) -> Outcome + Sync,
) {
    let count = played.clone().count();
    let left = Mutex::new(seeds(played));
    let are_few = left.lock().unwrap_or_else(PoisonError::into_inner).clone().count() < count;
    let outcomes = Mutex::new((Coverage::default(), Vec::new()));
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let play_some = || {
        while let Some(seed) = next() {
            let outcome = play(seed);
            let (reached, failed) = &mut *outcomes.lock().unwrap_or_else(PoisonError::into_inner);
            reached.add(&outcome.coverage);
            if let Err(error) = outcome.judged {
                println!("seed {seed}: {error}\n{SEEDS}={seed}-{seed} plays it alone");
                failed.push(seed);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(play_some);
        }
    });
    let (reached, failed) = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("{reached}");
    assert!(failed.is_empty(), "the histories of the seeds {failed:?} fail");
    let missing: Vec<_> = reaches.iter().filter(|what| reached.count(what) == 0).collect();
    assert!(are_few || missing.is_empty(), "these histories never reach {missing:?}");
}
