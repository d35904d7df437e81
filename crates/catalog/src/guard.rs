//! Whether the store is one of this layout, and the work bucket was found fit for decisions.

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::error::Error;

const LAYOUT: &str = "m.layout";
const BUCKET: &str = "m.work";

/// What the versions before this layout always left, once a tick had come.
const EARLIER: &str = "due/open";

/// The store holds this layout.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Layout {}

impl Record for Layout {
    const VERSION: u32 = 1;
}

/// The work bucket that was found fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Probed {
    endpoint: String,
    bucket: String,
}

impl Record for Probed {
    const VERSION: u32 = 1;
}

/// Checks that the store is empty or holds this layout.
async fn check_layout(store: &impl Store) -> Result<(), Error> {
    if read::<Layout>(store, LAYOUT).await?.is_some() {
        return Ok(());
    }
    // A store that refuses such a key was never one of an earlier version.
    if store.exists(EARLIER).await.unwrap_or(false) {
        return Err(Error::EarlierVersion);
    }
    Ok(write(store, LAYOUT, &Layout {}).await?)
}

/// Whether the work bucket was found fit for decisions; checks the store, too.
///
/// # Errors
/// [`Error::EarlierVersion`]; the store failed.
pub async fn is_probed(store: &impl Store, endpoint: &str, bucket: &str) -> Result<bool, Error> {
    check_layout(store).await?;
    let probed: Option<Probed> = read(store, BUCKET).await?;
    Ok(probed.is_some_and(|probed| (probed.endpoint.as_str(), probed.bucket.as_str()) == (endpoint, bucket)))
}

/// Notes that the work bucket was found fit for decisions.
///
/// # Errors
/// The store failed.
pub async fn note_probed(store: &impl Store, endpoint: &str, bucket: &str) -> Result<(), Error> {
    let probed = Probed { endpoint: endpoint.into(), bucket: bucket.into() };
    Ok(write(store, BUCKET, &probed).await?)
}

#[cfg(test)]
mod tests {
    use store::memory::{MemoryStore, run};

    use super::*;

    #[test]
    fn a_store_of_an_earlier_version_is_refused_with_what_to_do() {
        let store = MemoryStore::with_any_key();
        run(store.increment(EARLIER, 1)).unwrap();
        let error = run(is_probed(&store, "e", "b")).unwrap_err();
        assert!(error.to_string().contains("empty store"), "{error}");
        assert_eq!(store.keys(), [EARLIER]);
    }

    #[test]
    fn a_work_bucket_is_fit_once_it_was_probed_and_no_other_one_is() {
        let store = MemoryStore::with_any_key();
        assert!(!run(is_probed(&store, "e", "b")).unwrap());
        run(note_probed(&store, "e", "b")).unwrap();
        assert!(run(is_probed(&store, "e", "b")).unwrap());
        assert!(!run(is_probed(&store, "e", "other")).unwrap());
    }
}
