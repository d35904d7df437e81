//! Each acknowledged chunk is in exactly one record file of each format that is due, in order.

use std::collections::BTreeMap;

use super::record_files::{FORMATS, Files, Format, Found};
use super::{Chunk, Fact, Facts};

fn is_acknowledged(fact: &Fact<'_>) -> bool {
    fact.spooled.acknowledged_ms.is_some()
}

/// Which acknowledged chunk is in no record file yet of a format that is due.
pub(super) fn missing(found: &Found, facts: &Facts<'_>) -> Option<(Format, Chunk)> {
    FORMATS.into_iter().find_map(|format| Some((format, missing_of(format, &found[&format], facts)?)))
}

fn missing_of(format: Format, files: &Files, facts: &Facts<'_>) -> Option<Chunk> {
    let found: std::collections::BTreeSet<&Chunk> = files.values().flatten().collect();
    let is_due = |fact: &Fact<'_>| is_acknowledged(fact) && fact.formats.contains(&format);
    let mut due = facts.iter().filter(|(_, fact)| is_due(fact));
    due.find(|(chunk, _)| !found.contains(chunk)).map(|(chunk, _)| chunk.clone())
}

/// The same for each format by itself: see `check_format`.
pub(super) fn check(found: &Found, facts: &Facts<'_>) -> Result<(), String> {
    FORMATS.into_iter().try_for_each(|format| check_format(format, &found[&format], facts))
}

/// Checks that each acknowledged chunk is in exactly one record file, that files list what gateways sent, chunks of a
/// session in order without leaving one out, and sessions one after the other.
fn check_format(format: Format, files: &Files, facts: &Facts<'_>) -> Result<(), String> {
    let mut found: BTreeMap<&Chunk, &str> = BTreeMap::new();
    for (name, chunks) in files {
        for chunk in chunks {
            if let Some(other) = found.insert(chunk, name) {
                return Err(format!("{chunk:?} is in {other} and in {name}"));
            }
            match facts.get(chunk) {
                Some(fact) if fact.formats.contains(&format) => {}
                Some(_) => return Err(format!("{name} has {chunk:?}, whose rule asks for no {format:?}")),
                None => return Err(format!("{name} lists {chunk:?}, which no gateway sent")),
            }
        }
        for pair in chunks.windows(2) {
            let [before, after] = pair else { continue };
            if before.0 == after.0 && after.1 != before.1 + 1 {
                return Err(format!("{name} lists {after:?} after {before:?}"));
            }
            let next = (before.0.clone(), before.1 + 1);
            if before.0 != after.0 && (after.1 != 0 || facts.get(&next).is_some_and(is_acknowledged)) {
                return Err(format!(
                    "{name} lists {after:?} after {before:?}, which is not the session's last"
                ));
            }
        }
    }
    match missing_of(format, files, facts) {
        Some(missing) => Err(format!("{missing:?} is in no record file of {:?}", files.keys())),
        None => Ok(()),
    }
}
