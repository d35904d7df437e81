//! What a client was told is done, is done.

use shared::catalog::Command;

use super::sessions;
use crate::gateway::{Push, Spooled};
use crate::history::{Given, History};
use crate::workload::Plan;

/// While nothing is wrong, an order takes effect at most so late where each picture is a keyframe. Unit: ms.
const HEARD_MS: u64 = 10_000;

/// No chunk is longer. Unit: ms.
const CHUNK_MS: u64 = 10_000;

/// How long a picture lasts: what an order begins may begin so long before it. Unit: ms.
const PICTURE_MS: u64 = 1_000;

/// While nothing is wrong, what was accepted holds: a restart begins another file of a push that was recorded and still
/// is, or was stopped, a stop ends what is recorded and a start begins it, up to the next command or a window's edge.
pub(super) fn check(history: &mut History, plan: &Plan) -> Result<(), String> {
    if plan.is_troubled {
        return Ok(());
    }
    let mut judged = Vec::new();
    for given in history.given.iter().filter(|given| given.is_taken) {
        let of_stream = history.pushes().map(|(_, push)| push).filter(|push| push.stream == given.stream);
        for push in of_stream {
            let (word, is_held) = match given.command {
                Command::Restart if is_stopped(history, push, given) => {
                    let is_held = holds(history, push, given, true)
                        .map(|is_recorded| is_recorded && restarts(history, push, given) != Some(false));
                    ("restart after a stop", is_held)
                }
                Command::Restart => ("restart", restarts(history, push, given)),
                Command::Stop => ("stop", holds(history, push, given, false)),
                Command::Start => ("start", holds(history, push, given, true)),
                Command::CancelDelay => continue,
            };
            let Some(is_held) = is_held else { continue };
            judged.push(word);
            if !is_held {
                return Err(format!(
                    "{} was recorded as if the {word} at {} was none",
                    push.id, given.asked_ms
                ));
            }
        }
    }
    for word in judged {
        history.coverage.reach(format!("judged: a {word} that was accepted"));
    }
    Ok(())
}

/// While nothing is wrong, an order takes effect at most so late: at a keyframe. Unit: ms.
fn heard_ms(push: &Push) -> u64 {
    HEARD_MS + push.shape().gop_ms() - PICTURE_MS
}

/// Whether the last command before another one has stopped a push that was recorded.
fn is_stopped(history: &History, push: &Push, given: &Given) -> bool {
    let before = history.given.iter().filter(|other| {
        other.stream == given.stream && other.asked_ms < given.asked_ms && !std::ptr::eq(*other, given)
    });
    let Some(stop) = before.max_by_key(|other| other.asked_ms) else { return false };
    let was_recorded = push
        .chunks
        .iter()
        .any(|chunk| (push.began_ms + chunk.from_ms..push.began_ms + chunk.to_ms).contains(&stop.asked_ms));
    let is_between =
        |edge_ms: u64| (stop.asked_ms..given.asked_ms + heard_ms(push)).contains(&(edge_ms + heard_ms(push)));
    stop.command == Command::Stop
        && stop.is_taken
        && was_recorded
        && push.offered_ms.is_some_and(|(_, offered_ms)| offered_ms < stop.asked_ms)
        && !edges_ms(history, push).into_iter().any(is_between)
}

/// Whether a restart has begun another file; none of a push of which nothing was recorded before it, or nothing is later.
fn restarts(history: &History, push: &Push, given: &Given) -> Option<bool> {
    // What came before the push had a session was for others.
    push.offered_ms.filter(|(_, offered_ms)| *offered_ms < given.asked_ms)?;
    // What ends the recording just before may not be heard of yet.
    let may_end = |other: &Given| {
        other.command == Command::Stop
            && other.stream == given.stream
            && other.over_ms + heard_ms(push) >= given.asked_ms
            && other.asked_ms <= given.over_ms
    };
    let is_near = |edge_ms: u64| {
        (given.asked_ms..=given.over_ms + heard_ms(push)).contains(&(edge_ms + heard_ms(push)))
    };
    if history.given.iter().any(may_end) || edges_ms(history, push).into_iter().any(is_near) {
        return None;
    }
    let is_before = |chunk: &&Spooled| push.began_ms + chunk.from_ms + PICTURE_MS <= given.asked_ms;
    let before = push.chunks.iter().rfind(is_before)?;
    let late_ms = given.over_ms + heard_ms(push);
    let after = push.chunks.iter().find(|chunk| push.began_ms + chunk.from_ms >= late_ms)?;
    Some(after.generation.files > before.generation.files)
}

/// Whether a push is recorded, or not, while only a command says so; none where it says nothing of it for long enough.
fn holds(history: &History, push: &Push, given: &Given, is_recorded: bool) -> Option<bool> {
    let ended_ms = push.ended_ms()?;
    let (_, offered_ms) = push.offered_ms?;
    let from_ms = given.over_ms + heard_ms(push);
    // What came before the push had a session was for others.
    if push.session.is_none() || offered_ms >= given.asked_ms {
        return None;
    }
    let next = history.given.iter().filter(|other| other.stream == given.stream);
    let is_near = |other: &&Given| {
        !std::ptr::eq(*other, given) && other.over_ms >= given.asked_ms && other.asked_ms <= from_ms
    };
    if next.clone().any(|other| is_near(&other)) {
        return None;
    }
    let next_ms = next.map(|other| other.asked_ms).filter(|asked_ms| *asked_ms > from_ms);
    // Edges of windows are orders, too.
    let edges_ms =
        edges_ms(history, push).into_iter().filter(|edge_ms| *edge_ms + heard_ms(push) > given.asked_ms);
    let until_ms = next_ms.chain(edges_ms).fold(ended_ms, u64::min);
    if until_ms < from_ms + heard_ms(push) + CHUNK_MS {
        return None;
    }
    let is_in = |chunk: &&Spooled| {
        let (begin_ms, end_ms) = (push.began_ms + chunk.from_ms, push.began_ms + chunk.to_ms);
        begin_ms < until_ms - heard_ms(push) && end_ms > from_ms
    };
    Some(push.chunks.iter().any(|chunk| is_in(&chunk)) == is_recorded)
}

/// When a window of a push's rule begins or ends, Unix milliseconds.
fn edges_ms(history: &History, push: &Push) -> Vec<u64> {
    let rules = sessions::rules(history, push);
    let edges = rules.iter().flat_map(|rule| [rule.start_time, rule.end_time]).flatten();
    edges.map(|edge_s| edge_s * 1_000).collect()
}
