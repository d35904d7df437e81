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

/// What is not begun by then is left to another call. Unit: ms.
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
    let looked: Vec<_> = stream::iter(by_recording(timers).into_iter().map(|timers| look(world, timers)))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut answer = LaneAnswer::default();
    let mut by_receiver: BTreeMap<Option<String>, Vec<Due>> = BTreeMap::new();
    for looked in looked {
        match looked {
            Looked::InHand => {}
            Looked::Due(due) => {
                let url = due.config.as_ref().and_then(|config| config.notify_url.clone());
                by_receiver.entry(url).or_default().push(due);
            }
            Looked::Failed(due, reason) => {
                let number = tell::number(&due.timer);
                let untold = tell::Untold { number, reason, is_tried: !is_of_event(&due.timer) };
                count(&mut answer, settle(world, due, Err(untold)).await);
            }
            Looked::NotTaken(what, reason) => count(&mut answer, Err(fail(what, reason, 0))),
        }
    }
    let mut receivers: Vec<_> = by_receiver.into_values().collect();
    // Those that took nothing before come after those that may.
    receivers.sort_by_key(|recordings| recordings.iter().map(Due::waits).min());
    let told = receivers.into_iter().map(|recordings| tell_all(world, recordings, private, began_ms));
    let told: Vec<_> = stream::iter(told).buffer_unordered(AT_ONCE).collect().await;
    told.into_iter().flatten().for_each(|settled| count(&mut answer, settled));
    Ok(answer)
}

/// The timers of events of one recording and kind together, by their numbers: the first one leads to the others. Other
/// timers are each by itself.
fn by_recording(timers: Vec<Timer>) -> Vec<Vec<Timer>> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut all: Vec<Vec<Timer>> = Vec::new();
    for timer in timers {
        let place = match timer.what.rsplit_once(' ') {
            Some((recording, _)) if is_of_event(&timer) => {
                *places.entry(recording.into()).or_insert(all.len())
            }
            _ => all.len(),
        };
        match all.get_mut(place) {
            Some(together) => together.push(timer),
            None => all.push(vec![timer]),
        }
    }
    all.iter_mut().for_each(|together| together.sort_by_key(tell::number));
    all
}

fn is_of_event(timer: &Timer) -> bool {
    timer.what.starts_with("w ")
}

/// What timers of one recording and kind lead to.
enum Looked {
    Due(Due),
    /// Another call has it in hand.
    InHand,
    /// This call has it in hand, and cannot say what is to be told.
    Failed(Due, String),
    /// Whether another call has it in hand is not known.
    NotTaken(String, String),
}

/// What timers of one recording and kind lead to. What was told is read once nobody else can tell it any more.
async fn look(world: &impl World, timers: Vec<Timer>) -> Looked {
    let mut timers = timers.into_iter();
    let Some(timer) = timers.next() else { return Looked::InHand };
    let mut due = Due { timer: timer.clone(), behind: timers.collect(), events: Vec::new(), config: None };
    match world.attend(timer.clone(), world.now_ms()).await {
        Ok(None) => return Looked::InHand,
        // Nothing is to be told.
        Ok(Some(recordings)) if recordings.is_empty() => return Looked::Due(due),
        Ok(Some(_)) => {}
        Err(error) => {
            let reason = Refusal::from(error).problem.message;
            let is_of_event = is_of_event(&timer);
            return if is_of_event {
                Looked::NotTaken(timer.what, reason)
            } else {
                Looked::Failed(due, reason)
            };
        }
    }
    let mut find = async || -> Result<(), Refusal> {
        due.events = world.list_events(timer.clone(), world.now_ms()).await?;
        if let Some(event) = due.events.first() {
            due.config = world.get_notify(&event.stream.domain).await?;
        }
        Ok(())
    };
    match find().await {
        Ok(()) => Looked::Due(due),
        Err(refusal) => Looked::Failed(due, refusal.problem.message),
    }
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
        if world.now_ms() < until_ms {
            let outcome = tell::tell(world, &due, private, &breaker, until_ms).await;
            return Some(settle(world, due, outcome).await);
        }
        if let Err(error) = world.release(due.timer).await {
            eprintln!("{}", Refusal::from(error).problem.message);
        }
        None
    });
    stream::iter(told).buffer_unordered(AT_ONCE_EACH).filter_map(std::future::ready).collect().await
}

/// The timer of another event of the same recording and kind; the catalog knows how often that was tried.
fn of_event(timer: &Timer, number: u32) -> Timer {
    let what = timer.what.rsplit_once(' ').map_or("", |(lead, _)| lead);
    Timer { what: format!("{what} {number}"), tries: 0, entries: Vec::new(), ..timer.clone() }
}

/// Forgets the timers of what was told, and lets other calls have those behind it. What has to be told again comes back
/// later.
async fn settle(
    world: &impl World,
    due: Due,
    outcome: Result<Option<u32>, tell::Untold>,
) -> Result<(), Failure> {
    let Due { timer, behind, .. } = due;
    let up_to = |last: u32| behind.into_iter().filter(move |behind| tell::number(behind) <= last);
    let (mut attended, mut failed, mut untried) = (vec![timer.clone()], Vec::new(), Vec::new());
    let (mut what, mut reason) = (timer.what.clone(), None);
    match outcome {
        Ok(last) => attended.extend(last.map(up_to).into_iter().flatten()),
        Err(untold) => {
            let comes_back = if untold.number == tell::number(&timer) {
                attended.clear();
                timer
            } else {
                // Those before it were taken, and it has a timer of this call's.
                attended.extend(up_to(untold.number));
                of_event(&timer, untold.number)
            };
            what.clone_from(&comes_back.what);
            reason = Some(untold.reason);
            if untold.is_tried { &mut failed } else { &mut untried }.push(comes_back);
        }
    }
    match (reason, world.settle(attended, failed, untried, world.now_ms()).await) {
        (None, Ok(_)) => Ok(()),
        (Some(reason), Ok(waits)) => Err(fail(what, reason, waits.first().copied().unwrap_or_default())),
        // The timer stays as it is, and is due again once this call's claim is over.
        (reason, Err(error)) => {
            let reason = reason.unwrap_or_else(|| Refusal::from(error).problem.message);
            Err(fail(what, reason, 0))
        }
    }
}

fn fail(what: String, reason: String, retry_in_s: u64) -> Failure {
    eprintln!("{what}: {reason}; told again in {retry_in_s} s");
    Failure { what, reason, retry_in_s }
}

fn count(answer: &mut LaneAnswer, settled: Result<(), Failure>) {
    answer.due += 1;
    match settled {
        Ok(()) => answer.done += 1,
        Err(failure) => answer.failures.push(failure),
    }
}
