//! Index files as they are kept: in the store, and in the parts of a day.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use store::Record;

use crate::days::days;
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::log::{Kind, StreamDay};
use crate::rule::Container;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::DAY_MS;

    #[test]
    fn a_file_is_in_the_days_that_its_content_touches_and_an_empty_one_in_that_of_its_begin() {
        let midnight_ms = 20_000 * DAY_MS;
        for (start_ms, end_ms, expected) in [
            (midnight_ms, midnight_ms, 20_000..=20_000),
            (midnight_ms + 5, midnight_ms - 5, 20_000..=20_000),
            (midnight_ms - 5, midnight_ms, 19_999..=19_999),
            (midnight_ms - 5, midnight_ms + 1, 19_999..=20_000),
        ] {
            let file = IndexFile {
                id: "a".into(),
                stream: StreamName { domain: "d".into(), app: "a".into(), stream: "s".into() },
                endpoint: "e".into(),
                bucket: "b".into(),
                object: "o".into(),
                container: Container::Mp4,
                start_ms,
                end_ms,
                duration_90khz: 0,
                size: None,
                created_ms: 0,
            };
            assert_eq!(days_of(&file), expected, "{start_ms} {end_ms}");
        }
    }
}
