//! Callbacks that were sent, as the API lists them.
//!
//! | key | holds | written by |
//! | --- | --- | --- |
//! | `ec.{domain}.{day}` | list: the callbacks that were sent in a UTC day | whoever sent them |

use serde::{Deserialize, Serialize};
use store::Store;

use crate::error::Error;
use crate::stream::StreamName;
use crate::time::DAY_MS;
use crate::{key, list, timer};

/// So many days after a callback was sent, it is known.
const KEPT_DAYS: u64 = 8;

/// A callback that was sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Callback {
    /// When it was sent, Unix milliseconds.
    pub sent_ms: u64,
    /// What it is of.
    pub stream: StreamName,
    /// What happened, such as `file_created`.
    pub event: String,
    /// Where it was sent.
    pub url: String,
    /// The body that was sent.
    pub content: String,
    /// How often it was sent by then.
    pub attempt: u32,
    /// The status that was answered, if any.
    pub status: Option<u16>,
    /// Why it failed; `None`: it was taken.
    pub reason: Option<String>,
}

/// Notes a callback.
///
/// # Errors
/// The store failed.
pub async fn note(store: &impl Store, callback: &Callback) -> Result<(), Error> {
    let day = callback.sent_ms / DAY_MS;
    let domain = key::domain(&callback.stream.domain);
    let list = key::callbacks(&domain, day);
    if !list::exists(store, &list).await? {
        timer::set(store, (day + 1 + KEPT_DAYS) * DAY_MS, &format!("h {domain} {day}")).await?;
    }
    let text = serde_json::to_string(callback)
        .map_err(|error| Error::Record { key: list.clone(), reason: error.to_string() })?;
    list::append(store, &list, &text).await?;
    Ok(())
}

/// The callbacks of a domain that were sent from one moment on and before another, Unix milliseconds, oldest first.
///
/// # Errors
/// [`Error::Record`]; the store failed.
pub async fn between(
    store: &impl Store,
    domain: &str,
    (from_ms, to_ms): (u64, u64),
    now_ms: u64,
) -> Result<Vec<Callback>, Error> {
    let first = from_ms.max(now_ms.saturating_sub(KEPT_DAYS * DAY_MS)) / DAY_MS;
    // The host that sent one may have been a little ahead.
    let last = to_ms.min(now_ms + DAY_MS) / DAY_MS;
    let mut callbacks: Vec<Callback> = Vec::new();
    for day in first..=last {
        let list = key::callbacks(&key::domain(domain), day);
        for text in list::all(store, &list).await? {
            let callback = serde_json::from_str(&text)
                .map_err(|error| Error::Record { key: list.clone(), reason: error.to_string() })?;
            callbacks.push(callback);
        }
    }
    callbacks.retain(|callback| (from_ms..to_ms).contains(&callback.sent_ms));
    callbacks.sort();
    Ok(callbacks)
}

/// Forgets the callbacks of a domain's day.
pub(crate) async fn forget(store: &impl Store, domain: &str, day: u64, now_ms: u64) -> Result<(), Error> {
    list::clear(store, &key::callbacks(domain, day), now_ms).await
}
