//! The judge finds deliberate defects.

use simulation::defects::DEFECTS;
use simulation::run::{Options, run};

#[test]
fn each_deliberate_defect_is_found_within_its_number_of_seeds() {
    let mut unfound = Vec::new();
    for (defect, seeds) in DEFECTS {
        let outcomes = (1..=*seeds).map(|seed| run(&Options { defect: Some(*defect), ..Options::of(seed) }));
        match { outcomes }.find_map(|outcome| Some((outcome.seed, outcome.judged.err()?))) {
            Some((seed, error)) => println!("{defect:?} is found by seed {seed}: {error}"),
            None => unfound.push(format!("{defect:?} in {seeds} seeds")),
        }
    }
    assert!(unfound.is_empty(), "not found: {unfound:#?}");
}
