//! Shortening a history that fails.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::run::{Options, Outcome, run};

/// Leaves out events and faults of a history that fails for as long as it still fails in the same way, by halves, quarters and so on, down to
/// single ones. Answers the shortest history that was found and what it came to.
///
/// `longest`: how long that may take.
#[must_use]
pub fn shrink(failed: &Outcome, base: &Options, longest: Duration) -> (Options, Outcome) {
    let begun = Instant::now();
    let mut kept: Vec<u32> = failed.happened.clone();
    let (mut shortest, wanted) = (failed.clone(), kind(failed));
    let try_only = |kept: &[u32]| {
        let only: BTreeSet<u32> = kept.iter().copied().collect();
        run(&Options { only: Some(only), ..base.clone() })
    };
    let mut size = kept.len().div_ceil(2).max(1);
    loop {
        let before = kept.len();
        // What came late is left out first: most of it came after what failed.
        let mut end = kept.len();
        while end > 0 && begun.elapsed() < longest {
            let begin = end.saturating_sub(size);
            let rest = [&kept[..begin], &kept[end.min(kept.len())..]].concat();
            let outcome = try_only(&rest);
            if kind(&outcome) == wanted {
                // What did not happen in it is left out as well.
                let happened: BTreeSet<u32> = outcome.happened.iter().copied().collect();
                kept = rest.into_iter().filter(|id| happened.contains(id)).collect();
                shortest = outcome;
            }
            end = begin.min(kept.len());
        }
        if begun.elapsed() >= longest || size == 1 && kept.len() == before {
            break;
        }
        size = size.div_ceil(2).max(1);
    }
    let only = Some(kept.into_iter().collect());
    (Options { only, ..base.clone() }, shortest)
}

/// What a failure says, without names and numbers.
fn kind(outcome: &Outcome) -> Option<Vec<&str>> {
    let is_word = |word: &&str| word.bytes().all(|byte| byte.is_ascii_lowercase());
    let words = outcome.judged.as_ref().err()?.split(' ').filter(is_word);
    Some(words.take(5).collect())
}
