//! Days are sealed and forgotten, while calls meet faults.

use std::rc::Rc;

use super::answers::DAY_MS;
use super::{answers, facts, leftovers, record_files};
use crate::gateway::Gateway;
use crate::history::History;
use crate::hosts::WORK_BUCKET;
use crate::network::{Rates, fail_decisions};
use crate::workload::Plan;

/// What ticks and their operations meet while they seal.
const FAULTS: Rates = Rates { operations: 40, doubled: 50, delayed: 50 };

/// Begins of keys that hold what was recorded.
const RECORDED: [&str; 15] =
    ["s.", "a.", "n.", "c.", "h.", "e.", "x.", "k.", "f.", "w.", "y.", "z.", "r.", "i.", "v."];

/// The day ends, and is sealed.
pub(super) fn come_to_sealed(history: &mut History, plan: &Plan) -> Result<(), String> {
    if let Some(unsettled) = history.gateways.iter().find_map(Gateway::unsettled) {
        return Err(format!("a gateway has told and sent all, and {unsettled}"));
    }
    history.gateways.iter_mut().for_each(Gateway::fall_silent);
    let midnight_ms = history.now_ms.next_multiple_of(DAY_MS);
    history.step(midnight_ms + 3_600_000 - history.now_ms);
    history.rates = FAULTS;
    // A day has few parts: their creates have to fail oftener than other operations to fail at all.
    fail_decisions(history.hosts.any(), Rc::clone(&history.chances));
    (0..240).for_each(|_| history.step(20_000));
    history.hosts.any().buckets.mend();
    history.rates = Rates::default();
    (0..150).for_each(|_| history.step(60_000));
    for (folder, what) in [("log", "sealed: a day's sessions"), ("files", "sealed: a day's files")] {
        history.coverage.reach_times(what, work_objects(history, folder).len() as u64);
    }
    let facts = facts(history);
    let found = record_files::read(history, &facts)?;
    answers::check_content(history, plan, &found, &facts)
}

fn work_objects(history: &History, folder: &str) -> Vec<String> {
    history.hosts.any().buckets.names(&format!("{WORK_BUCKET}{folder}"))
}

/// Beyond retention nothing is left of what was recorded but the objects in the users' buckets.
pub(super) fn check_forgotten(history: &History) -> Result<(), String> {
    let world = history.hosts.any();
    let is_recorded = |key: &&String| RECORDED.iter().any(|begin| key.starts_with(begin));
    let keys: Vec<String> = world.store.keys().iter().filter(is_recorded).cloned().collect();
    let is_excused = leftovers::is_excused(history);
    let is_probe = |name: &String| name.contains("/probe/") || is_excused(name);
    let objects: Vec<String> = work_objects(history, "").into_iter().filter(|name| !is_probe(name)).collect();
    if keys.is_empty() && objects.is_empty() {
        return Ok(());
    }
    Err(format!("beyond retention there are still {keys:?} and {objects:?}"))
}
