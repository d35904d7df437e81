//! What a client was told is done, is done.

use shared::catalog::Command;

use crate::history::{Given, History};
use crate::workload::Plan;

/// While nothing is wrong, an order takes effect at most so late. Unit: ms.
const HEARD_MS: u64 = 10_000;

/// While nothing is wrong, a restart that was accepted begins another file of a push that was recorded and still is.
pub(super) fn check(history: &mut History, plan: &Plan) -> Result<(), String> {
    if plan.is_troubled {
        return Ok(());
    }
    let is_restart = |given: &&Given| given.is_taken && given.command == Command::Restart;
    let mut judged = 0;
    for given in history.given.iter().filter(is_restart) {
        let of_stream = history.pushes().map(|(_, push)| push).filter(|push| push.stream == given.stream);
        for push in of_stream {
            // None of a push that is not recorded on both sides of it.
            let before = push.chunks.iter().rfind(|chunk| push.began_ms + chunk.to_ms <= given.asked_ms);
            let late_ms = given.over_ms + HEARD_MS;
            let after = push.chunks.iter().find(|chunk| push.began_ms + chunk.from_ms >= late_ms);
            let (Some(before), Some(after)) = (before, after) else { continue };
            judged += 1;
            if after.generation.files <= before.generation.files {
                return Err(format!(
                    "{} was recorded on as before the restart at {}",
                    push.id, given.asked_ms
                ));
            }
        }
    }
    history.coverage.reach_times("judged: a restart that was accepted", judged);
    Ok(())
}
