//! Seeds that tests play.

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

/// Plays the histories of seeds, so many at once; answers what they reached, and which failed, and how.
pub fn play(
    seeds: impl Iterator<Item = u64> + Send,
    at_once: usize,
    play: impl Fn(u64) -> Outcome + Sync,
) -> (Coverage, Vec<(u64, String)>) {
    let seeds = Mutex::new(seeds);
    let played = Mutex::new((Coverage::default(), Vec::new()));
    let next = || seeds.lock().unwrap_or_else(PoisonError::into_inner).next();
    let play_some = || {
        while let Some(seed) = next() {
            let outcome = play(seed);
            let (reached, failed) = &mut *played.lock().unwrap_or_else(PoisonError::into_inner);
            reached.add(&outcome.coverage);
            if let Err(error) = outcome.judged {
                println!("seed {seed}: {error}");
                failed.push((seed, error));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(play_some);
        }
    });
    played.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Plays the histories of seeds, or of those that are named in their place.
///
/// # Panics
/// Where a history fails, or none reaches one of the things that so many have to reach.
pub fn check(
    played: RangeInclusive<u64>,
    at_once: usize,
    reaches: &'static [&'static str],
    play_one: impl Fn(u64) -> Outcome + Sync,
) {
    let named = seeds(played.clone());
    let are_few = named.clone().count() < played.count();
    let (reached, failed) = play(named, at_once, play_one);
    println!("{reached}");
    let failed: Vec<u64> = failed.into_iter().map(|(seed, _)| seed).collect();
    assert!(failed.is_empty(), "the histories of the seeds {failed:?} fail; {SEEDS}=S-S plays S alone");
    let missing = reached.missing(reaches);
    assert!(are_few || missing.is_empty(), "these histories never reach {missing:?}");
}
