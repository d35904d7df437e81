//! Which events wait, and which were told.

use serde::{Deserialize, Serialize};
use store::record::write;
use store::{Record, Store};

use super::{At, Event, get};
use crate::error::Error;
use crate::time::{CALL_MAX_MS, DAY_MS};
use crate::timer;

/// For how long it is known that an event was told.
const KEPT_MS: u64 = 3 * DAY_MS;

/// For how long it is known that nobody wanted one: whoever has not seen that is over.
const UNWANTED_MS: u64 = 2 * CALL_MAX_MS;

/// So many events are handed out at a time.
const MOST: usize = 16;

/// So many numbers are looked at for them.
const WALK: u32 = 64;

/// An event was told, or given up, or nobody wanted it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Done {}

impl Record for Done {
    const VERSION: u32 = 1;
}

/// The events that wait, from one on; none while the one before it waits, whose own timer comes to them.
///
/// # Errors
/// The store failed.
pub async fn waiting(store: &impl Store, from: At<'_>, now_ms: u64) -> Result<Vec<Event>, Error> {
    if let Some(before) = from.number.checked_sub(1)
        && is_waiting(store, At { number: before, ..from }).await?
    {
        return Ok(Vec::new());
    }
    let mut events = Vec::new();
    for number in from.number..from.number.saturating_add(WALK) {
        let at = At { number, ..from };
        let Some(event) = get(store, at).await? else { return Ok(events) };
        if !store.exists(&at.done()).await? {
            if event.is_put_off(now_ms) {
                // It comes back by a timer of its own, which may be the one that led here: clocks step back.
                if number == from.number {
                    timer::set(store, event.again_ms, &at.timer("w")).await?;
                }
                return Ok(events);
            }
            events.push(event);
        }
        if events.len() >= MOST {
            return Ok(events);
        }
    }
    if events.is_empty() {
        let next = At { number: from.number.saturating_add(WALK), ..from };
        timer::set(store, now_ms, &next.timer("w")).await?;
    }
    Ok(events)
}

/// An event that is neither told nor given up.
pub(crate) async fn untold(store: &impl Store, at: At<'_>) -> Result<Option<Event>, Error> {
    let event = get(store, at).await?;
    Ok(if event.is_some() && !store.exists(&at.done()).await? { event } else { None })
}

/// Notes that an event was tried so often in vain, and is told again from a moment on, for which a timer is set. To be
/// called by whoever has it in hand.
pub(crate) async fn put_off(
    store: &impl Store,
    event: Event,
    tries: u32,
    again_ms: u64,
) -> Result<(), Error> {
    let event = Event { tries, again_ms, ..event };
    Ok(write(store, &event.at().event(), &event).await?)
}

/// Whether there is an event that is neither told nor given up.
pub(super) async fn is_waiting(store: &impl Store, at: At<'_>) -> Result<bool, Error> {
    Ok(store.exists(&at.event()).await? && !store.exists(&at.done()).await?)
}

/// Has the event after another one looked at, if it waits.
async fn lead_on(store: &impl Store, at: At<'_>, now_ms: u64) -> Result<(), Error> {
    let next = At { number: at.number.saturating_add(1), ..at };
    if !is_waiting(store, next).await? {
        return Ok(());
    }
    timer::set(store, now_ms, &next.timer("w")).await
}

/// Notes that an event was told or given up, or else that nobody wants it. Unless its caller goes on with the one after
/// it, that is looked at.
///
/// # Errors
/// The store failed; the event may be told again.
pub async fn done(
    store: &impl Store,
    at: At<'_>,
    is_wanted: bool,
    goes_on: bool,
    now_ms: u64,
) -> Result<(), Error> {
    let kept_ms = if is_wanted { KEPT_MS } else { UNWANTED_MS };
    timer::set(store, now_ms + kept_ms, &at.timer("y")).await?;
    write(store, &at.done(), &Done {}).await?;
    if goes_on { Ok(()) } else { lead_on(store, at, now_ms).await }
}

/// Forgets an event that was told, or that nobody wanted. The one after it may be known by this one alone: a call that was
/// to go on with it may have died.
pub(crate) async fn forget(store: &impl Store, at: At<'_>, now_ms: u64) -> Result<(), Error> {
    lead_on(store, at, now_ms).await?;
    store.delete(&at.event()).await?;
    Ok(store.delete(&at.done()).await?)
}
