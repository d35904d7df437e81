//! Each signed request is answered once, whichever instance it reaches and however often the host restarts.
//!
//! A nonce is a counter under a key of its own: only who raises it to 1 goes on. It is kept until a request of
//! its time would be refused for its age alone, and then removed, so that the store does not grow with time.
//! Keys cannot be listed, so each nonce first enters a log, numbered by a counter; every request looks at the
//! oldest few entries and removes those that are past. The work of a request is bounded, and since each one
//! adds one entry and removes up to `SWEEP`, the log is about as long as nonces are kept.

use serde::{Deserialize, Serialize};
use store::{Error, Record, Store, counter, record};

use crate::key;

/// Entries of the log that each request looks at. More than one: the log has to shrink after a busy time.
const SWEEP: u64 = 3;

/// How many later entries make it certain that an absent entry will never be written: no request is under way
/// for as long as a thousand others take.
const OVERDUE: u64 = 1_000;

/// A nonce that was used, and until when that has to be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonce<'a> {
    /// The access key that signed with it.
    pub key_id: &'a str,
    /// The nonce itself.
    pub nonce: &'a str,
    /// The last moment, Unix seconds, at which a request with this nonce could be answered.
    pub expires_s: u64,
}

/// One entry of the log.
#[derive(Serialize, Deserialize)]
struct Entry {
    /// The key of the nonce's counter.
    key: String,
    forget_s: u64,
}

impl Record for Entry {
    const VERSION: u32 = 1;
}

/// Number of the oldest entry.
#[derive(Serialize, Deserialize)]
struct Oldest(u64);

impl Record for Oldest {
    const VERSION: u32 = 1;
}

/// How long a nonce is kept past its time, in seconds: for servers whose clocks differ.
const CLOCK_SKEW_S: u64 = 5 * 60;

/// Whether a request is the first one with its nonce. To be asked only once its signature is verified.
///
/// # Errors
/// The store fails.
pub async fn admit(store: &impl Store, nonce: Nonce<'_>, now_s: u64) -> Result<bool, Error> {
    let key = key::nonce(nonce.key_id, nonce.nonce);
    let number = counter::add(store, key::NONCE_ENTRIES, 1).await?;
    let entry = Entry { key, forget_s: nonce.expires_s.saturating_add(CLOCK_SKEW_S) };
    // The entry comes first: a nonce without one would stay for ever.
    record::write(store, &key::nonce_entry(number), &entry).await?;
    let first = counter::add(store, &entry.key, 1).await? == 1;
    sweep(store, number, now_s).await?;
    Ok(first)
}

async fn sweep(store: &impl Store, newest: u64, now_s: u64) -> Result<(), Error> {
    // A hint that cannot be read is none.
    let Oldest(first) =
        readable(record::read(store, key::OLDEST_NONCE).await)?.flatten().unwrap_or(Oldest(1));
    let mut oldest = first;
    while oldest < newest && oldest - first < SWEEP {
        let key = key::nonce_entry(oldest);
        match readable(record::read::<Entry>(store, &key).await)? {
            Some(Some(entry)) if entry.forget_s < now_s => {
                store.delete(&entry.key).await?;
                store.delete(&key).await?;
            }
            Some(Some(_)) => break,
            // An entry that cannot be read: the counter of its nonce is left behind, and the sweep goes on.
            None => store.delete(&key).await?,
            Some(None) if newest - oldest > OVERDUE => {}
            Some(None) => break,
        }
        oldest += 1;
    }
    if oldest != first {
        record::write(store, key::OLDEST_NONCE, &Oldest(oldest)).await?;
    }
    Ok(())
}

/// None for a record that cannot be read.
fn readable<T>(read: Result<T, Error>) -> Result<Option<T>, Error> {
    match read {
        Err(Error::Unreadable { .. }) => Ok(None),
        read => read.map(Some),
    }
}
