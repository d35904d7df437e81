//! The upload in parts that a record file is made by, and how far that is.
//!
//! Two calls may each begin one. Which is the file's is [decided](decision) in the work bucket, and again after each that
//! was given up. How far it is, is a hint: without it, the parts are uploaded once more.

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::decision::{self, WorkBucket};
use crate::error::Error;
use crate::key;
use crate::rule::Container;
use crate::stream::hash;

/// A record file under the name that it is uploaded under.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The recording.
    pub recording: &'a str,
    /// The file's format.
    pub container: Container,
    /// Its number.
    pub number: u32,
    /// How many names before this one turned out to be another writer's.
    pub names_taken: u32,
    /// The session of its last slice, with which the decisions are kept.
    pub session: &'a str,
}

impl Target<'_> {
    /// The name of the decision on the upload that comes after one that was given up, or on the first one.
    fn decision_name(&self, after: &str) -> String {
        let Self { recording, container, number, names_taken, session } = self;
        // Builds that write other bytes have another key, and so uploads of their own.
        let hint = key::upload(recording, *container);
        let name = format!("{number} {names_taken}");
        format!("{}{}", decisions(session), hash(&[&hint, &name, after]))
    }

    /// How far it was noted to be.
    async fn noted(&self, store: &impl Store) -> Result<Option<Upload>, Error> {
        let noted: Option<Upload> = read(store, &key::upload(self.recording, self.container)).await?;
        Ok(noted.filter(|upload| (upload.number, upload.names_taken) == (self.number, self.names_taken)))
    }

    /// The last upload that was decided on, from the one after `after` on.
    async fn last(&self, bucket: &impl WorkBucket, mut after: String) -> Result<Option<Upload>, Error> {
        let mut last = None;
        while let Some(next) = decision::find::<Upload>(bucket, &self.decision_name(&after)).await?
            && next.id != after
        {
            after.clone_from(&next.id);
            last = Some(next);
        }
        Ok(last)
    }
}

/// How far a record file is uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// The file's number.
    pub number: u32,
    /// How many names turned out to be another writer's before the one that it is uploaded under.
    pub names_taken: u32,
    /// The store's id of the upload; empty while none has begun since the one before was given up.
    pub id: String,
    /// The id of the upload before it, which was given up; empty for the first.
    #[serde(default)]
    pub after: String,
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

/// How far a record file is uploaded: as it was noted last, or by the upload that was decided on.
///
/// # Errors
/// The store or the work bucket failed.
pub async fn get(
    store: &impl Store,
    bucket: &impl WorkBucket,
    target: Target<'_>,
) -> Result<Option<Upload>, Error> {
    let noted = target.noted(store).await?;
    if noted.as_ref().is_some_and(|upload| !upload.id.is_empty()) {
        return Ok(noted);
    }
    let after = noted.as_ref().map_or(String::new(), |upload| upload.after.clone());
    Ok(target.last(bucket, after).await?.or(noted))
}

/// Decides that an upload that has just begun is the file's, or finds the one that is, and how far that was noted to be.
///
/// # Errors
/// The store or the work bucket failed.
pub async fn decide(
    store: &impl Store,
    bucket: &impl WorkBucket,
    target: Target<'_>,
    begun: &Upload,
) -> Result<Upload, Error> {
    let mut decided = decision::decide(bucket, &target.decision_name(&begun.after), begun).await?;
    if decided.id != begun.id {
        if let Some(last) = target.last(bucket, decided.id.clone()).await? {
            decided = last;
        }
        if let Some(noted) = target.noted(store).await?.filter(|noted| noted.id == decided.id) {
            return Ok(noted);
        }
    }
    note(store, target.recording, target.container, &decided).await?;
    Ok(decided)
}

/// Notes how far it is.
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

/// Forgets how far it was, once the file is there.
pub(crate) async fn forget(store: &impl Store, recording: &str, container: Container) -> Result<(), Error> {
    Ok(store.delete(&key::upload(recording, container)).await?)
}

/// How the names of the decisions begin on the uploads of the files that end in a session.
pub(crate) fn decisions(session: &str) -> String {
    format!("decision/upload/{session}/")
}

#[cfg(test)]
mod tests {
    use store::memory::{MemoryStore, run};

    use super::*;
    use crate::tests::world::MemoryBucket;

    fn upload(id: &str, after: &str) -> Upload {
        let (id, after, sizes) = (id.into(), after.into(), vec![8]);
        Upload { number: 3, names_taken: 0, id, after, sizes, parts: Vec::new(), is_copied: false }
    }

    const TARGET: Target<'_> =
        Target { recording: "r", container: Container::Mp4, number: 3, names_taken: 0, session: "s" };

    #[test]
    fn of_two_uploads_of_a_file_one_is_decided_on_and_found_whatever_is_noted() {
        let (store, bucket) = (MemoryStore::default(), MemoryBucket::default());
        let get = |target| run(get(&store, &bucket, target)).unwrap();
        let decide = |target, begun: &Upload| run(decide(&store, &bucket, target, begun)).unwrap();
        assert_eq!(get(TARGET), None);
        assert_eq!(decide(TARGET, &upload("one", "")), upload("one", ""));
        assert_eq!(decide(TARGET, &upload("two", "")), upload("one", ""));
        run(forget(&store, "r", Container::Mp4)).unwrap();
        assert_eq!(get(TARGET), Some(upload("one", "")));
        // Whoever comes late sets nothing back.
        let further = Upload { parts: vec!["tag".into()], ..upload("one", "") };
        run(note(&store, "r", Container::Mp4, &further)).unwrap();
        assert_eq!(decide(TARGET, &upload("two", "")), further);
        assert_eq!(get(TARGET), Some(further));
        // It was given up: another one is decided on.
        run(note(&store, "r", Container::Mp4, &upload("", "one"))).unwrap();
        assert_eq!(get(TARGET), Some(upload("", "one")));
        assert_eq!(decide(TARGET, &upload("two", "one")), upload("two", "one"));
        // A late call sets the hint back.
        run(note(&store, "r", Container::Mp4, &upload("", "one"))).unwrap();
        assert_eq!(get(TARGET), Some(upload("two", "one")));
        // The one that was given up is not gone back to, by whoever begins one or knows of nothing.
        assert_eq!(decide(TARGET, &upload("three", "")), upload("two", "one"));
        run(forget(&store, "r", Container::Mp4)).unwrap();
        assert_eq!(get(TARGET), Some(upload("two", "one")));
        // Other files, and other names of this one, have uploads of their own.
        for other in [
            Target { number: 4, ..TARGET },
            Target { names_taken: 1, ..TARGET },
            Target { container: Container::Flv, ..TARGET },
            Target { recording: "q", ..TARGET },
        ] {
            assert_eq!(get(other), None, "{other:?}");
        }
    }

    #[test]
    fn an_flv_file_that_an_earlier_build_has_begun_is_uploaded_anew() {
        let (store, bucket) = (MemoryStore::default(), MemoryBucket::default());
        let begun = upload("begun", "");
        for (container, is_found) in [(Container::Mp4, true), (Container::Flv, false)] {
            let target = Target { container, ..TARGET };
            run(write(&store, &key::former_upload("r", container), &begun)).unwrap();
            let found = run(get(&store, &bucket, target)).unwrap();
            assert_eq!(found.is_some(), is_found, "{container:?}");
            // Nor does an earlier build go on with one of this build.
            run(forget(&store, "r", container)).unwrap();
            let former = run(read::<Upload>(&store, &key::former_upload("r", container))).unwrap();
            assert_eq!(former.is_none(), is_found, "{container:?}");
            run(note(&store, "r", container, &begun)).unwrap();
            assert_eq!(run(get(&store, &bucket, target)).unwrap().as_ref(), Some(&begun));
        }
    }
}
