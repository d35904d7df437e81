//! Each signed request is answered once, whichever instance it reaches and however often the host restarts.
//!
//! A nonce is a counter under a key of its own: only who raises it to 1 goes on. It is kept until a request of
//! its time would be refused for its age alone, and then removed, so that the store does not grow with time.
//! Keys cannot be listed, so each nonce first enters a log, numbered by a counter; every request looks at the
//! oldest few entries and removes those that are past. The work of a request is bounded, and since each one
//! adds one entry and removes up to `SWEEP`, the log is about as long as nonces are kept.
//!
//! | key | holds |
//! | --- | --- |
//! | `nonce/{id}` | counter: requests with this nonce |
//! | `nonces/entries` | counter: entries of the log |
//! | `nonces/entry/{number}` | a nonce, and when it may be forgotten |
//! | `nonces/oldest` | number of the oldest entry; a hint that concurrent requests may set back |

use acs::Claim;
use store::Store;

/// Entries of the log that each request looks at. More than one: the log has to shrink after a busy time.
const SWEEP: u64 = 3;

/// How long a nonce is kept past its time, in seconds: for servers whose clocks differ.
const CLOCK_SKEW_S: u64 = 5 * 60;

/// How many later entries make it certain that an absent entry will never be written: no request is under way
/// for as long as a thousand others take.
const OVERDUE: u64 = 1_000;

/// Whether a request with this claim is the first one. To be asked only once its signature is verified.
///
/// # Errors
/// The store fails.
pub async fn admit(store: &impl Store, claim: &Claim, now_s: u64) -> Result<bool, store::Error> {
    let id = claim.nonce_id();
    let number = store.increment("nonces/entries", 1).await?.unsigned_abs();
    let forget_s = claim.nonce_expires_s().saturating_add(CLOCK_SKEW_S);
    // The entry comes first: a nonce without one would stay for ever.
    store.set(&entry(number), format!("{forget_s} {id}").as_bytes()).await?;
    let first = store.increment(&nonce(&id), 1).await? == 1;
    sweep(store, number, now_s).await?;
    Ok(first)
}

async fn sweep(store: &impl Store, newest: u64, now_s: u64) -> Result<(), store::Error> {
    let hint = store.get("nonces/oldest").await?;
    let first = hint.and_then(|hint| String::from_utf8(hint).ok()?.parse().ok()).unwrap_or(1);
    let mut oldest: u64 = first;
    while oldest < newest && oldest - first < SWEEP {
        match store.get(&entry(oldest)).await?.as_deref().map(parse) {
            Some(Some((forget_s, id))) if forget_s < now_s => {
                store.delete(&nonce(&id)).await?;
                store.delete(&entry(oldest)).await?;
            }
            Some(Some(_)) => break,
            // Not one of ours; nothing is lost with it.
            Some(None) => store.delete(&entry(oldest)).await?,
            None if newest - oldest > OVERDUE => {}
            None => break,
        }
        oldest += 1;
    }
    if oldest != first {
        store.set("nonces/oldest", oldest.to_string().as_bytes()).await?;
    }
    Ok(())
}

fn parse(record: &[u8]) -> Option<(u64, String)> {
    let (forget_s, id) = std::str::from_utf8(record).ok()?.split_once(' ')?;
    Some((forget_s.parse().ok()?, id.into()))
}

fn nonce(id: &str) -> String {
    format!("nonce/{id}")
}

fn entry(number: u64) -> String {
    format!("nonces/entry/{number}")
}
