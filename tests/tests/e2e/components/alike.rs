//! What the handlers and the components say in one history, line by line.

use std::rc::Rc;

use recorder_compose_function::Sizes;
use shared::testing::World;
use simulation::call::Ask;
use simulation::functions::{Answering, Functions, Handlers};

/// Names of sessions, recordings and events are drawn, and have at least so many hexadecimal digits.
const DRAWN: usize = 16;

/// What lines say of a fault.
const FAULTS: [&str; 5] = [" dies", " death after ", " refusal of ", " reply lost of ", " stalls for "];

/// The handlers, where parts and blocks have the sizes of the components'.
pub(super) struct AsBuilt;

impl Functions for AsBuilt {
    fn answer(&self, host: usize, world: Rc<World>, ask: Ask) -> Answering {
        Handlers.answer(host, world, ask)
    }

    fn sizes(&self) -> Option<Sizes> {
        Some(Sizes::DEFAULT)
    }

    fn configure(&self, _: &World) {}
}

/// Lines as both say them, those of a moment in one order: what a call does first may depend on the names it has drawn, and
/// of a command the API says more than that it was taken.
pub(super) fn lines(trace: &[String]) -> Vec<String> {
    let mut lines: Vec<(u64, String)> = trace.iter().map(|line| (moment(line), said(line))).collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

/// The trace up to where operations begin to fail, as they do while it is seen to that all is forgotten in time.
pub(super) fn without_faults(trace: &[String]) -> &[String] {
    let fails = |line: &String| FAULTS.iter().any(|fault| line.contains(fault));
    let end = trace.iter().position(fails).map_or(u64::MAX, |at| moment(&trace[at]));
    &trace[..trace.partition_point(|line| moment(line) < end)]
}

/// The moment that a line begins with. Unit: ms.
fn moment(line: &str) -> u64 {
    let (seconds, rest) = line.split_once('.').unwrap();
    seconds.parse::<u64>().unwrap() * 1_000 + rest[..3].parse::<u64>().unwrap()
}

/// A line without the names that are drawn.
fn said(line: &str) -> String {
    if let Some((before, answer)) = line.split_once(" command answered ") {
        return format!("{before} command answered {}xx", &answer[..1]);
    }
    let words = line.split_inclusive(|c: char| !c.is_ascii_hexdigit());
    let words = words
        .map(|word| if word.len() > DRAWN { format!("<>{}", &word[word.len() - 1..]) } else { word.into() });
    words.collect()
}
