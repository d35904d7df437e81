//! The loop of a function that attends to what is due.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use protocol::{Failure, LaneAnswer};

use crate::catalog::{Lane, Timer};
use crate::{Catalog, Clock, Refusal};

/// A call that has taken this long leaves what is still due to the next one, in milliseconds.
const MOST_MS: u64 = 10_000;

/// So does one that has asked this often what is due: what was done may have set new timers.
const MOST_ROUNDS: u32 = 16;

/// The code of a refusal by a call that has had its time: the next one goes on from where it has come to. That is no failure:
/// a large file takes several calls.
pub const UNFINISHED: &str = "FileUnfinished";

/// Attends to what is due in a lane, so many timers at a time, and has the record files written of the recordings that
/// are to be looked at for them.
///
/// What hangs on one bucket keeps what was begun with it waiting and nothing else, since other calls leave alone what this
/// one has in hand and take the rest.
///
/// # Errors
/// The catalog failed.
pub async fn attend<W: Catalog + Clock>(
    world: &W,
    lane: Lane,
    at_once: usize,
    write_files: impl AsyncFn(&W, &str) -> Result<(), Refusal>,
) -> Result<LaneAnswer, Refusal> {
    let began_ms = world.now_ms();
    let is_over = || world.now_ms() > began_ms + MOST_MS;
    let mut answer = LaneAnswer::default();
    for _ in 0..MOST_ROUNDS {
        let before = answer.due;
        let listed_ms = world.now_ms();
        for batch in world.list_due(lane, listed_ms).await?.chunks(at_once) {
            if is_over() {
                return Ok(answer);
            }
            // What is due stays due, though the clock may step back.
            let attended = attend_all(world, batch, world.now_ms().max(listed_ms), &write_files).await;
            answer.due += attended.due;
            answer.done += attended.due - attended.unfinished - attended.failures.len() as u32;
            for failure in attended.failures {
                eprintln!("{}: {}; tried again in {} s", failure.what, failure.reason, failure.retry_in_s);
                answer.failures.push(failure);
            }
        }
        // Nothing is due, or other calls have it in hand.
        if answer.due == before {
            break;
        }
    }
    Ok(answer)
}

/// What came of timers.
struct Attended {
    /// How many no other call had in hand.
    due: u32,
    /// How many of them come back soon, since there is more to do.
    unfinished: u32,
    failures: Vec<Failure>,
}

/// Attends to timers that no other call has in hand, then writes the record files that are whole since.
///
/// What waits for one bucket is settled by itself.
async fn attend_all<W: Catalog + Clock>(
    world: &W,
    due: &[Timer],
    now_ms: u64,
    write_files: &impl AsyncFn(&W, &str) -> Result<(), Refusal>,
) -> Attended {
    let attended = join_all(due.iter().map(|timer| world.attend(timer.clone(), now_ms))).await;
    let (mut over, mut failed) = (Vec::new(), Vec::new());
    // Timers by the recordings that are to be looked at for them. A recording that is among several lists may be
    // looked at twice at once, which is harmless.
    let mut writing: BTreeMap<Vec<String>, Vec<Timer>> = BTreeMap::new();
    let mut taken = 0;
    for (timer, attended) in due.iter().cloned().zip(attended) {
        match attended {
            Ok(None) => continue,
            Ok(Some(recordings)) if recordings.is_empty() => over.push(timer),
            Ok(Some(recordings)) => writing.entry(recordings).or_default().push(timer),
            Err(error) => failed.push((timer, Refusal::from(error).problem.message)),
        }
        taken += 1;
    }
    let failures = settle(world, over, failed).await;
    let written = writing.into_iter().map(async |(recordings, timers)| {
        let mut outcome = Ok(());
        for recording in &recordings {
            outcome = outcome.and(write_files(world, recording).await);
        }
        match outcome {
            Ok(()) => (0, settle(world, timers, Vec::new()).await),
            // What has come further is gone on with soon.
            Err(refusal) if refusal.problem.code == UNFINISHED => {
                eprintln!("{}", refusal.problem.message);
                put_off(world, timers).await
            }
            Err(refusal) => {
                let reason = refusal.problem.message;
                let failed = timers.into_iter().map(|timer| (timer, reason.clone())).collect();
                (0, settle(world, Vec::new(), failed).await)
            }
        }
    });
    let mut attended = Attended { due: taken, unfinished: 0, failures };
    for (unfinished, failures) in join_all(written).await {
        attended.unfinished += unfinished;
        attended.failures.extend(failures);
    }
    attended
}

/// Has timers come back as soon as if they had come for the first time; answers how many do, and what failed.
async fn put_off(world: &(impl Catalog + Clock), timers: Vec<Timer>) -> (u32, Vec<Failure>) {
    let again: Vec<_> = timers.into_iter().map(|timer| Timer { tries: 0, ..timer }).collect();
    match world.settle(Vec::new(), again.clone(), Vec::new(), world.now_ms()).await {
        Ok(_) => (again.len() as u32, Vec::new()),
        Err(error) => (0, unsettled(again, error)),
    }
}

/// Forgets timers that were attended to, and has those that failed come back later; answers what failed.
async fn settle(
    world: &(impl Catalog + Clock),
    attended: Vec<Timer>,
    failed: Vec<(Timer, String)>,
) -> Vec<Failure> {
    if attended.is_empty() && failed.is_empty() {
        return Vec::new();
    }
    let retried = failed.iter().map(|(timer, _)| timer.clone()).collect();
    match world.settle(attended.clone(), retried, Vec::new(), world.now_ms()).await {
        Ok(retries) => {
            let failed = failed.into_iter().zip(retries);
            failed.map(|((timer, reason), retry_in_s)| failure(timer, reason, retry_in_s)).collect()
        }
        Err(error) => {
            unsettled(attended.into_iter().chain(failed.into_iter().map(|(timer, _)| timer)), error)
        }
    }
}

fn failure(timer: Timer, reason: String, retry_in_s: u64) -> Failure {
    Failure { what: timer.what, reason, retry_in_s }
}

/// Timers that could not be settled: they stay as they are, and are due again once this call's lease is over.
fn unsettled(timers: impl IntoIterator<Item = Timer>, error: impl Into<Refusal>) -> Vec<Failure> {
    let reason = error.into().problem.message;
    timers.into_iter().map(|timer| failure(timer, reason.clone(), 0)).collect()
}
