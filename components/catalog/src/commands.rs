//! What RealTimeRecordCommand says about a stream that is being pushed.

use serde::{Deserialize, Serialize};
use store::Store;

use crate::record::{Error, count, counted, read, write};
use crate::sessions::{self, Change, End};
use crate::types::{Command, Session, StreamName};
use crate::{key, log, timers};

/// How long a record file stays open after an order to close it, in milliseconds: time for the gateway to hear
/// of it, which its heartbeats bound by 2 s, and to send what it had recorded until then.
pub const CLOSING_MS: u64 = 5_000;

/// Most places at which a session's record file can be waiting to be cut.
const MOST_CUTS: usize = 64;

/// What commands have said of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    /// Whether it is to be recorded.
    pub record: bool,
    /// Since when, Unix milliseconds.
    pub at_ms: u64,
    /// Not to be recorded, and its record file not to be waited for.
    pub close: bool,
    /// It was to be recorded before: there is something to close or to start anew.
    pub started: bool,
    /// Slices before which a record file ends.
    pub cuts: Vec<u64>,
}

/// The session of a stream that is being pushed: the last that began, unless it has ended.
pub async fn live_session(store: &impl Store, stream: &StreamName) -> Result<Option<Session>, Error> {
    let last = sessions::count(store, stream).await?;
    for number in (1..=last).rev() {
        // A number without a session is one that is beginning, or never will.
        if let Some(session) = sessions::numbered(store, stream, number).await? {
            let ended = store.exists(&key::end(&session.id)).await?;
            return Ok((!ended).then_some(session));
        }
    }
    Ok(None)
}

/// What is to be recorded of a session: by its rule, or by the last command.
pub async fn orders(store: &impl Store, session: &Session) -> Result<Orders, Error> {
    let said = read(store, &key::orders(&session.id)).await?;
    let by_rule = Orders {
        record: session.record,
        started: session.record,
        at_ms: session.began_ms,
        ..Orders::default()
    };
    Ok(said.unwrap_or(by_rule))
}

/// Carries a command out.
pub async fn give(store: &impl Store, stream: &StreamName, what: Command, now_ms: u64) -> Result<(), Error> {
    let session = live_session(store, stream).await?.ok_or(Error::NoSuchStream)?;
    if session.rule.is_none() {
        return Err(Error::NoRule);
    }
    let mut orders = orders(store, &session).await?;
    let recording = orders.record;
    match what {
        Command::Start if recording => return Err(Error::AlreadyRecording),
        Command::Stop if !recording => return Err(Error::NotRecording),
        Command::CancelDelay if recording || !orders.started => return Err(Error::NotRecording),
        Command::Restart if !orders.started => return Err(Error::NotRecording),
        Command::CancelDelay => orders.close = true,
        Command::Start | Command::Stop => {
            orders =
                Orders { record: !recording, at_ms: now_ms, close: false, started: true, cuts: orders.cuts };
        }
        Command::Restart => {
            // The slice that is being recorded is still the old file's.
            let length = log::length(store, &session.id).await?;
            orders.cuts.push(if recording { length + 1 } else { length });
            let surplus = orders.cuts.len().saturating_sub(MOST_CUTS);
            orders.cuts.drain(..surplus);
            orders = Orders { record: true, at_ms: now_ms, close: false, started: true, cuts: orders.cuts };
        }
    }
    // The gateway's word first: a command that breaks off after it can be given again.
    if orders.record != recording {
        announce(store, &session, orders.record, now_ms).await?;
    }
    write(store, &key::orders(&session.id), &orders).await?;
    timers::set_due(store, stream, now_ms + CLOSING_MS).await
}

/// Leaves word for the session's gateway, which asks at each heartbeat.
async fn announce(store: &impl Store, session: &Session, record: bool, at_ms: u64) -> Result<(), Error> {
    // A gateway without a name sends no heartbeats.
    let Some(gateway) = &session.gateway else { return Ok(()) };
    let number = counted(store, &key::changes(gateway), 1).await?;
    let change = Change { session: session.id.clone(), record, at_ms };
    write(store, &key::change(gateway, number), &change).await
}

/// The sessions of a domain that are being pushed, oldest first.
///
/// The hint moves up as the oldest ones end, so that this costs what has begun since the oldest live one.
pub async fn live_sessions(store: &impl Store, domain: &str) -> Result<Vec<Session>, Error> {
    let last = count(store, &key::domain_sessions(domain)).await?;
    if last == 0 {
        return Ok(Vec::new());
    }
    let hint = key::domain_live(domain);
    let first: u64 = read(store, &hint).await?.unwrap_or(1);
    let (mut live, mut all_ended) = (Vec::new(), true);
    for number in first..=last {
        let Some(id) = store.get(&key::domain_session(domain, number)).await? else {
            all_ended = false;
            continue;
        };
        let id = String::from_utf8_lossy(&id);
        let ended = read::<End>(store, &key::end(&id)).await?.is_some();
        all_ended &= ended;
        if all_ended {
            write(store, &hint, &(number + 1)).await?;
        } else if !ended && let Some(found) = sessions::find(store, &id).await? {
            live.push(found.session);
        }
    }
    Ok(live)
}
