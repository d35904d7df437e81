//! Nothing waits for ever.

use super::{answers, facts, files, record_files};
use crate::history::History;
use crate::hosts::WORK_BUCKET;
use crate::workload::Plan;

/// So long after the last fault everything is told and sent. Unit: s.
const IDLE_S: u64 = 420;

/// So long after that every acknowledged chunk is in a record file: DelayTime, a minute of silence, the longest call,
/// and what looks and retries take. Unit: s.
const FILES_S: u64 = 900;

/// Function hosts whose clocks differ make closings late by so much more. Unit: s.
pub(super) const CLOCKS_S: u64 = 7_800;

/// A session of a gateway that never came back ends after so long. Unit: ms.
const SUSPENDED_MS: u64 = 7 * 86_400_000;

/// For so long before the end no lane may fail in anything. Unit: ms.
const RESTING_MS: u64 = 2 * 3_600_000;

/// A timer that is due is attended to within this. Unit: ms.
const MINUTE_MS: u64 = 60_000;

pub(super) fn come_to_idle(history: &mut History) -> Result<(), String> {
    for _ in 0..IDLE_S {
        history.step(1_000);
        if history.is_idle() {
            return Ok(());
        }
    }
    let waiting = history.pushes().find(|(_, push)| !push.is_told()).map(|(_, push)| push);
    let surprises: Vec<_> = history.gateways.iter().flat_map(|gateway| &gateway.surprises).collect();
    Err(format!("after {IDLE_S} s not all is told and sent: {waiting:#?}; gateways were told {surprises:#?}"))
}

pub(super) fn come_to_files(history: &mut History, plan: &Plan) -> Result<(), String> {
    let most_s = FILES_S + if plan.clocks_differ { CLOCKS_S } else { 0 };
    let mut missing = None;
    let every_s = plan.length.looks_every_s();
    for _ in 0..most_s / every_s {
        (0..every_s / 3).for_each(|_| history.step(3_000));
        let facts = facts(history);
        missing = files::missing(&record_files::read(history, &facts)?, &facts);
        if missing.is_none() {
            return Ok(());
        }
    }
    Err(format!("after {most_s} s {missing:?} is in no record file"))
}

/// A chunk whose acknowledgement was lost with its gateway is in a file later, and in the lists at once.
pub(super) fn come_to_content(history: &mut History, plan: &Plan) -> Result<(), String> {
    let most_s = FILES_S + if plan.clocks_differ { CLOCKS_S } else { 0 };
    let mut checked = Ok(());
    let every_s = plan.length.looks_every_s();
    for _ in 0..most_s / every_s {
        let facts = facts(history);
        let found = record_files::read(history, &facts)?;
        checked = answers::check_content(history, plan, &found, &facts);
        if checked.is_ok() {
            break;
        }
        (0..every_s / 3).for_each(|_| history.step(3_000));
    }
    checked
}

/// Counts how races were decided, and what gateways were told.
pub(super) fn note_decisions(history: &mut History) {
    for gateway in &history.gateways {
        let coverage = &mut history.coverage;
        coverage.reach_times("told: chunks of another session come first", gateway.told_before);
        coverage.reach_times("told: the bucket refuses", gateway.told_refused);
        coverage.reach_times("told: another spool has the gateway's name", gateway.told_boot);
    }
    for (name, object) in history.hosts.any().buckets.objects.borrow().iter() {
        let Some(name) = name.strip_prefix(WORK_BUCKET) else { continue };
        let body = String::from_utf8_lossy(&object.bytes);
        let word = |what: &str, long: &str| format!("decided: {what} {long}");
        let what = match name.split('/').collect::<Vec<_>>()[..] {
            ["decision", "break", _] if body.contains("ontinued") => word("break", "continued"),
            ["decision", "break", _] => word("break", "closed"),
            ["decision", "silence", ..] if body.contains("pen") => word("silence", "open"),
            ["decision", "silence", ..] => word("silence", "closed"),
            ["decision", "parted", _] if body == "true" => word("first chunk", "parted"),
            ["decision", "parted", _] => word("first chunk", "not parted"),
            ["decision", "end", _] => word("end", "told"),
            ["order", _, _] => word("order", "given"),
            _ => continue,
        };
        history.coverage.reach(what);
    }
}

/// Gateways say nothing more, and days pass: nothing is left to be done.
pub(super) fn come_to_rest(history: &mut History) -> Result<(), String> {
    // A gateway that was heard since begins another week.
    let weeks = if history.gateways.iter().any(|gateway| !gateway.gone.is_empty()) { 3 } else { 1 };
    minutes(history, 80);
    // What is late by more than a minute and a half waits again, lest a clock was ahead: so the week ends slowly.
    for _ in 0..weeks {
        history.step(SUSPENDED_MS - 7_200_000);
        minutes(history, 150);
    }
    // Slices and files are kept for three and six months.
    for days in [40, 60, 95] {
        history.step(86_400_000 * days);
        // What is sealed takes some steps, a few minutes apart.
        minutes(history, 130);
    }
    history.step(86_400_000 * 40);
    // For the last two hours no lane may fail.
    (0..130).for_each(|_| history.step(MINUTE_MS));
    for (lane, answer) in &history.lanes {
        if answer.as_ref().is_none_or(|answer| answer.due > 0) {
            let lane = lane.name();
            return Err(format!("seven months later the lane {lane} still has something due: {answer:?}"));
        }
    }
    for (lane, (at_ms, answer)) in &history.failed {
        if at_ms + RESTING_MS > history.now_ms {
            let lane = lane.name();
            return Err(format!("seven months later the lane {lane} still fails: {answer:?}"));
        }
    }
    let due = timers(history).into_iter().find(|(due_ms, _)| *due_ms + MINUTE_MS <= history.now_ms);
    match due {
        Some((due_ms, timer)) => Err(format!("seven months later a timer of {due_ms} is still set: {timer}")),
        None => Ok(()),
    }
}

/// Lets at most so many minutes pass: fewer, where no timer is due in the rest of them by anybody's clock.
fn minutes(history: &mut History, most: u64) {
    for left in (0..most).rev() {
        history.step(MINUTE_MS);
        let until_ms = history.now_ms + left * MINUTE_MS + 1_000 * CLOCKS_S;
        if timers(history).iter().all(|(due_ms, _)| *due_ms > until_ms) {
            return;
        }
    }
}

/// The timers that are set, each with the moment that it is due from on. Unix milliseconds.
fn timers(history: &History) -> Vec<(u64, String)> {
    let timer = |(key, value): (String, Vec<u8>)| {
        // A record is its version and JSON behind it.
        let json = value.iter().position(|byte| *byte == b'{')?;
        let record: serde_json::Value = serde_json::from_slice(&value[json..]).ok()?;
        let text = record["value"].as_str()?;
        let (due_ms, _) = text.split_once(' ')?;
        Some((due_ms.parse().ok()?, format!("{key}: {text}")))
    };
    history.hosts.any().store.entries_under("t.").into_iter().filter_map(timer).collect()
}
