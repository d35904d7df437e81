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

/// So does one that has asked this often.
const MOST_ROUNDS: u32 = 64;

/// Attends to what is due, some at a time: what hangs on one bucket keeps what was begun with it waiting and nothing
/// else, since other ticks leave alone what this one has in hand and take the rest.
async fn tick(world: &impl World) -> Result<LaneAnswer, Refusal> {
    probe::work_bucket(world).await?;
    let began_ms = world.now_ms();
    let mut answer = LaneAnswer::default();
    for _ in 0..MOST_ROUNDS {
        if world.now_ms() > began_ms + MOST_MS {
            break;
        }
        let due = world.list_due(world.now_ms()).await?;
        if due.is_empty() {
            break;
        }
        answer.due += due.len() as u32;
        for outcome in attend_all(world, due).await {
            match outcome {
                Ok(()) => answer.done += 1,
                Err(failure) => {
                    eprintln!(
                        "{}: {}; tried again in {} s",
                        failure.what, failure.reason, failure.retry_in_s
                    );
                    answer.failures.push(failure);
                }
            }
        }
    }
    Ok(answer)
}

/// Attends to timers, then writes the record files that are whole since, each recording's one after the other.
///
/// Settling reads what else is due, so it is done for many timers at once; but what waits for one bucket is settled by
/// itself.
async fn attend_all(world: &impl World, due: Vec<Timer>) -> Vec<Result<(), Failure>> {
    let now_ms = world.now_ms();
    let attended = join_all(due.iter().map(|timer| world.attend(timer.clone(), now_ms))).await;
    let mut over = Vec::new();
    // Timers by the recording that is to be looked at; those that have several by all of them.
    let mut writing: BTreeMap<Vec<String>, Vec<Timer>> = BTreeMap::new();
    for (timer, attended) in due.into_iter().zip(attended) {
        match attended {
            Ok(recordings) if recordings.is_empty() => over.push((timer, Ok(()))),
            Ok(recordings) => writing.entry(recordings).or_default().push(timer),
            Err(error) => over.push((timer, Err(Refusal::from(error).problem.message))),
        }
    }
    let mut outcomes = settle(world, over).await;
    let written = writing.into_iter().map(async |(recordings, timers)| {
        let mut outcome = Ok(());
        for recording in &recordings {
            let written = write_files(world, recording).await.map_err(|refusal| refusal.problem.message);
            outcome = outcome.and(written);
        }
        settle(world, timers.into_iter().map(|timer| (timer, outcome.clone())).collect()).await
    });
    outcomes.extend(join_all(written).await.into_iter().flatten());
    outcomes
}

/// Forgets timers; those that failed come back later.
async fn settle(world: &impl World, outcomes: Vec<(Timer, Result<(), String>)>) -> Vec<Result<(), Failure>> {
    if outcomes.is_empty() {
        return Vec::new();
    }
    let (failed, attended): (Vec<_>, Vec<_>) =
        outcomes.into_iter().partition(|(_, outcome)| outcome.is_err());
    let timers = |outcomes: &[(Timer, Result<(), String>)]| {
        outcomes.iter().map(|(timer, _)| timer.clone()).collect::<Vec<_>>()
    };
    let settled = world.settle(timers(&attended), timers(&failed), world.now_ms()).await;
    let failure =
        |what: &Timer, reason, retry_in_s| Failure { what: what.target.clone(), reason, retry_in_s };
    match settled {
        Ok(retries) => {
            let retries = retries.into_iter().chain(std::iter::repeat(0));
            let failures = failed.iter().zip(retries).map(|((timer, outcome), retry_in_s)| {
                Err(failure(timer, outcome.clone().err().unwrap_or_default(), retry_in_s))
            });
            attended.iter().map(|_| Ok(())).chain(failures).collect()
        }
        // The timers stay as they are, and are due again once this call's lease is over.
        Err(error) => {
            let reason = Refusal::from(error).problem.message;
            let all = attended.iter().chain(&failed);
            all.map(|(timer, _)| Err(failure(timer, reason.clone(), 0))).collect()
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
