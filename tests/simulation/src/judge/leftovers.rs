//! What is left once every file is there: nothing that files were made of, and users' objects as they were.

use std::collections::BTreeSet;

use crate::history::History;
use crate::hosts::WORK_BUCKET;

/// Folders of the work bucket that hold what record files are made of.
const MADE_OF: [&str; 2] = ["media/", "blocks/"];

/// Objects that may be left of chunks: media of one whose call died and whose gateway never sent it again.
pub(super) fn is_excused(history: &History) -> impl Fn(&str) -> bool + use<> {
    let facts = super::facts(history);
    let acknowledged = facts.iter().filter(|(_, fact)| fact.spooled.acknowledged_ms.is_some());
    let needed: BTreeSet<String> =
        acknowledged.map(|((session, seq), _)| naming::media_object(session, *seq)).collect();
    move |name| {
        name.strip_prefix(WORK_BUCKET)
            .is_some_and(|name| name.starts_with("media/") && !needed.contains(name))
    }
}

pub(super) fn check(history: &mut History) -> Result<(), String> {
    let is_excused = is_excused(history);
    let world = history.hosts.any();
    let mut unmade = 0;
    for folder in MADE_OF {
        let left = world.buckets.names(&format!("{WORK_BUCKET}{folder}"));
        let (left, others): (Vec<_>, Vec<_>) = left.into_iter().partition(|name| !is_excused(name));
        unmade += others.len() as u64;
        if !left.is_empty() {
            return Err(format!("record files are there, and still is what they were made of: {left:?}"));
        }
    }
    // Whoever completes a file gives up all other uploads of it. That of a call which begins one just then, or under a name
    // that is another writer's, and which dies, is for the bucket's lifecycle.
    let uploads: Vec<String> =
        world.buckets.uploads.borrow().values().map(|upload| upload.name.clone()).collect();
    let unsure = history.unsure();
    if let Some(left) = uploads.iter().find(|name| !unsure.contains(*name)) {
        return Err(format!("an upload of {left} is left, and no call that wrote it met a fault"));
    }
    let uploads = uploads.len() as u64;
    history.coverage.reach_times("left: media of a chunk that was never acknowledged", unmade);
    history.coverage.reach_times("left: an upload that a call in trouble left behind", uploads);
    if let Some(wrong) = history.wrong() {
        return Err(wrong.clone());
    }
    match history.changed_object() {
        Some(name) => Err(format!("{name} is not any more what it was")),
        None => Ok(()),
    }
}
