//! How far a record file is uploaded in parts: a hint. Without it, the file is uploaded anew.

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::error::Error;
use crate::key;
use crate::rule::Container;

/// How far a record file is uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// The file's number.
    pub number: u32,
    /// How many names turned out to be another writer's before the one that it is uploaded under.
    pub names_taken: u32,
    /// The store's id of the upload.
    pub id: String,
    /// How many bytes each part has, of all that there will be.
    #[serde(default)]
    pub sizes: Vec<u64>,
    /// What the store calls the parts that are there.
    pub parts: Vec<String>,
    /// The store has copied some of them.
    #[serde(default)]
    pub is_copied: bool,
}

impl Record for Upload {
    const VERSION: u32 = 1;
}

/// How far the record file of a number is uploaded.
///
/// # Errors
/// The store failed.
pub async fn get(
    store: &impl Store,
    recording: &str,
    container: Container,
    number: u32,
) -> Result<Option<Upload>, Error> {
    let noted: Option<Upload> = read(store, &key::upload(recording, container)).await?;
    Ok(noted.filter(|upload| upload.number == number))
}

/// Notes it.
///
/// # Errors
/// The store failed.
pub async fn note(
    store: &impl Store,
    recording: &str,
    container: Container,
    upload: &Upload,
) -> Result<(), Error> {
    Ok(write(store, &key::upload(recording, container), upload).await?)
}

/// Forgets it, once the file is there.
pub(crate) async fn forget(store: &impl Store, recording: &str, container: Container) -> Result<(), Error> {
    Ok(store.delete(&key::upload(recording, container)).await?)
}

#[cfg(test)]
mod tests {
    use store::memory::{MemoryStore, run};

    use super::*;

    #[test]
    fn an_flv_file_that_an_earlier_build_has_begun_is_uploaded_anew() {
        let store = MemoryStore::default();
        let (number, names_taken, id, sizes, parts) = (3, 0, "begun".into(), vec![8], Vec::new());
        let begun = Upload { number, names_taken, id, sizes, parts, is_copied: false };
        for (container, is_found) in [(Container::Mp4, true), (Container::Flv, false)] {
            run(write(&store, &key::former_upload("r", container), &begun)).unwrap();
            let found = run(get(&store, "r", container, number)).unwrap();
            assert_eq!(found.is_some(), is_found, "{container:?}");
            // Nor does an earlier build go on with one of this build.
            run(forget(&store, "r", container)).unwrap();
            let former = run(read::<Upload>(&store, &key::former_upload("r", container))).unwrap();
            assert_eq!(former.is_none(), is_found, "{container:?}");
            run(note(&store, "r", container, &begun)).unwrap();
            assert_eq!(run(get(&store, "r", container, number)).unwrap().as_ref(), Some(&begun));
        }
    }
}
