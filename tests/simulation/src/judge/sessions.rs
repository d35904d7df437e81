//! Sessions are kept, each under the rule that held when its push began.

use std::collections::BTreeSet;

use protocol::StreamPath;
use shared::catalog::{Mode, SessionRule};
use shared::rules::{OnDemand, Rule};
use store::memory::run;

use super::Format;
use crate::gateway::Push;
use crate::history::History;

/// The rules that a push may have begun under: as the workload gave them, and not as the functions say.
pub(super) fn rules<'a>(history: &'a History, push: &Push) -> Vec<&'a Rule> {
    push.offered_ms
        .map_or_else(Vec::new, |(asked_ms, answered_ms)| history.rules_between(asked_ms, answered_ms))
}

fn kept(history: &History, session: &str) -> Result<Option<SessionRule>, String> {
    let session = run(shared::Catalog::get_session(history.hosts.any(), session));
    session.map(|session| session.rule).map_err(|error| format!("{error:?}"))
}

/// The formats that are due of a push. Where the rule changed while it began, the functions say which rule it was.
pub(super) fn formats(history: &History, push: &Push, session: &str) -> Vec<Format> {
    let rules = rules(history, push);
    let rule = match rules[..] {
        [rule] => Some(rule),
        _ => {
            let kept = kept(history, session).ok().flatten();
            let is_it = |rule: &&&Rule| kept.as_ref().is_some_and(|kept| is_of(rule, kept));
            rules.iter().find(is_it).or(rules.last()).copied()
        }
    };
    rule.iter().flat_map(|rule| &rule.formats).map(|format| format.container.into()).collect()
}

/// Each session that somebody was told is kept is known, under a rule that held when it began.
pub(super) fn check(history: &History) -> Result<(), String> {
    for (_, push) in history.pushes() {
        let Some(session) = &push.session else { continue };
        let is_acknowledged = push.chunks.iter().any(|chunk| chunk.acknowledged_ms.is_some());
        if !is_acknowledged && push.end_answered_ms.is_none() {
            // An offer that was not adopted expires.
            continue;
        }
        let kept = kept(history, session).map_err(|error| format!("{session} of {}: {error}", push.id))?;
        let rules = rules(history, push);
        if !kept.as_ref().is_some_and(|kept| rules.iter().any(|rule| is_of(rule, kept))) {
            return Err(format!(
                "{session} of {} began under {rules:?}, and is kept under {kept:?}",
                push.id
            ));
        }
    }
    Ok(())
}

/// Whether a session's rule is a rule as it was given.
fn is_of(rule: &Rule, kept: &SessionRule) -> bool {
    let mode = match rule.on_demand {
        OnDemand::Always => Mode::Automatic,
        OnDemand::AskUrl => Mode::OnDemand,
        OnDemand::PushArgument => Mode::PushArgument,
        OnDemand::Command => Mode::Manual,
    };
    let given = rule.formats.iter().map(|format| (Format::from(format.container), format.cycle_seconds));
    let formats = kept.formats.iter().map(|format| (Format::from(format.container), format.cycle_seconds));
    given.eq(formats)
        && mode == kept.mode
        && (&rule.oss_endpoint, &rule.oss_bucket) == (&kept.oss_endpoint, &kept.oss_bucket)
        && rule.delay_seconds == kept.delay_seconds
        && (rule.start_time, rule.end_time) == (kept.window_start, kept.window_end)
}

/// The recordings of a stream that have media which was acknowledged, and those that may have media, by their first
/// sessions: a chunk may have been committed whose acknowledgement was lost with its gateway.
pub(super) fn recordings(
    history: &History,
    stream: &StreamPath,
) -> Result<(BTreeSet<String>, BTreeSet<String>), String> {
    let (mut sure, mut possible) = (BTreeSet::new(), BTreeSet::new());
    let store = &*history.hosts.any().store;
    let of_stream = history.pushes().map(|(_, push)| push).filter(|push| push.stream == *stream);
    for push in of_stream.filter(|push| !push.chunks.is_empty()) {
        let Some(session) = &push.session else { continue };
        let adopted = run(catalog::session::adopted(store, session));
        let noted = || history.recordings.get(session).cloned();
        let recording =
            adopted.map_err(|error| error.to_string())?.map(|adopted| adopted.recording).or_else(noted);
        match recording {
            Some(recording) if push.acknowledged > 0 => drop(sure.insert(recording)),
            None if push.acknowledged > 0 => {
                return Err(format!("{session} has media, and belongs to no recording"));
            }
            recording => possible.extend(recording),
        }
    }
    possible.extend(sure.iter().cloned());
    Ok((sure, possible))
}
