//! Index files: record files, and M3U8 made on request, as they can be looked up.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::account::Run;
use crate::days::days;
use crate::error::Error;
use crate::list;
use crate::rule::Container;
use crate::session::Session;
use crate::stream::{StreamName, hash};

/// A record file, or an M3U8 made on request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexFile {
    /// Unique; chosen by the caller.
    pub id: String,
    /// The stream.
    pub stream: StreamName,
    /// Endpoint of the store that it lies in.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// The object's name.
    pub object: String,
    /// What it is.
    pub container: Container,
    /// Begin of its content, Unix milliseconds.
    pub start_ms: u64,
    /// End of its content, Unix milliseconds.
    pub end_ms: u64,
    /// Unit: 1/90 000 s.
    pub duration_90khz: u64,
    /// Width and height of its pictures, in luma samples, if it has pictures of a known size.
    pub size: Option<(u32, u32)>,
    /// When it was made known, Unix milliseconds.
    pub created_ms: u64,
}

impl Record for IndexFile {
    const VERSION: u32 = 1;
}

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
    let rule = first.rule.as_ref();
    let size = (run.tracks.width.into(), run.tracks.height.into());
    IndexFile {
        id: naming::uuid(std::array::from_fn(|at| digest[at])),
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

/// An id in a key: callers choose ids of any characters.
fn key(stream: &str, id: &str) -> String {
    format!("i.{stream}.{}", hash(&[id]))
}

fn list_of(stream: &str, day: u64) -> String {
    format!("i.{stream}.{day}")
}

/// Makes an index file known; harmless when repeated.
///
/// # Errors
/// The store failed.
pub async fn add(store: &impl Store, file: &IndexFile) -> Result<(), Error> {
    let stream = file.stream.key();
    let key = key(&stream, &file.id);
    if store.exists(&key).await? {
        return Ok(());
    }
    // The record comes last: an entry of a list that leads to none counts for nothing.
    for day in days(file.start_ms, file.end_ms.max(file.start_ms + 1)) {
        list::append(store, &list_of(&stream, day), &file.id).await?;
    }
    Ok(write(store, &key, file).await?)
}

/// A stream's index file of this id.
///
/// # Errors
/// The store failed.
pub async fn get(store: &impl Store, stream: &StreamName, id: &str) -> Result<Option<IndexFile>, Error> {
    Ok(read(store, &key(&stream.key(), id)).await?)
}

/// A stream's index files whose content overlaps a range, oldest first.
///
/// # Errors
/// The store failed.
pub async fn list(
    store: &impl Store,
    stream: &StreamName,
    from_ms: u64,
    to_ms: u64,
) -> Result<Vec<IndexFile>, Error> {
    let stream_key = stream.key();
    let mut ids = BTreeSet::new();
    for day in days(from_ms, to_ms) {
        ids.extend(list::all(store, &list_of(&stream_key, day)).await?);
    }
    let mut found: Vec<IndexFile> = Vec::new();
    for id in ids {
        let file = get(store, stream, &id).await?;
        found.extend(file.filter(|file| file.start_ms < to_ms && file.end_ms > from_ms));
    }
    found.sort_by_key(|file| (file.start_ms, file.end_ms, file.created_ms));
    Ok(found)
}

/// Forgets an index file; answers whether it was known.
///
/// # Errors
/// The store failed.
pub async fn delete(store: &impl Store, stream: &StreamName, id: &str) -> Result<bool, Error> {
    let key = key(&stream.key(), id);
    let is_known = store.exists(&key).await?;
    store.delete(&key).await?;
    Ok(is_known)
}
