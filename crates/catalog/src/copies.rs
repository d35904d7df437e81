//! Buckets whose stores do not copy parts of the work bucket, or whose keys may not have them do it.
//!
//! Whoever has a file's parts copied finds that out; files are then written of media that is read. A store may learn to
//! copy, and a key may get rights, so it is tried again now and then.

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::error::Error;
use crate::key;
use crate::time::DAY_MS;

/// For how long a refusal counts.
const REFUSED_MS: u64 = 7 * DAY_MS;

/// A bucket whose store refused to copy parts.
#[derive(Serialize, Deserialize)]
struct Uncopied {
    noted_ms: u64,
}

impl Record for Uncopied {
    const VERSION: u32 = 1;
}

/// Notes that the store of a bucket has not copied a part.
///
/// # Errors
/// The store failed.
pub async fn refused(store: &impl Store, (endpoint, bucket): (&str, &str), now_ms: u64) -> Result<(), Error> {
    Ok(write(store, &key::uncopied(endpoint, bucket), &Uncopied { noted_ms: now_ms }).await?)
}

/// Whether the store of a bucket is worth being asked to copy parts.
///
/// # Errors
/// The store failed.
pub async fn are_possible(
    store: &impl Store,
    (endpoint, bucket): (&str, &str),
    now_ms: u64,
) -> Result<bool, Error> {
    let key = key::uncopied(endpoint, bucket);
    let Some(found) = read::<Uncopied>(store, &key).await? else { return Ok(true) };
    // What a clock noted that was ahead counts no longer than what this one does.
    let is_past = now_ms.abs_diff(found.noted_ms) >= REFUSED_MS;
    if is_past {
        store.delete(&key).await?;
    }
    Ok(is_past)
}
