//! Commands: the orders of a session after those that it began with.
//!
//! The orders of a session are a log in the work bucket: the object `order/{session}/{number}` is created once
//! and holds what one command ordered. Two commands at once, or a command and the tick that closes a paused
//! session's files, thus come one after the other, and each one is judged by what stands before it.
//!
//! A command takes the place of the orders that have not taken effect: the end of a window that is still to come
//! is ordered anew behind it.

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::decision::{self, WorkBucket};
use crate::error::Error;
use crate::order::{self, Cause, Generation, Order};
use crate::session::{self, End, Session};
use crate::time::CALL_MAX_MS;
use crate::{committed, key};

/// Why a command cannot be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The stream is not being pushed.
    #[error("the stream is not being pushed")]
    NotPushed,
    /// No rule says where to record the stream to.
    #[error("no rule records the stream")]
    NoRule,
    /// `start` of what is being recorded.
    #[error("the stream is being recorded")]
    Recording,
    /// `stop` of what is not being recorded, or `restart` of what is neither being recorded nor was stopped.
    #[error("the stream is not being recorded")]
    NotRecording,
    /// `cancel_delay` where no stop is pending.
    #[error("the stream has not been stopped")]
    NotStopped,
}

/// One command: what it ordered, and by which call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    /// Names the call, so that a call whose reply was lost finds its own entry.
    call: String,
    /// In order of generation and of time.
    orders: Vec<Order>,
}

/// A hint at how many entries the log has.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Known {
    entries: u64,
}

impl Record for Known {
    const VERSION: u32 = 1;
}

/// All orders of a session, in order of generation. One is void if a later generation takes effect earlier.
///
/// # Errors
/// The store or the work bucket failed.
pub async fn orders(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
) -> Result<Vec<Order>, Error> {
    Ok(log(store, bucket, session).await?.0)
}

/// All orders, and how many entries the log has.
pub(crate) async fn log(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
) -> Result<(Vec<Order>, u64), Error> {
    let mut orders = session.initial_orders();
    let known: Option<Known> = read(store, &key::orders(&session.id)).await?;
    let mut number = 0;
    // The log is read past the hint, which an interrupted call leaves behind.
    while let Some(entry) = decision::find::<Entry>(bucket, &entry_name(&session.id, number)).await? {
        orders.extend(entry.orders);
        number += 1;
    }
    if number > known.map_or(0, |known| known.entries) {
        write(store, &key::orders(&session.id), &Known { entries: number }).await?;
    }
    Ok((orders, number))
}

/// The order that holds at a moment.
#[must_use]
pub fn effective(orders: &[Order], at_ms: u64) -> Option<&Order> {
    orders.iter().rev().find(|order| order.at_ms <= at_ms)
}

/// When the pause began in which a session ended, Unix milliseconds; `None` where it was not stopped then, or where chunks
/// are missing, which may be later than the order: its gateway may not have heard of it.
pub(crate) async fn paused_at(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
    end: &End,
) -> Result<Option<u64>, Error> {
    // Nobody hears of a command before this is written.
    if !store.exists(&key::orders(&session.id)).await?
        || committed::missing(store, &session.id, end).await?.is_some()
    {
        return Ok(None);
    }
    let orders = orders(store, bucket, session).await?;
    let stop = effective(&orders, end.ended_ms).filter(|order| order.cause == Cause::Stop);
    let Some(stop) = stop else { return Ok(None) };
    let last_media_ms = committed::last_media_ms(store, session).await?;
    Ok(Some(stop.at_ms.max(last_media_ms).min(end.ended_ms)))
}

/// When the pause of a session that is stopped has lasted for too long, Unix milliseconds.
pub(crate) async fn pause_over_at(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
    now_ms: u64,
) -> Result<Option<u64>, Error> {
    let orders = orders(store, bucket, session).await?;
    let stop = standing(&orders, now_ms).filter(|order| order.cause == Cause::Stop);
    Ok(stop.map(|stop| stop.at_ms + session.delay_ms()))
}

/// The order that stands: the last one, but for edges of a window that are still to come. The clock of the host that took
/// it may have been ahead.
fn standing(orders: &[Order], now_ms: u64) -> Option<&Order> {
    orders.iter().rev().find(|order| order.cause.holds_at_once() || order.at_ms <= now_ms)
}

/// Gives a command. `call` names the call, and is new for each.
///
/// # Errors
/// The store or the work bucket failed: the command may be given all the same, and asking again tells.
pub(crate) async fn give(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
    cause: Cause,
    call: &str,
    now_ms: u64,
) -> Result<Result<(), Refusal>, Error> {
    if session.rule.is_none() {
        return Ok(Err(Refusal::NoRule));
    }
    append(store, bucket, session, cause, call, now_ms, |before| judge(before, cause)).await
}

/// Closes the files of a session that was stopped for longer than its rule's delay; answers whether it did.
///
/// A `start` at the same time comes before it in the log, or after it.
pub(crate) async fn pause_over(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
    now_ms: u64,
) -> Result<bool, Error> {
    let is_over = |before: Option<&Order>| match before {
        Some(Order { cause: Cause::Stop, at_ms, .. }) if at_ms + session.delay_ms() <= now_ms => Ok(()),
        _ => Err(Refusal::NotStopped),
    };
    let call = format!("the pause is over at {now_ms}");
    let given = append(store, bucket, session, Cause::CancelDelay, &call, now_ms, is_over).await?;
    Ok(given.is_ok())
}

/// Puts a command into the log, unless it is refused by what stands before it there.
async fn append(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
    cause: Cause,
    call: &str,
    now_ms: u64,
    judge: impl Fn(Option<&Order>) -> Result<(), Refusal>,
) -> Result<Result<(), Refusal>, Error> {
    let (mut orders, mut number) = log(store, bucket, session).await?;
    loop {
        let at_ms = not_before(&orders, now_ms);
        if let Err(refusal) = judge(standing(&orders, at_ms)) {
            return Ok(Err(refusal));
        }
        let has_ended = match coming_end(&orders, at_ms) {
            Some(end) => store.exists(&key::confirmed(&session.id, end.generation.files)).await?,
            None => false,
        };
        let entry = Entry { call: call.into(), orders: plan(&orders, cause, at_ms, has_ended) };
        let decided = decision::decide(bucket, &entry_name(&session.id, number), &entry).await?;
        number += 1;
        write(store, &key::orders(&session.id), &Known { entries: number }).await?;
        if decided.call == call {
            return Ok(Ok(()));
        }
        orders.extend(decided.orders);
    }
}

/// Whether a command makes sense after an order.
fn judge(before: Option<&Order>, cause: Cause) -> Result<(), Refusal> {
    let is_recording = before.is_some_and(|order| order.record);
    let is_stopped = before.is_some_and(|order| order.cause == Cause::Stop);
    // Whether the pause is over makes no difference to who wants to go on.
    let was_stopped = is_stopped || before.is_some_and(|order| order.cause == Cause::CancelDelay);
    match cause {
        Cause::Start if is_recording => Err(Refusal::Recording),
        Cause::Stop if !is_recording => Err(Refusal::NotRecording),
        Cause::Restart if !is_recording && !was_stopped => Err(Refusal::NotRecording),
        Cause::CancelDelay if !is_stopped => Err(Refusal::NotStopped),
        _ => Ok(()),
    }
}

/// When a command takes effect: not before one that stands before it in the log. Its call may have stalled, and the
/// other command's gateway has been told.
fn not_before(orders: &[Order], now_ms: u64) -> u64 {
    let is_window = |order: &&Order| matches!(order.cause, Cause::WindowStart | Cause::WindowEnd);
    let last_ms = orders.iter().rev().find(|order| !is_window(order)).map_or(0, |order| order.at_ms);
    // More than that tells of a clock that is ahead.
    if last_ms <= now_ms + CALL_MAX_MS { now_ms.max(last_ms) } else { now_ms }
}

/// The end of a window that is still to come.
fn coming_end(orders: &[Order], at_ms: u64) -> Option<&Order> {
    orders.last().filter(|order| order.at_ms > at_ms && order.cause == Cause::WindowEnd)
}

/// A command's orders: its own, and the end of a window that is still to come. `has_ended`: the gateway has followed that
/// end, whatever this host's clock says.
///
/// Numbers of files never go back from what is known to have been followed: that closed a file, and what comes later must
/// be in another one. The end of a window that is to come is ordered anew under its number. Where its gateway has followed
/// it all the same, and that is not known here yet, the gateway keeps the number.
fn plan(orders: &[Order], cause: Cause, now_ms: u64, has_ended: bool) -> Vec<Order> {
    let last = orders.last().map(|order| order.generation.orders).unwrap_or(0);
    let is_to_come = |order: &Order| order.cause == Cause::WindowEnd && order.at_ms > now_ms && !has_ended;
    let followed = orders.iter().filter(|order| !is_to_come(order)).map(|order| order.generation.files);
    let files = followed.max().unwrap_or(0);
    let record = standing(orders, now_ms).is_some_and(|order| order.record);
    let base = Order { generation: Generation { orders: last, files }, cause, record, at_ms: now_ms };
    let own = order::next(Some(&base), cause, now_ms);
    let end = coming_end(orders, now_ms).map(|end| order::next(Some(&own), Cause::WindowEnd, end.at_ms));
    [own].into_iter().chain(end).collect()
}

pub(crate) fn entry_name(session: &str, number: u64) -> String {
    format!("order/{session}/{number}")
}

/// Whether an order closed the files of an ended session after a chunk of this generation.
pub(crate) async fn closes_after(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &str,
    end: &End,
    generation: Generation,
) -> Result<bool, Error> {
    let session = session::get(store, bucket, session).await?;
    let orders = orders(store, bucket, &session).await?;
    Ok(effective(&orders, end.ended_ms).is_some_and(|order| order.generation.files > generation.files))
}

#[cfg(test)]
mod tests;
