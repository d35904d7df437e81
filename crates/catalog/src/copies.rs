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

#[cfg(test)]
mod tests {
    use store::memory::{MemoryStore, run};

    use super::*;

    const NOW: u64 = 1_800_000_000_000;

    const WEEK_MS: u64 = 604_800_000;

    #[test]
    fn a_refusal_counts_for_its_bucket_and_for_a_week_by_clocks_that_are_ahead_as_well() {
        for (later, is_earlier) in [(0, false), (WEEK_MS - 1, false), (WEEK_MS, false), (WEEK_MS, true)] {
            let store = MemoryStore::default();
            let possible = |bucket, now_ms| run(are_possible(&store, ("e", bucket), now_ms)).unwrap();
            assert!(possible("b", NOW));
            run(refused(&store, ("e", "b"), NOW)).unwrap();
            let now_ms = if is_earlier { NOW - later } else { NOW + later };
            assert_eq!(possible("b", now_ms), later == WEEK_MS, "{later} {is_earlier}");
            assert!(possible("other", now_ms));
            // One that is past is forgotten.
            assert_eq!(possible("b", NOW), later == WEEK_MS, "{later} {is_earlier}");
        }
    }
}
