//! Whether a session is over: all of it is there, nothing waits for it, and its record files are written.

use store::Store;

use crate::committed::{self, Committed};
use crate::decision::{self, WorkBucket};
use crate::error::Error;
use crate::log::part::Over;
use crate::next_file::{self, Next};
use crate::rule::Container;
use crate::session::{self, Adopted, Break, End, Session};
use crate::time::Retention;
use crate::{account::Account, command, silence, status};

/// So many sessions of a chain are walked.
const WALK: u32 = 256;

/// What an ended session leaves that has so many chunks; `None` while it is not over. Beyond retention every one is.
pub(crate) async fn of(
    store: &impl Store,
    bucket: &impl WorkBucket,
    (session, adopted, end): (&Session, &Adopted, &End),
    (length, last): (u64, Option<&Committed>),
    retention: Retention,
    now_ms: u64,
) -> Result<Option<Over>, Error> {
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
    for Account { container, file, .. } in accounts {
        let Some(run) = file.filter(|_| retention.written.contains(&container)) else { continue };
        let next = next_files.iter().find(|(of, _)| *of == container).map(|(_, next)| next);
        let is_past = match (next, continued) {
            (None, None) => false,
            // No file of the recording is noted: none is written yet, or the recording has left the store.
            (None, Some(after)) => is_gone_after(store, after).await?,
            (Some(next), None) => next.number > run.number,
            (Some(next), Some(_)) => {
                let from = &next.from.session;
                let is_gone = async || session::find(store, from).await.map(|from| from.is_none());
                next.number > run.number
                    && (session::is_before(store, bucket, &session.id, from).await? || is_gone().await?)
            }
        };
        if !is_past {
            return Ok(false);
        }
    }
    Ok(true)
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

/// Whether a session of a chain, from one on, has left the store: it was the last, or the files went on past it.
async fn is_gone_after(store: &impl Store, from: &str) -> Result<bool, Error> {
    let mut at = Some(from.to_owned());
    for _ in 0..WALK {
        let Some(id) = at else { return Ok(false) };
        if session::find(store, &id).await?.is_none() {
            return Ok(true);
        }
        at = session::continued(store, &id).await?;
    }
    Ok(false)
}
