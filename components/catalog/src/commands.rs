//! Commands of RealTimeRecordCommand to a stream that is being pushed.

use serde::{Deserialize, Serialize};
use store::Store;

use crate::record::{Error, count, counted, read, write};
use crate::sessions::{self, Change, End};
use crate::types::{Command, Session, StreamName};
use crate::{key, log, timers};

/// How long a record file stays open after an order to close it, in milliseconds. The gateway learns of the order
/// within 2 s, by its heartbeats, and then sends what it recorded until then.
pub const CLOSING_MS: u64 = 5_000;

/// Most cuts that are kept for a session; the oldest are forgotten.
const MOST_CUTS: usize = 64;

/// The state that commands have put a session in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    /// Whether the session is to be recorded.
    pub record: bool,
    /// Time of the command that last changed `record`, Unix milliseconds.
    pub at_ms: u64,
    /// While not recorded: the open record file closes without waiting for the rule's delay.
    pub close: bool,
    /// The session has been recorded at some time, so that there is something to close or to restart.
    pub started: bool,
    /// Numbers of slices at or after which a record file ends.
    pub cuts: Vec<u64>,
}

/// The session of a stream that is being pushed: the last that began, unless it has ended.
pub async fn live_session(store: &impl Store, stream: &StreamName) -> Result<Option<Session>, Error> {
    let last = sessions::count(store, stream).await?;
    for number in (1..=last).rev() {
        // A number has no session while its begin call runs, or for good if that call broke off.
        if let Some(session) = sessions::numbered(store, stream, number).await? {
            let ended = store.exists(&key::end(&session.id)).await?;
            return Ok((!ended).then_some(session));
        }
    }
    Ok(None)
}

/// Whether a session is to be recorded: by its last command, or by its rule where there was none.
pub async fn orders(store: &impl Store, session: &Session) -> Result<Orders, Error> {
    let ordered = read(store, &key::orders(&session.id)).await?;
    let by_rule = Orders {
        record: session.record,
        started: session.record,
        at_ms: session.began_ms,
        ..Orders::default()
    };
    Ok(ordered.unwrap_or(by_rule))
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
            // The slice that is being recorded still belongs to the old file.
            let length = log::length(store, &session.id).await?;
            orders.cuts.push(if recording { length + 1 } else { length });
            let surplus = orders.cuts.len().saturating_sub(MOST_CUTS);
            orders.cuts.drain(..surplus);
            orders = Orders { record: true, at_ms: now_ms, close: false, started: true, cuts: orders.cuts };
        }
    }
    // The gateway's order first: a command that breaks off after it can be given again.
    if orders.record != recording {
        announce(store, &session, orders.record, now_ms).await?;
    }
    write(store, &key::orders(&session.id), &orders).await?;
    timers::set_due(store, stream, now_ms + CLOSING_MS).await
}

/// Writes an order for the session's gateway, which reads it with its next heartbeat.
async fn announce(store: &impl Store, session: &Session, record: bool, at_ms: u64) -> Result<(), Error> {
    // A gateway without a name sends no heartbeats.
    let Some(gateway) = &session.gateway else { return Ok(()) };
    let number = counted(store, &key::changes(gateway), 1).await?;
    let change = Change { session: session.id.clone(), record, at_ms };
    write(store, &key::change(gateway, number), &change).await
}

/// The sessions of a domain that are being pushed, oldest first.
///
/// The hint moves up as the oldest sessions end. The cost is therefore that of the sessions that have begun since
/// the oldest live one.
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
