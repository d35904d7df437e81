//! Index files: record files, and M3U8 made on request, as they can be looked up.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::account::Run;
use crate::days::{days, note};
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::list;
use crate::log::{Kind, StreamDay};
use crate::rule::Container;
use crate::seal::files;
use crate::session::Session;
use crate::stream::{StreamName, hash};

/// What has an id is in the list of the day that the id names, or of one of so many, counted from it.
const REACH_DAYS: u64 = 5;

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

/// An index file as it is stored: one that was deleted may be sealed already, and is deleted by what is sealed later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stored {
    #[serde(flatten)]
    pub(crate) file: IndexFile,
    #[serde(default)]
    pub(crate) is_deleted: bool,
}

impl Record for Stored {
    const VERSION: u32 = 1;
}

/// What a part of a day holds.
#[derive(Serialize, Deserialize)]
struct Part {
    version: u32,
    files: Vec<Stored>,
}

const PART_VERSION: u32 = 1;

/// A part as bytes.
pub(crate) fn encode(name: &str, files: &[Stored]) -> Result<Vec<u8>, Error> {
    let part = Part { version: PART_VERSION, files: files.to_vec() };
    serde_json::to_vec(&part).map_err(|error| Error::Record { key: name.into(), reason: error.to_string() })
}

/// The files of a part that counts; none once it is deleted.
pub(crate) async fn read_part(
    bucket: &impl WorkBucket,
    at: StreamDay<'_>,
    part: u32,
) -> Result<Vec<Stored>, Error> {
    let Some(bytes) = at.read(bucket, Kind::Files, part).await? else { return Ok(Vec::new()) };
    let unreadable = |reason: String| Error::Record { key: at.object(Kind::Files, part), reason };
    let part: Part = serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
    if part.version != PART_VERSION {
        return Err(unreadable(format!(
            "its version is {}, this program reads {PART_VERSION}",
            part.version
        )));
    }
    Ok(part.files)
}

/// An id in a key: callers choose ids of any characters.
pub(crate) fn key(stream: &str, id: &str) -> String {
    format!("i.{stream}.{}", hash(&[id]))
}

/// The list of the files of a stream's day.
pub(crate) fn list_of(at: StreamDay<'_>) -> String {
    format!("i.{}.{}", at.stream, at.day)
}

/// The days that a file's content touches.
pub(crate) fn days_of(file: &IndexFile) -> RangeInclusive<u64> {
    days(file.start_ms, file.end_ms.max(file.start_ms + 1))
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
