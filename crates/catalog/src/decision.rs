//! Decisions: outcomes of races, each an object in the work bucket that is created once.
//!
//! Whoever comes first decides; whoever comes later, or whose reply was lost, reads what was decided and acts on
//! it. The name of a decision is made of ids, never of counters whose reply can be lost.

use serde::{Serialize, de::DeserializeOwned};

use crate::error::Error;

/// So many are listed at a time.
const LISTED: u32 = 1_000;

/// The work bucket, as far as the catalog needs it.
#[expect(async_fn_in_trait, reason = "components have one thread; no caller needs a Send bound")]
pub trait WorkBucket {
    /// Creates an object where there is none, and answers what the object holds then: `body`, or what an earlier
    /// call wrote.
    ///
    /// # Errors
    /// The bucket failed; the object may be there all the same.
    async fn create_or_read(&self, name: &str, body: &[u8]) -> Result<Vec<u8>, String>;

    /// What an object holds; `None` if there is none.
    ///
    /// # Errors
    /// The bucket failed.
    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String>;

    /// Removes an object, if it is there.
    ///
    /// # Errors
    /// The bucket failed; the object may be gone all the same.
    async fn delete(&self, name: &str) -> Result<(), String>;

    /// The first names that begin with `prefix` and come after `after`, in the order of their bytes: at most `most`, and
    /// none where there are no more.
    ///
    /// # Errors
    /// The bucket failed.
    async fn list(&self, prefix: &str, after: &str, most: u32) -> Result<Vec<String>, String>;
}

/// Decides a race in favour of `proposal`, or finds how it was decided.
pub(crate) async fn decide<T: Serialize + DeserializeOwned>(
    bucket: &impl WorkBucket,
    name: &str,
    proposal: &T,
) -> Result<T, Error> {
    let unreadable = |error: serde_json::Error| Error::Record { key: name.into(), reason: error.to_string() };
    let body = serde_json::to_vec(proposal).map_err(unreadable)?;
    let decided = bucket.create_or_read(name, &body).await.map_err(Error::WorkBucket)?;
    serde_json::from_slice(&decided).map_err(unreadable)
}

/// Deletes the decisions whose names begin so.
pub(crate) async fn forget(bucket: &impl WorkBucket, prefix: &str) -> Result<(), Error> {
    let mut after = String::new();
    loop {
        let names = bucket.list(prefix, &after, LISTED).await.map_err(Error::WorkBucket)?;
        let Some(last) = names.last() else { return Ok(()) };
        after.clone_from(last);
        for name in names {
            bucket.delete(&name).await.map_err(Error::WorkBucket)?;
        }
    }
}

/// How a race was decided; `None` while it is open.
pub(crate) async fn find<T: DeserializeOwned>(
    bucket: &impl WorkBucket,
    name: &str,
) -> Result<Option<T>, Error> {
    let Some(decided) = bucket.read(name).await.map_err(Error::WorkBucket)? else { return Ok(None) };
    let decided = serde_json::from_slice(&decided);
    decided.map(Some).map_err(|error| Error::Record { key: name.into(), reason: error.to_string() })
}
