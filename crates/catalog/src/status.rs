//! The status of a recording, as users' servers are told it: it has begun, it is paused, it goes on.
//!
//! It begins with its first slice. It is paused once the push that was recorded has ended, an order has stopped it, or its
//! gateway has been silent for so long that files were closed. With the next slice after that it goes on, where its files
//! do, or begins anew, where they were closed meanwhile. So every other status is a [pause](Status::Paused), whoever looks
//! and however often, and what comes between is [started](Status::Started) or [resumed](Status::Resumed).
//!
//! Looks that race may have seen other slices. What a status is followed by is therefore a [decision] under the name of
//! that status, and each look goes on from what was decided.
//!
//! Only sessions whose server asked for it when they began are looked at; the others of a recording are passed over.

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::decision::{self, WorkBucket};
use crate::error::Error;
use crate::event::{self, At, Change, Event, Fact, Kind, Status};
use crate::order::Order;
use crate::session::{self, Session};
use crate::stream::hash;
use crate::{command, committed, key, silence, timer};

/// So many sessions of a recording are walked in one look.
const WALK: usize = 64;

/// How far a recording's status was told. A hint: a look that stalls may set it back, and the events after it that are
/// known lead on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// How often it has changed.
    changes: u32,
    /// The session whose slices were seen last.
    session: String,
    /// What had interrupted it before.
    after: Interruptions,
}

/// What had interrupted a session before its last slices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Interruptions {
    /// The number of the order that had stopped it; 0 if none had.
    stopped: u32,
    /// The round of silence that had suspended it; 0 if none had.
    suspended: u64,
}

impl Record for Told {
    const VERSION: u32 = 1;
}

impl Told {
    fn begin(recording: &str) -> Self {
        Self { changes: 0, session: recording.into(), after: Interruptions::default() }
    }

    fn is_recording(&self) -> bool {
        !self.changes.is_multiple_of(2)
    }

    /// Whether slices after interruptions, in a session, are other ones than those that were seen.
    fn is_before(&self, session: &str, after: Interruptions) -> bool {
        let Interruptions { stopped, suspended } = self.after;
        self.changes == 0 || self.session != session || stopped < after.stopped || suspended < after.suspended
    }

    fn by(&mut self, change: Change) {
        let Change { session, stopped, suspended, .. } = change;
        *self = Self { changes: self.changes + 1, session, after: Interruptions { stopped, suspended } };
    }

    /// The name of the decision on what this is followed by. Where a store was lost, the same decisions are found again.
    fn decision_name(&self, recording: &str) -> String {
        let Self { changes, session, after: Interruptions { stopped, suspended } } = self;
        let state = format!("{changes} {stopped} {suspended}");
        format!("{}{}", decisions(session), hash(&[recording, &state]))
    }

    /// How far a recording's status was told, from a hint on.
    async fn from(mut self, store: &impl Store, recording: &str) -> Result<Self, Error> {
        loop {
            let next = At { recording, kind: Kind::Status, number: self.changes };
            let Some(Event { fact: Fact::Status(change), .. }) = event::get(store, next).await? else {
                return Ok(self);
            };
            self.by(change);
        }
    }
}

/// How far a recording's status was told, if anything of it was.
pub(crate) async fn told(store: &impl Store, recording: &str) -> Result<Option<Told>, Error> {
    let hint = read(store, &key::told(recording)).await?;
    let told = hint.unwrap_or_else(|| Told::begin(recording)).from(store, recording).await?;
    Ok((told.changes > 0).then_some(told))
}

/// Puts back how far the status of a recording was told that has left the store.
pub(crate) async fn restore(store: &impl Store, recording: &str, told: &Told) -> Result<(), Error> {
    Ok(write(store, &key::told(recording), told).await?)
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
    let hint: Option<Told> = read(store, &key::told(recording)).await?;
    let hinted = hint.clone().unwrap_or_else(|| Told::begin(recording));
    let first = At { recording, kind: Kind::Status, number: hinted.changes };
    let mut told = hinted.from(store, recording).await?;
    // Whoever noted what the hint does not know of may have died before it had that delivered.
    event::deliver_rest(store, first, told.changes, now_ms).await?;
    let look = Look { store, bucket, asked: &asked, recording, now_ms };
    while !look.go_on(&mut told).await? {}
    if hint.as_ref() == Some(&told) || told.changes == 0 {
        return Ok(());
    }
    Ok(write(store, &key::told(recording), &told).await?)
}

/// A look at a recording, by one of its sessions.
struct Look<'a, S, B> {
    store: &'a S,
    bucket: &'a B,
    asked: &'a Session,
    recording: &'a str,
    now_ms: u64,
}

impl<S: Store, B: WorkBucket> Look<'_, S, B> {
    /// Tells what has changed since; `false` where another look has told something else, from which on this one has to look
    /// anew.
    async fn go_on(&self, told: &mut Told) -> Result<bool, Error> {
        let Self { store, bucket, now_ms, .. } = *self;
        for session in walk(store, bucket, &told.session, self.asked).await? {
            let orders = command::orders(store, bucket, &session).await?;
            if let Some(seen) = seen(store, &session, &orders).await?
                && told.is_before(&session.id, seen.after)
                && (told.is_recording() && !self.tell_paused(told).await?
                    || !self.tell_recording(told, &session, &orders, &seen).await?)
            {
                return Ok(false);
            }
            if told.session == session.id && told.is_recording() {
                if is_paused(store, &session, &orders, told.after, now_ms).await? {
                    if !self.tell_paused(told).await? {
                        return Ok(false);
                    }
                } else if let Some(next) = next_stop(&orders, now_ms) {
                    timer::set(store, next.at_ms, &format!("u {}", self.asked.id)).await?;
                }
            }
        }
        Ok(true)
    }

    /// Has the server told that the slices that were seen last are followed by a pause; see [`tell`](Self::tell).
    async fn tell_paused(&self, told: &mut Told) -> Result<bool, Error> {
        let (session, after) = (told.session.clone(), told.after);
        self.tell(told, Status::Paused, session, after).await
    }

    /// Has the server told of slices of a session; see [`tell`](Self::tell).
    async fn tell_recording(
        &self,
        told: &mut Told,
        session: &Session,
        orders: &[Order],
        seen: &Seen,
    ) -> Result<bool, Error> {
        let goes_on = told.changes > 0 && !self.were_closed(told, session, orders, seen).await?;
        let status = if goes_on { Status::Resumed } else { Status::Started };
        self.tell(told, status, session.id.clone(), seen.after).await
    }

    /// Whether files were closed between the slices that were told last and the first one of a session after what
    /// interrupted it last.
    async fn were_closed(
        &self,
        told: &Told,
        session: &Session,
        orders: &[Order],
        seen: &Seen,
    ) -> Result<bool, Error> {
        let Seen { after, cut_under } = seen;
        let begun = cut_under.iter().find(|cut| **cut > after.stopped);
        let begun = begun.map_or_else(
            || files_after(orders, after.stopped).next().unwrap_or(0),
            |begun| files_of(orders, *begun),
        );
        if told.session == session.id {
            let left = cut_under.iter().rfind(|cut| last_stop(orders, **cut, u64::MAX) == told.after.stopped);
            let left = left.map_or_else(
                || files_after(orders, told.after.stopped).last().unwrap_or(0),
                |left| files_of(orders, *left),
            );
            return Ok(begun != left || after.suspended > told.after.suspended);
        }
        Ok(begun != 0
            || after.suspended > 0
            || session::is_parted(self.store, self.bucket, &session.id, &told.session).await?)
    }

    /// Has the server told of the next change: what the status becomes, and which slices were seen last, by their session and
    /// what interrupted it; or of what was decided in place of that: `false`.
    async fn tell(
        &self,
        told: &mut Told,
        status: Status,
        session: String,
        after: Interruptions,
    ) -> Result<bool, Error> {
        let Self { store, bucket, asked, recording, now_ms } = *self;
        let Interruptions { stopped, suspended } = after;
        let proposal = Change { status, session, stopped, suspended };
        let change = decision::decide(bucket, &told.decision_name(recording), &proposal).await?;
        let fact = Fact::Status(change.clone());
        event::note(store, asked, recording, told.changes, fact, now_ms).await?;
        let is_as_proposed = change == proposal;
        told.by(change);
        Ok(is_as_proposed)
    }
}

/// How the names of the decisions begin on what statuses of a session are followed by.
fn decisions(session: &str) -> String {
    format!("decision/status/{session}/")
}

/// Deletes the decisions on what statuses of a session were followed by.
pub(crate) async fn forget(bucket: &impl WorkBucket, session: &Session) -> Result<(), Error> {
    if !session.tells_status {
        return Ok(());
    }
    decision::forget(bucket, &decisions(&session.id)).await
}

/// The sessions of a recording from one on, up to one that is looked at or further, whose servers want to be told.
async fn walk(
    store: &impl Store,
    bucket: &impl WorkBucket,
    from: &str,
    asked: &Session,
) -> Result<Vec<Session>, Error> {
    let mut sessions = Vec::new();
    let mut at = Some(from.to_owned());
    while sessions.len() < WALK
        && let Some(id) = &at
    {
        // One that is over was told of.
        let Some(session) = session::find(store, id).await? else { break };
        at = session::continued(store, id).await?;
        sessions.push(session);
    }
    if sessions.iter().all(|session| session.id != asked.id) {
        // Where the walk came to the end of the recording, one that is continued lies before it.
        let is_before = at.is_none() && session::continued(store, &asked.id).await?.is_some()
            || session::is_before(store, bucket, &asked.id, from).await?;
        // Those in between have no slices, or looks of their own.
        if !is_before {
            sessions.push(asked.clone());
        }
    }
    sessions.retain(|session| session.tells_status);
    Ok(sessions)
}

/// What a look sees of a session's slices.
struct Seen {
    /// What had interrupted it before the last one.
    after: Interruptions,
    /// How many orders there were when slices were cut: each number once, in order, as far as they are known.
    cut_under: Vec<u32>,
}

/// What a look sees of a session's slices; `None` while it has none.
async fn seen(store: &impl Store, session: &Session, orders: &[Order]) -> Result<Option<Seen>, Error> {
    let Some((seq, last)) = committed::last(store, &session.id).await? else { return Ok(None) };
    if last.anchor_ms.is_none() {
        return Ok(None);
    }
    let stopped = last_stop(orders, last.slice_orders, u64::MAX);
    let suspended = silence::suspended_before(store, &session.id, seq).await?;
    Ok(Some(Seen { after: Interruptions { stopped, suspended }, cut_under: last.cut_under().collect() }))
}

/// Whether what is recorded of a session has ended, is stopped, or is suspended, after interruptions that were told.
async fn is_paused(
    store: &impl Store,
    session: &Session,
    orders: &[Order],
    after: Interruptions,
    now_ms: u64,
) -> Result<bool, Error> {
    Ok(last_stop(orders, u32::MAX, now_ms) > after.stopped
        || session::ended(store, &session.id).await?.is_some()
        || silence::closed(store, &session.id).await?.is_some())
}

/// The number of the last order up to one that stopped a session before a moment; 0 if none did.
fn last_stop(orders: &[Order], up_to: u32, until_ms: u64) -> u32 {
    let number = |order: &Order| order.generation.orders;
    let stops = holding(orders).filter(|order| !order.record && number(order) <= up_to);
    stops.filter(|stop| stop.at_ms <= until_ms).map(number).max().unwrap_or(0)
}

/// The numbers of files of the orders to record that follow one that stopped a session, up to the next one that does.
fn files_after(orders: &[Order], stopped: u32) -> impl Iterator<Item = u32> {
    let later = holding(orders).filter(move |order| order.generation.orders > stopped);
    let recorded = later.skip_while(|order| !order.record).take_while(|order| order.record);
    recorded.map(|order| order.generation.files)
}

/// The number of files of the last of so many orders that are not void.
fn files_of(orders: &[Order], count: u32) -> u32 {
    let first = holding(orders).map(|order| order.generation).filter(|generation| generation.orders <= count);
    first.max_by_key(|generation| generation.orders).map_or(0, |generation| generation.files)
}

/// The orders that are not void.
fn holding(orders: &[Order]) -> impl Iterator<Item = &Order> {
    let is_void = |order: &Order| {
        let mut later = orders.iter().filter(|later| later.generation.orders > order.generation.orders);
        later.any(|later| later.at_ms < order.at_ms)
    };
    orders.iter().filter(move |order| !is_void(order))
}

/// The next stop that is still to come.
fn next_stop(orders: &[Order], now_ms: u64) -> Option<&Order> {
    orders.iter().filter(|order| !order.record && order.at_ms > now_ms).min_by_key(|order| order.at_ms)
}
