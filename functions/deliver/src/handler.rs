//! From the request to the answer.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use http::Request;
use protocol::{Deliver, Failure, LaneAnswer, Route};
use shared::catalog::{Lane, Timer};
use shared::{Answer, Refusal, answer_to, authorize, private_callbacks};

use crate::tell::{self, Due};
use crate::world::World;

/// So many timers are looked at, and so many receivers spoken to, at once.
const AT_ONCE: usize = 64;

/// So many recordings of one receiver are told of at once.
const AT_ONCE_EACH: usize = 8;

/// What is not begun by then is left to another call: this one has its timers for itself for a minute. Unit: ms.
const MOST_MS: u64 = 25_000;

/// Answers a request.
pub async fn handle<B>(world: &impl World, request: Request<B>) -> Answer {
    serve(world, request).await.unwrap_or_else(Answer::from)
}

async fn serve<B>(world: &impl World, request: Request<B>) -> Result<Answer, Refusal> {
    authorize(world, request.headers()).await?;
    match Route::parse(request.method(), request.uri().path())? {
        Route::Deliver => Ok(answer_to::<Deliver>(&deliver(world).await?)),
        other => Err(Refusal::no_such_route(&other)),
    }
}

/// Tells of what is due, each receiver by itself: one that hangs holds up no other one.
async fn deliver(world: &impl World) -> Result<LaneAnswer, Refusal> {
    let private = private_callbacks(world).await?;
    let began_ms = world.now_ms();
    let timers = world.list_due(Lane::Deliver, began_ms).await?;
    let looked: Vec<_> = stream::iter(timers.into_iter().map(|timer| look(world, timer)))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut answer = LaneAnswer::default();
    let mut by_receiver: BTreeMap<Option<String>, Vec<Due>> = BTreeMap::new();
    for (timer, looked) in looked {
        match looked {
            Ok(None) => {}
            Ok(Some(due)) => {
                let url = due.config.as_ref().and_then(|config| config.notify_url.clone());
                by_receiver.entry(url).or_default().push(due);
            }
            Err(reason) => {
                let untold = tell::Untold { number: tell::number(&timer), reason };
                count(&mut answer, settle(world, timer, Err(untold)).await);
            }
        }
    }
    let mut receivers: Vec<_> = by_receiver.into_values().collect();
    // Those that took nothing before come after those that may.
    receivers.sort_by_key(|recordings| recordings.iter().map(|due| due.timer.tries).min());
    let told = receivers.into_iter().map(|recordings| tell_all(world, recordings, private, began_ms));
    let told: Vec<_> = stream::iter(told).buffer_unordered(AT_ONCE).collect().await;
    told.into_iter().flatten().for_each(|settled| count(&mut answer, settled));
    Ok(answer)
}

/// What a timer leads to; `None` where another call has it in hand.
async fn look(world: &impl World, timer: Timer) -> (Timer, Result<Option<Due>, String>) {
    let look = async || -> Result<Option<Due>, Refusal> {
        let Some(recordings) = world.attend(timer.clone(), world.now_ms()).await? else { return Ok(None) };
        let events = if recordings.is_empty() {
            Vec::new()
        } else {
            world.list_events(timer.clone(), world.now_ms()).await?
        };
        let config = match events.first() {
            Some(event) => world.get_notify(&event.stream.domain).await?,
            None => None,
        };
        Ok(Some(Due { timer: timer.clone(), events, config }))
    };
    let looked = look().await.map_err(|refusal| refusal.problem.message);
    (timer, looked)
}

/// Tells one receiver of its recordings. What another recording waits for is settled as soon as it is told.
async fn tell_all(
    world: &impl World,
    recordings: Vec<Due>,
    private: callback::Private,
    began_ms: u64,
) -> Vec<Result<(), Failure>> {
    let breaker = tell::Breaker::default();
    let told = recordings.into_iter().map(async |due| {
        let until_ms = began_ms + MOST_MS;
        if world.now_ms() >= until_ms {
            return None;
        }
        let outcome = tell::tell(world, &due, private, &breaker, until_ms).await;
        Some(settle(world, due.timer, outcome).await)
    });
    stream::iter(told).buffer_unordered(AT_ONCE_EACH).filter_map(std::future::ready).collect().await
}

/// The timer of another event of the same recording and kind, which was tried for the first time.
fn of_event(timer: &Timer, number: u32) -> Timer {
    let what = timer.what.rsplit_once(' ').map_or("", |(lead, _)| lead);
    Timer { what: format!("{what} {number}"), tries: 0, entries: Vec::new(), ..timer.clone() }
}

/// Forgets a timer that was attended to. What has to be told again comes back later.
async fn settle(world: &impl World, timer: Timer, outcome: Result<(), tell::Untold>) -> Result<(), Failure> {
    let (attended, failed, reason) = match outcome {
        Ok(()) => (vec![timer.clone()], Vec::new(), None),
        Err(untold) if untold.number == tell::number(&timer) => {
            (Vec::new(), vec![timer.clone()], Some(untold.reason))
        }
        // Those before it were taken.
        Err(untold) => {
            let next = of_event(&timer, untold.number);
            (vec![timer.clone()], vec![next], Some(untold.reason))
        }
    };
    let what = failed.first().unwrap_or(&timer).what.clone();
    let settled = world.settle(attended, failed, world.now_ms()).await;
    let failure = match (reason, settled) {
        (None, Ok(_)) => return Ok(()),
        (Some(reason), Ok(waits)) => {
            Failure { what, reason, retry_in_s: waits.first().copied().unwrap_or_default() }
        }
        // The timer stays as it is, and is due again once this call's lease is over.
        (reason, Err(error)) => {
            let reason = reason.unwrap_or_else(|| Refusal::from(error).problem.message);
            Failure { what, reason, retry_in_s: 0 }
        }
    };
    eprintln!("{}: {}; told again in {} s", failure.what, failure.reason, failure.retry_in_s);
    Err(failure)
}

fn count(answer: &mut LaneAnswer, settled: Result<(), Failure>) {
    answer.due += 1;
    match settled {
        Ok(()) => answer.done += 1,
        Err(failure) => answer.failures.push(failure),
    }
}
