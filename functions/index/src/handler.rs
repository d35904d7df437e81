//! From the request to the answer.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use http::Request;
use protocol::{Failure, LaneAnswer, Route, Tick};
use shared::catalog::{Container, Timer};
use shared::{Answer, Refusal, answer_to, authorize};

use crate::world::World;
use crate::{close, probe};

/// Answers a request.
pub async fn handle<B>(world: &impl World, request: Request<B>) -> Answer {
    serve(world, request).await.unwrap_or_else(Answer::from)
}

async fn serve<B>(world: &impl World, request: Request<B>) -> Result<Answer, Refusal> {
    authorize(world, request.headers()).await?;
    match Route::parse(request.method(), request.uri().path())? {
        Route::Tick => Ok(answer_to::<Tick>(&tick(world).await?)),
        other => Err(Refusal::no_such_route(&other)),
    }
}

/// A tick that has taken this long leaves what is still due to the next one, in milliseconds.
const MOST_MS: u64 = 10_000;

/// So does one that has asked this often what is due: what was done may have set new timers.
const MOST_ROUNDS: u32 = 16;

/// So many timers are attended to at once: a host limits what one call may have open.
const AT_ONCE: usize = 16;

/// Attends to what is due, some at a time: what hangs on one bucket keeps what was begun with it waiting and nothing
/// else, since other ticks leave alone what this one has in hand and take the rest.
async fn tick(world: &impl World) -> Result<LaneAnswer, Refusal> {
    probe::work_bucket(world).await?;
    let began_ms = world.now_ms();
    let is_over = || world.now_ms() > began_ms + MOST_MS;
    let mut answer = LaneAnswer::default();
    for _ in 0..MOST_ROUNDS {
        let before = answer.due;
        let listed_ms = world.now_ms();
        for batch in world.list_due(listed_ms).await?.chunks(AT_ONCE) {
            if is_over() {
                return Ok(answer);
            }
            // What is due stays due, though the clock may step back.
            let (due, failures) = attend_all(world, batch, world.now_ms().max(listed_ms)).await;
            answer.due += due;
            answer.done += due - failures.len() as u32;
            for failure in failures {
                eprintln!("{}: {}; tried again in {} s", failure.what, failure.reason, failure.retry_in_s);
                answer.failures.push(failure);
            }
        }
        // Nothing is due, or other ticks have it in hand.
        if answer.due == before {
            break;
        }
    }
    Ok(answer)
}

/// Attends to timers that no other tick has in hand, then writes the record files that are whole since; answers how many
/// timers that were, and what failed.
///
/// What waits for one bucket is settled by itself.
async fn attend_all(world: &impl World, due: &[Timer], now_ms: u64) -> (u32, Vec<Failure>) {
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
    let mut failures = settle(world, over, failed).await;
    let written = writing.into_iter().map(async |(recordings, timers)| {
        let mut outcome = Ok(());
        for recording in &recordings {
            outcome = outcome.and(write_files(world, recording).await);
        }
        match outcome {
            Ok(()) => settle(world, timers, Vec::new()).await,
            Err(refusal) => {
                let reason = refusal.problem.message;
                let failed = timers.into_iter().map(|timer| (timer, reason.clone())).collect();
                settle(world, Vec::new(), failed).await
            }
        }
    });
    failures.extend(join_all(written).await.into_iter().flatten());
    (taken, failures)
}

/// Forgets timers that were attended to, and has those that failed come back later; answers what failed.
async fn settle(world: &impl World, attended: Vec<Timer>, failed: Vec<(Timer, String)>) -> Vec<Failure> {
    if attended.is_empty() && failed.is_empty() {
        return Vec::new();
    }
    let failure = |timer: Timer, reason, retry_in_s| Failure { what: timer.what, reason, retry_in_s };
    let retried = failed.iter().map(|(timer, _)| timer.clone()).collect();
    match world.settle(attended.clone(), retried, world.now_ms()).await {
        Ok(retries) => {
            let failed = failed.into_iter().zip(retries);
            failed.map(|((timer, reason), retry_in_s)| failure(timer, reason, retry_in_s)).collect()
        }
        // The timers stay as they are, and are due again once this call's lease is over.
        Err(error) => {
            let reason = Refusal::from(error).problem.message;
            let all = attended.into_iter().chain(failed.into_iter().map(|(timer, _)| timer));
            all.map(|timer| failure(timer, reason.clone(), 0)).collect()
        }
    }
}

/// Writes the record files of a recording that are whole.
async fn write_files(world: &impl World, recording: &str) -> Result<(), Refusal> {
    while let Some(file) = world.next_file(recording, Container::M3u8).await? {
        close::close(world, file).await?;
    }
    Ok(())
}
