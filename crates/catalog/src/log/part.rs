//! What is in a part: runs of chunks, each of one session.
//!
//! ```text
//! part = JSON of [Header], LF, then the chunks of each run in the layout of a page
//! ```
//!
//! A run carries all that is known of its session, so that a reader of a day reads one object, and so that the store
//! can be filled anew from it. A slice of 5 s takes 10 to 12 bytes, a run some two thousand.

use serde::{Deserialize, Serialize};

use super::{Kind, StreamDay};
use crate::account::Run as FileRun;
use crate::chunk::Chunk;
use crate::committed::Committed;
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::next_file::Next;
use crate::page;
use crate::rule::Container;
use crate::session::{Adopted, End, Session};
use crate::status::Told;

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Where {
    /// The day, counted from 1970.
    pub(crate) day: u64,
    /// The part of it.
    pub(crate) part: u32,
}

/// What a session leaves that is over: nothing of it is needed in the store any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Over {
    /// The session that continues it.
    pub(crate) continued: Option<String>,
    /// Its recording goes no further: the next record file of each format.
    pub(crate) next_files: Vec<(Container, Next)>,
    /// How many of its orders began a file.
    pub(crate) files: u32,
    /// How many commands were given to it.
    pub(crate) commands: u64,
    /// How many rounds of silence there were.
    pub(crate) rounds: u64,
    /// Its recording goes no further: how far its status was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) told: Option<Told>,
}

/// Some chunks of a session, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Run {
    /// The session.
    pub(crate) session: Session,
    /// Which recording it belongs to.
    pub(crate) adopted: Adopted,
    /// When its recording's first session began, Unix milliseconds.
    pub(crate) recording_began_ms: u64,
    /// How it ended, if it has.
    pub(crate) end: Option<End>,
    /// Number of the first chunk.
    pub(crate) first: u64,
    /// The run of the session before this one.
    pub(crate) before: Option<Where>,
    /// The session was over before.
    pub(crate) is_revived: bool,
    /// The files that ended in it, with their formats' places in the rule.
    pub(crate) ended: Vec<(usize, FileRun)>,
    /// The record of the last chunk of the session so far, with its number.
    pub(crate) last: Option<(u64, Committed)>,
    /// The session is over.
    pub(crate) over: Option<Over>,
    /// The chunks.
    #[serde(skip)]
    pub(crate) chunks: Vec<Chunk>,
}

impl Run {
    /// Number of the first chunk after it.
    pub(crate) fn next(&self) -> u64 {
        self.first + self.chunks.len() as u64
    }

    /// Its chunks with their numbers.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (u64, Chunk)> {
        (self.first..).zip(self.chunks.iter().copied())
    }
}

/// What stands before the chunks of a part.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    version: u32,
    runs: Vec<Run>,
    /// How many bytes the chunks of each run take.
    bytes: Vec<usize>,
}

/// In version 1 the records of last chunks have accounts as JSON, which is read as well.
const VERSION: u32 = 2;

/// A part as bytes.
pub(crate) fn encode(name: &str, runs: &[Run]) -> Result<Vec<u8>, Error> {
    let chunks: Vec<Vec<u8>> = runs.iter().map(|run| page::encode(&run.chunks)).collect();
    let header =
        Header { version: VERSION, runs: runs.to_vec(), bytes: chunks.iter().map(Vec::len).collect() };
    let mut bytes = serde_json::to_vec(&header).map_err(|error| unreadable(name, error.to_string()))?;
    bytes.push(b'\n');
    bytes.extend(chunks.into_iter().flatten());
    Ok(bytes)
}

/// The runs of a part.
pub(crate) fn decode(name: &str, bytes: &[u8]) -> Result<Vec<Run>, Error> {
    let short = || unreadable(name, "it ends too early".into());
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(short)?;
    let header: Header =
        serde_json::from_slice(&bytes[..end]).map_err(|error| unreadable(name, error.to_string()))?;
    if !(1..=VERSION).contains(&header.version) {
        let reason = format!("its version is {}, this program reads 1 to {VERSION}", header.version);
        return Err(unreadable(name, reason));
    }
    let mut rest = &bytes[end + 1..];
    let mut runs = header.runs;
    if runs.len() != header.bytes.len() {
        return Err(unreadable(name, "its runs and their lengths differ in number".into()));
    }
    for (run, length) in runs.iter_mut().zip(header.bytes) {
        let (chunks, after) = rest.split_at_checked(length).ok_or_else(short)?;
        run.chunks = page::decode(chunks).map_err(|error| unreadable(name, error.to_string()))?;
        rest = after;
    }
    Ok(runs)
}

fn unreadable(name: &str, reason: String) -> Error {
    Error::Record { key: name.into(), reason }
}

/// The runs of a part that counts; none once it is deleted.
pub(crate) async fn read(bucket: &impl WorkBucket, at: StreamDay<'_>, part: u32) -> Result<Vec<Run>, Error> {
    match at.read(bucket, Kind::Sessions, part).await? {
        Some(bytes) => decode(&at.object(Kind::Sessions, part), &bytes),
        None => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_is_cut_anywhere_is_refused_and_never_panics() {
        let session = crate::tests::world::session_of("20260101-a");
        let chunks: Vec<Chunk> = (0..200).map(|seq| Chunk::Slice(crate::tests::world::slice(seq))).collect();
        let run = Run {
            adopted: Adopted { recording: session.id.clone(), continues: None, files_from: None },
            session,
            recording_began_ms: 7,
            end: None,
            first: 3,
            before: None,
            is_revived: false,
            ended: Vec::new(),
            last: None,
            over: None,
            chunks,
        };
        let other = Run { chunks: vec![Chunk::Empty], first: 0, ..run.clone() };
        let bytes = encode("part", &[run.clone(), other.clone()]).unwrap();
        assert_eq!(decode("part", &bytes).unwrap(), [run, other]);
        let header = bytes.iter().position(|byte| *byte == b'\n').unwrap();
        // One that was written before it was noted what is told has no such field.
        assert!(!bytes[..header].windows(4).any(|word| word == b"told"));
        for end in (0..bytes.len()).filter(|end| end % 97 == 0 || end.abs_diff(header) < 5) {
            assert!(decode("part", &bytes[..end]).is_err(), "{end}");
        }
    }
}
