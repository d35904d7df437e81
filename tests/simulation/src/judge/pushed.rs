//! What was sent to real gateways, they have sent on.

use shared::catalog::Command;
use shared::rules::{OnDemand, Rule};

use super::sessions;
use crate::gateway::Push;
use crate::history::History;

/// A command may hold for pictures that were sent so long before it: they are read later. Unit: ms.
const READ_MS: u64 = 2_000;

/// Each picture of a push that is recorded whatever happens is in one chunk, in order, up to the first command that may stop
/// it, but for those at its end that were on no disk yet as the gateway died.
pub(super) fn check(history: &mut History) -> Result<(), String> {
    let (mut judged, mut cut_short) = (0, 0);
    for gateway in &history.gateways {
        for push in gateway.pushes.iter().filter(|push| is_always_recorded(history, push)) {
            let kept_ms = 1_000 * push.of_real.sent.pictures.saturating_sub(push.of_real.tail);
            let due_ms = kept_ms.min(stopped_ms(history, push));
            let mut to_ms = 0;
            for chunk in push.chunks.iter().take_while(|chunk| chunk.from_ms < due_ms) {
                if chunk.from_ms != to_ms {
                    return Err(format!("{} has nothing from {to_ms} to {} ms", push.id, chunk.from_ms));
                }
                to_ms = chunk.to_ms;
            }
            if to_ms < due_ms {
                return Err(format!("{} had pictures up to {due_ms} ms, and sent {to_ms} ms on", push.id));
            }
            judged += u64::from(due_ms > 0);
            cut_short += u64::from(due_ms > 0 && due_ms == kept_ms && push.of_real.is_cut_short);
        }
    }
    history.coverage.reach_times("judged: a push that a real gateway has sent on", judged);
    history.coverage.reach_times("judged: a push whose gateway died", cut_short);
    Ok(())
}

/// Whether neither a window nor a URL decides what is recorded.
fn is_always_recorded(history: &History, push: &Push) -> bool {
    let rules = sessions::rules(history, push);
    let is_always = |rule: &&Rule| {
        rule.on_demand == OnDemand::Always && rule.start_time.is_none() && rule.end_time.is_none()
    };
    !rules.is_empty() && rules.iter().all(is_always)
}

/// Up to when no command has stopped a push, in milliseconds after its begin.
fn stopped_ms(history: &History, push: &Push) -> u64 {
    let stops = history.given.iter().filter(|given| given.command == Command::Stop);
    let of_push =
        stops.filter(|given| given.stream == push.stream && given.over_ms + READ_MS >= push.began_ms);
    let asked_ms = of_push.map(|given| given.asked_ms).min();
    asked_ms.map_or(u64::MAX, |asked_ms| asked_ms.saturating_sub(push.began_ms + READ_MS))
}
