//! The status of a recording, as users' servers are told it: it has begun, it is paused, it goes on.
//!
//! It begins with its first slice. It is paused once the push that was recorded has ended, or an order has stopped it,
//! and goes on with the next slice after that. So what is told follows from how often it has changed, whoever looks and
//! however often: [started](Status::Started), [paused](Status::Paused), [resumed](Status::Resumed), paused, …
//!
//! Only a session whose server asked for it when it began has its recording looked at.

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::decision::WorkBucket;
use crate::error::Error;
use crate::event::{self, Fact, Status};
use crate::order::Order;
use crate::session::{self, Session};
use crate::{command, committed, key, timer};

/// So many sessions of a chain are walked in one look; the next one goes on.
const WALK: u32 = 64;

/// What is told after so many changes.
fn status(changes: u32) -> Status {
    match changes {
        0 => Status::Started,
        odd if !odd.is_multiple_of(2) => Status::Paused,
        _ => Status::Resumed,
    }
}

/// How far a recording's status was told. A look that stalls past its lease may set it back: what is told already is then
/// passed over once more, and as many changes after it with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    /// How often it has changed.
    changes: u32,
    /// The session whose slices were seen last.
    session: String,
    /// The number of the order that had stopped it before; 0 if none had.
    stopped: u32,
}

impl Record for Told {
    const VERSION: u32 = 1;
}

impl Told {
    fn is_recording(&self) -> bool {
        !self.changes.is_multiple_of(2)
    }

    /// Whether slices after the last stop, in a session, are other ones than those that were seen.
    fn is_before(&self, session: &str, stopped: u32) -> bool {
        self.changes == 0 || self.session != session || self.stopped < stopped
    }
}

/// Looks at a session's recording, and has its server told of what has changed.
///
/// # Errors
/// The store or the work bucket failed; the look can be made again.
pub(crate) async fn look(
    store: &impl Store,
    bucket: &impl WorkBucket,
    id: &str,
    now_ms: u64,
) -> Result<(), Error> {
    let Some(asked) = session::find(store, id).await?.filter(|session| session.tells_status) else {
        return Ok(());
    };
    let Some(adopted) = session::adopted(store, id).await? else { return Ok(()) };
    let recording = &adopted.recording;
    let before: Option<Told> = read(store, &key::told(recording)).await?;
    let mut told =
        before.clone().unwrap_or_else(|| Told { changes: 0, session: recording.clone(), stopped: 0 });
    // A session that is over was told of.
    let is_there = session::find(store, &told.session).await?.is_some();
    let mut at = Some(if is_there { told.session.clone() } else { id.to_owned() });
    for _ in 0..WALK {
        let Some(session) = at else { break };
        let Some(session) = session::find(store, &session).await? else { break };
        let orders = command::orders(store, bucket, &session).await?;
        if let Some(stopped) = seen(store, &session, &orders).await?
            && told.is_before(&session.id, stopped)
        {
            let changes = if told.is_recording() { 2 } else { 1 };
            tell(store, &asked, recording, told.changes..told.changes + changes, now_ms).await?;
            told = Told { changes: told.changes + changes, session: session.id.clone(), stopped };
        }
        if told.session == session.id && told.is_recording() {
            let stop = last_stop(&orders, u32::MAX, now_ms);
            if session::ended(store, &session.id).await?.is_some() || stop > told.stopped {
                tell(store, &asked, recording, told.changes..told.changes + 1, now_ms).await?;
                told.changes += 1;
            } else if let Some(next) = next_stop(&orders, now_ms) {
                timer::set(store, next.at_ms, &format!("u {id}")).await?;
            }
        }
        at = session::continued(store, &session.id).await?;
    }
    if before.as_ref() == Some(&told) || told.changes == 0 {
        return Ok(());
    }
    Ok(write(store, &key::told(recording), &told).await?)
}

/// The number of the order that had stopped a session before its last slices; `None` while it has no slice.
async fn seen(store: &impl Store, session: &Session, orders: &[Order]) -> Result<Option<u32>, Error> {
    let Some((_, last)) = committed::last(store, &session.id).await? else { return Ok(None) };
    let has_slices = last.anchor_ms.is_some();
    Ok(has_slices.then(|| last_stop(orders, last.generation.orders, u64::MAX)))
}

/// The number of the last order up to one that stopped a session before a moment; 0 if none did.
fn last_stop(orders: &[Order], up_to: u32, until_ms: u64) -> u32 {
    let number = |order: &&Order| order.generation.orders;
    let is_void =
        |stop: &&Order| orders.iter().any(|later| number(&later) > number(stop) && later.at_ms < stop.at_ms);
    let stops = orders.iter().filter(|order| !order.record && number(order) <= up_to);
    stops
        .filter(|stop| stop.at_ms <= until_ms && !is_void(stop))
        .map(|stop| stop.generation.orders)
        .max()
        .unwrap_or(0)
}

/// The next stop that is still to come.
fn next_stop(orders: &[Order], now_ms: u64) -> Option<&Order> {
    orders.iter().filter(|order| !order.record && order.at_ms > now_ms).min_by_key(|order| order.at_ms)
}

async fn tell(
    store: &impl Store,
    session: &Session,
    recording: &str,
    numbers: std::ops::Range<u32>,
    now_ms: u64,
) -> Result<(), Error> {
    for number in numbers {
        event::note(store, session, recording, number, Fact::Status(status(number)), now_ms).await?;
    }
    Ok(())
}
