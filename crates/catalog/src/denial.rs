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
#[derive(Serialize, Deserialize)]
struct Denied {
    /// For its publisher.
    reason: String,
}

impl Record for Denied {
    const VERSION: u32 = 1;
}

/// Has the pushes of a stream end that have a session by now, those of silent gateways too. Their gateways hear of it with
/// their next heartbeats. Harmless when repeated.
///
/// # Errors
/// The store failed; some pushes may end all the same.
pub async fn end_pushes(
    store: &impl Store,
    stream: &StreamName,
    reason: &str,
    now_ms: u64,
) -> Result<(), Error> {
    for session in live::not_ended_of_stream(store, stream, now_ms).await? {
        write(store, &key::denied(&session.id), &Denied { reason: reason.into() }).await?;
        changes::notify(store, &session.gateway_key(), &session.id).await?;
    }
    Ok(())
}

/// Why a session's push is to end, if it is.
pub(crate) async fn reason(store: &impl Store, session: &str) -> Result<Option<String>, Error> {
    let denied: Option<Denied> = read(store, &key::denied(session)).await?;
    Ok(denied.map(|denied| denied.reason))
}
