//! Pushes that are to end: their streams are forbidden, or somebody ended them.
//!
//! A gateway hears of it as it hears of orders, ends the push, and tells the end of its session like any
//! other: what was pushed before stays.

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::error::Error;
use crate::stream::StreamName;
use crate::{changes, key, live};

/// A session's push is to end. What several calls say is of equal worth.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Denial {
    /// For its publisher.
    pub reason: String,
    /// It is void from then on, or once its stream may be pushed again, Unix milliseconds; `None`: it holds for good.
    pub until_ms: Option<u64>,
}

impl Record for Denial {
    const VERSION: u32 = 1;
}

/// Has the pushes of a stream end that have a session by now, those of silent gateways too, or one of them only. Their
/// gateways hear of it with their next heartbeats. Harmless when repeated.
///
/// # Errors
/// The store failed; some pushes may end all the same.
pub async fn end_pushes(
    store: &impl Store,
    stream: &StreamName,
    only: Option<&str>,
    denial: &Denial,
    now_ms: u64,
) -> Result<(), Error> {
    for session in live::not_ended_of_stream(store, stream, now_ms).await? {
        if only.is_none_or(|only| only == session.id) {
            write(store, &key::denied(&session.id), denial).await?;
            changes::notify(store, &session.gateway_key(), &session.id).await?;
        }
    }
    Ok(())
}

/// The pushes of a stream need not end that were to end while it was forbidden, as far as their gateways have not heard of
/// it.
///
/// # Errors
/// The store failed; some pushes may end all the same.
pub async fn let_push(store: &impl Store, stream: &StreamName, now_ms: u64) -> Result<(), Error> {
    for session in live::not_ended_of_stream(store, stream, now_ms).await? {
        let denial: Option<Denial> = read(store, &key::denied(&session.id)).await?;
        if denial.is_some_and(|denial| denial.until_ms.is_some()) {
            store.delete(&key::denied(&session.id)).await?;
        }
    }
    Ok(())
}

/// Why a session's push is to end, if it is.
pub(crate) async fn reason(store: &impl Store, session: &str, now_ms: u64) -> Result<Option<String>, Error> {
    let denial: Option<Denial> = read(store, &key::denied(session)).await?;
    let holds = |denial: &Denial| denial.until_ms.is_none_or(|until_ms| now_ms < until_ms);
    Ok(denial.filter(holds).map(|denial| denial.reason))
}
