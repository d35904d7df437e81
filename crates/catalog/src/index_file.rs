//! Index files: record files, and M3U8 made on request, as they can be looked up.

use std::collections::BTreeMap;

use store::Store;
use store::record::{read, write};

use crate::account::Run;
use crate::days::{days, note};
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::list;
use crate::log::StreamDay;
use crate::rule::Container;
use crate::seal::files;
use crate::session::Session;
use crate::stored_file::{Stored, days_of, key, list_of};
use crate::stream::StreamName;

pub use crate::stored_file::IndexFile;

/// What has an id is in the list of the day that the id names, or of one of so many, counted from it.
const REACH_DAYS: u64 = 5;

/// A record file of a recording that begins with a session, as it can be looked up. Its id has the form of a UUID
/// (RFC 9562 §4) and follows from the file.
#[must_use]
pub fn of_record_file(
    first: &Session,
    container: Container,
    run: &Run,
    object: &str,
    now_ms: u64,
) -> IndexFile {
    let digest = naming::digest([first.id.as_str(), &format!("{container:?}"), &run.number.to_string()]);
    let digest = std::array::from_fn(|at| digest[at]);
    let rule = first.rule.as_ref();
    let size = (run.tracks.width.into(), run.tracks.height.into());
    IndexFile {
        id: naming::dated_uuid(run.start_ms, digest),
        stream: first.stream.clone(),
        endpoint: rule.map(|rule| rule.endpoint.clone()).unwrap_or_default(),
        bucket: rule.map(|rule| rule.bucket.clone()).unwrap_or_default(),
        object: object.into(),
        container,
        start_ms: run.start_ms,
        end_ms: run.end_ms,
        duration_90khz: run.duration_90khz,
        size: Some(size).filter(|(width, height)| *width > 0 && *height > 0),
        created_ms: now_ms,
    }
}

/// Makes an index file known; harmless when repeated.
///
/// # Errors
/// The store or the work bucket failed.
pub async fn add(
    store: &impl Store,
    bucket: &impl WorkBucket,
    file: &IndexFile,
    now_ms: u64,
) -> Result<(), Error> {
    if get(store, bucket, &file.stream, &file.id).await?.is_some() {
        return Ok(());
    }
    put(store, &Stored { file: file.clone(), is_deleted: false }, now_ms).await
}

/// Stores an index file. The record comes last: an entry of a list that leads to none counts for nothing.
async fn put(store: &impl Store, stored: &Stored, now_ms: u64) -> Result<(), Error> {
    let stream = stored.file.stream.key();
    for day in days_of(&stored.file) {
        let at = StreamDay { stream: &stream, day };
        note(store, &list_of(at), "i", at, &stored.file.id, now_ms).await?;
    }
    Ok(write(store, &key(&stream, &stored.file.id), stored).await?)
}

/// A stream's index file of this id.
///
/// # Errors
/// The store or the work bucket failed.
pub async fn get(
    store: &impl Store,
    bucket: &impl WorkBucket,
    stream: &StreamName,
    id: &str,
) -> Result<Option<IndexFile>, Error> {
    let stored = find(store, bucket, &stream.key(), id).await?;
    Ok(stored.filter(|stored| !stored.is_deleted).map(|stored| stored.file))
}

/// Whether an index file was ever made known, be it deleted since.
pub(crate) async fn is_noted(
    store: &impl Store,
    bucket: &impl WorkBucket,
    file: &IndexFile,
) -> Result<bool, Error> {
    Ok(find(store, bucket, &file.stream.key(), &file.id).await?.is_some())
}

async fn find(
    store: &impl Store,
    bucket: &impl WorkBucket,
    stream: &str,
    id: &str,
) -> Result<Option<Stored>, Error> {
    if let Some(stored) = read(store, &key(stream, id)).await? {
        return Ok(Some(stored));
    }
    // What was made on request touches its id's day, or one of as many days after it as a query reads.
    let Some(day) = naming::day_of_id(id) else { return Ok(None) };
    for day in day..day + REACH_DAYS {
        let sealed = files::of_days(store, bucket, stream, [day]).await?;
        if let Some(stored) = sealed.into_iter().find(|stored| stored.file.id == id) {
            return Ok(Some(stored));
        }
    }
    Ok(None)
}

/// A stream's index files whose content overlaps a range, oldest first.
///
/// # Errors
/// The store or the work bucket failed.
pub async fn list(
    store: &impl Store,
    bucket: &impl WorkBucket,
    stream: &StreamName,
    from_ms: u64,
    to_ms: u64,
) -> Result<Vec<IndexFile>, Error> {
    let stream = stream.key();
    let mut in_store: BTreeMap<String, Stored> = BTreeMap::new();
    for day in days(from_ms, to_ms) {
        for id in list::all(store, &list_of(StreamDay { stream: &stream, day })).await? {
            let stored: Option<Stored> = read(store, &key(&stream, &id)).await?;
            in_store.extend(stored.map(|stored| (id, stored)));
        }
    }
    // What leaves the store meanwhile is in a part by now; what is in both is newer in the store.
    let sealed = files::of_days(store, bucket, &stream, days(from_ms, to_ms)).await?;
    let mut all: BTreeMap<String, Stored> =
        sealed.into_iter().map(|stored| (stored.file.id.clone(), stored)).collect();
    all.extend(in_store);
    let mut found: Vec<IndexFile> = all
        .into_values()
        .filter(|stored| !stored.is_deleted)
        .map(|stored| stored.file)
        .filter(|file| file.start_ms < to_ms && file.end_ms > from_ms)
        .collect();
    found.sort_by_key(|file| (file.start_ms, file.end_ms, file.created_ms));
    Ok(found)
}

/// Forgets an index file; answers whether it was known.
///
/// # Errors
/// The store or the work bucket failed.
pub async fn delete(
    store: &impl Store,
    bucket: &impl WorkBucket,
    stream: &StreamName,
    id: &str,
    now_ms: u64,
) -> Result<bool, Error> {
    let Some(stored) = find(store, bucket, &stream.key(), id).await? else { return Ok(false) };
    if stored.is_deleted {
        return Ok(false);
    }
    put(store, &Stored { is_deleted: true, ..stored }, now_ms).await?;
    Ok(true)
}
