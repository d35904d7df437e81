//! Whether a session is over: all of it is there, nothing waits for it, and its record files are written.
//!
//! Sessions of a recording leave the store one after the other: the first one is where files are looked for as long as none
//! is written, and what is noted of them goes with the last one.

use std::collections::BTreeSet;

use store::Store;

use crate::committed::{self, Committed};
use crate::decision::{self, WorkBucket};
use crate::error::Error;
use crate::log::part::Over;
use crate::next_file::{self, Next};
use crate::rule::Container;
use crate::sealed::sealed;
use crate::session::{self, Adopted, Break, End, Session};
use crate::time::Retention;
use crate::{account::Account, command, silence, status};

/// So many sessions of a chain are walked.
const WALK: u32 = 256;

/// What an ended session leaves that has so many chunks; `None` while it is not over. Beyond retention it is once
/// those that it continues are. `leaving`: those that leave the store with it, before it.
pub(crate) async fn of(
    store: &impl Store,
    bucket: &impl WorkBucket,
    (session, adopted, end): (&Session, &Adopted, &End),
    (length, last): (u64, Option<&Committed>),
    leaving: &BTreeSet<String>,
    retention: Retention,
    now_ms: u64,
) -> Result<Option<Over>, Error> {
    if !is_next(store, adopted, leaving).await? {
        return Ok(None);
    }
    let continued = session::continued(store, &session.id).await?;
    let is_beyond = now_ms > end.ended_ms.saturating_add(retention.sessions_ms);
    let next_files = next_files(store, session, adopted).await?;
    if !is_beyond {
        if length < end.chunks {
            return Ok(None);
        }
        let goes_on = match &continued {
            Some(next) => has_gone_on(store, bucket, next).await?,
            None => is_closed(bucket, &session.id).await?,
        };
        if !goes_on
            || !is_written(store, bucket, (session, adopted), last, (&continued, &next_files), retention)
                .await?
        {
            return Ok(None);
        }
    }
    let (orders, commands) = command::log(store, bucket, session).await?;
    let rounds = silence::last(store, &session.id).await?.map_or(0, |silence| silence.round);
    let ordered = orders.iter().map(|order| order.generation.files);
    let files = ordered.chain(last.map(|last| last.generation.files)).max().unwrap_or(0);
    let told = match &continued {
        Some(_) => None,
        None => status::told(store, &adopted.recording).await?,
    };
    Ok(Some(Over { continued, next_files, files, commands, rounds, told }))
}

/// Whether the session that one continues has left the store, or is about to.
async fn is_next(store: &impl Store, adopted: &Adopted, leaving: &BTreeSet<String>) -> Result<bool, Error> {
    let Some(before) = &adopted.continues else { return Ok(true) };
    if leaving.contains(before) || session::find(store, before).await?.is_none() {
        return Ok(true);
    }
    Ok(sealed(store, before).await?.is_some_and(|sealed| sealed.is_held))
}

async fn is_closed(bucket: &impl WorkBucket, id: &str) -> Result<bool, Error> {
    Ok(decision::find::<Break>(bucket, &session::break_name(id)).await? == Some(Break::Closed))
}

/// Whether a session that continues another one, or one after it, has begun without it: its first chunk is there, or
/// nothing comes any more.
async fn has_gone_on(store: &impl Store, bucket: &impl WorkBucket, next: &str) -> Result<bool, Error> {
    let mut next = next.to_owned();
    for _ in 0..WALK {
        if session::find(store, &next).await?.is_none() || committed::length(store, &next).await? > 0 {
            return Ok(true);
        }
        if session::ended(store, &next).await?.is_none() {
            return Ok(false);
        }
        match session::continued(store, &next).await? {
            Some(after) => next = after,
            None => return is_closed(bucket, &next).await,
        }
    }
    Ok(false)
}

/// The next record file of each format of a session's recording.
async fn next_files(
    store: &impl Store,
    session: &Session,
    adopted: &Adopted,
) -> Result<Vec<(Container, Next)>, Error> {
    let mut found = Vec::new();
    for format in session.rule.iter().flat_map(|rule| &rule.formats) {
        let next = next_file::noted(store, &adopted.recording, format.container).await?;
        found.extend(next.map(|next| (format.container, next)));
    }
    Ok(found)
}

/// Whether the record files that a session's chunks are in are written, and none is looked for from it on.
async fn is_written(
    store: &impl Store,
    bucket: &impl WorkBucket,
    (session, adopted): (&Session, &Adopted),
    last: Option<&Committed>,
    (continued, next_files): (&Option<String>, &[(Container, Next)]),
    retention: Retention,
) -> Result<bool, Error> {
    let accounts = match last {
        Some(last) => last.accounts.clone(),
        None => accounts_before(store, adopted).await?,
    };
    let formats = session.rule.iter().flat_map(|rule| &rule.formats).map(|format| format.container);
    for container in formats.filter(|container| retention.written.contains(container)) {
        let next = next_files.iter().find(|(of, _)| *of == container).map(|(_, next)| next);
        let number = next.map_or(0, |next| next.number);
        // Files are looked for from the recording's first session on, until the first one is written.
        let is_looked_for_here = next.is_none_or(|next| next.from.session == session.id);
        let is_past = is_before(&accounts, container, number)
            && match continued {
                Some(after) if is_looked_for_here => {
                    is_done_from(store, bucket, after, (container, number)).await?
                }
                _ => true,
            };
        if !is_past {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the file that some accounts came to is before the one of a number.
fn is_before(accounts: &[Account], container: Container, number: u32) -> bool {
    let account = accounts.iter().find(|account| account.container == container);
    account.and_then(|account| account.file.as_ref()).is_none_or(|run| run.number < number)
}

/// Whether all of a chain is there, from one session on, in files before the one of a number, and nothing comes any more.
async fn is_done_from(
    store: &impl Store,
    bucket: &impl WorkBucket,
    from: &str,
    (container, number): (Container, u32),
) -> Result<bool, Error> {
    let mut at = from.to_owned();
    for _ in 0..WALK {
        let Some(end) = session::ended(store, &at).await? else { return Ok(false) };
        let last = committed::last(store, &at).await?;
        let (length, accounts) = last.map_or((0, Vec::new()), |(seq, last)| (seq + 1, last.accounts));
        if length < end.chunks || !is_before(&accounts, container, number) {
            return Ok(false);
        }
        match session::continued(store, &at).await? {
            Some(after) => at = after,
            None => return is_closed(bucket, &at).await,
        }
    }
    Ok(false)
}

/// The accounts that a session without chunks hands on.
async fn accounts_before(store: &impl Store, adopted: &Adopted) -> Result<Vec<Account>, Error> {
    let mut before = adopted.continues.clone();
    for _ in 0..WALK {
        let Some(id) = before else { break };
        if let Some((_, last)) = committed::last(store, &id).await? {
            return Ok(last.accounts);
        }
        before = session::adopted(store, &id).await?.and_then(|adopted| adopted.continues);
    }
    Ok(Vec::new())
}
