//! What the handlers and the components say in one history, line by line.

use std::collections::BTreeMap;
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

/// What a line says, and the names in it.
pub(super) type Line = (String, Vec<String>);

/// The lines of a trace, those of a moment in one order: what a call does first may depend on the names that it has drawn.
pub(super) fn lines(trace: &[String]) -> Vec<Line> {
    let mut lines: Vec<(u64, Line)> = trace.iter().map(|line| (moment(line), said(line))).collect();
    lines.sort_by(|(one_ms, one), (other_ms, other)| (one_ms, &one.0).cmp(&(other_ms, &other.0)));
    lines.into_iter().map(|(_, line)| line).collect()
}

/// Checks that two traces say the same, and that each name of one stands for one of the other.
pub(super) fn check(built: &[Line], handlers: &[Line]) {
    let (mut theirs, mut ours) = (BTreeMap::new(), BTreeMap::new());
    for ((built, names), (said, drawn)) in built.iter().zip(handlers) {
        assert_eq!(built, said);
        for (name, other) in names.iter().zip(drawn) {
            assert_eq!(*theirs.entry(name).or_insert(other), other, "{said}");
            assert_eq!(*ours.entry(other).or_insert(name), name, "{said}");
        }
    }
    assert_eq!(built.len(), handlers.len());
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

/// Of a command's answer its class is compared: the API has statuses of its own for what does not fit a stream's state.
fn said(line: &str) -> Line {
    if let Some((before, answer)) = line.split_once(" command answered ") {
        return (format!("{before} command answered {}xx", &answer[..1]), Vec::new());
    }
    let (mut text, mut names) = (String::new(), Vec::new());
    for word in line.split_inclusive(|c: char| !c.is_ascii_hexdigit()) {
        let name = word.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
        if name.len() < DRAWN {
            text += word;
        } else {
            names.push(name.to_owned());
            text += &format!("<>{}", &word[name.len()..]);
        }
    }
    (text, names)
}
