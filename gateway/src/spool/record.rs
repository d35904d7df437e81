//! What a push's folder says about it.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use protocol::{BeginSession, StreamPath};
use serde::{Deserialize, Serialize};

/// What [`Record::format`] is now.
const FORMAT: u32 = 2;

/// `push.json`: all that a restarted gateway needs to complete the push.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Raised when the meaning of a field changes; a record of another format is left alone.
    format: u32,
    pub(crate) push: Push,
    pub(crate) codecs: Codecs,
    /// When the connection ended, Unix milliseconds.
    pub(crate) ended_at_ms: Option<u64>,
    /// The session that the functions gave.
    pub(crate) session: Option<Session>,
    /// How many sessions of this push the functions have declared over.
    pub(crate) sessions_over: u32,
}

/// The push itself, as it was when it was published.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Push {
    /// Names the push, and its folder.
    pub(crate) id: String,
    pub(crate) domain: String,
    pub(crate) app: String,
    pub(crate) stream: String,
    /// Address of the publisher.
    pub(crate) client: String,
    pub(crate) arguments: BTreeMap<String, String>,
    /// Unix milliseconds.
    pub(crate) began_at_ms: u64,
}

/// What is pushed; empty and 0 where it is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Codecs {
    pub(crate) video: String,
    pub(crate) audio: String,
    pub(crate) video_kbps: u32,
}

/// A session of the push.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// As the functions named it.
    pub(crate) id: String,
    /// Which number each chunk has, from the first upload on.
    pub(crate) numbering: Option<Numbering>,
}

/// The numbers of the chunks in a session: chunk `index` has the number `seq`, and the others count on from it.
///
/// A chunk's number follows from its file name and this alone, so that a crash between an acknowledgement and
/// the deletion of the file repeats a number and its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Numbering {
    pub(crate) index: u64,
    pub(crate) seq: u64,
}

impl Numbering {
    /// The number of a chunk that is not before `index`.
    pub(crate) fn seq_of(self, index: u64) -> u64 {
        self.seq + index.saturating_sub(self.index)
    }
}

impl Record {
    pub(crate) fn new(push: Push) -> Self {
        Self {
            format: FORMAT,
            push,
            codecs: Codecs::default(),
            ended_at_ms: None,
            session: None,
            sessions_over: 0,
        }
    }

    pub(crate) fn stream_path(&self) -> anyhow::Result<StreamPath> {
        let Push { domain, app, stream, .. } = &self.push;
        Ok(StreamPath::new(domain, app, stream)?)
    }

    /// What the functions are told. A session after one that is over needs another push name.
    pub(crate) fn begin(&self, gateway: &str) -> BeginSession {
        let Self { push, codecs, .. } = self;
        let name = match self.sessions_over {
            0 => push.id.clone(),
            over => format!("{}.{over}", push.id),
        };
        BeginSession {
            gateway: gateway.to_owned(),
            push: name,
            client: push.client.clone(),
            arguments: push.arguments.clone(),
            video_codec: codecs.video.clone(),
            audio_codec: codecs.audio.clone(),
            video_kbps: codecs.video_kbps,
            began_at_ms: push.began_at_ms,
        }
    }

    pub(crate) fn load(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("push.json");
        let text = fs::read(&path).with_context(|| format!("while reading {}", path.display()))?;
        let read = || {
            let json: serde_json::Value = serde_json::from_slice(&text)?;
            let format = json.get("format").and_then(serde_json::Value::as_u64);
            ensure!(format == Some(FORMAT.into()), "its format is {format:?}, this gateway reads {FORMAT}");
            Ok(serde_json::from_value(json)?)
        };
        read().with_context(|| format!("while reading {}", path.display()))
    }

    /// Replaces the file as a whole.
    pub(crate) fn save(&self, folder: &Path) -> io::Result<()> {
        let new = folder.join("push.json.new");
        fs::write(&new, serde_json::to_vec(self)?)?;
        fs::rename(new, folder.join("push.json"))
    }
}

/// What a chunk's file name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ChunkName {
    /// Its place in the push; chunks of one push have consecutive indexes.
    pub(crate) index: u64,
    /// When its first tag came, in milliseconds since the push began, by a clock that never steps.
    pub(crate) offset_ms: u64,
    /// Whether it is the first chunk after a time in which nothing was recorded.
    pub(crate) resumes: bool,
}

const RESUMES: &str = "-resumes";

impl ChunkName {
    /// The chunk's file.
    pub(crate) fn path(self, folder: &Path) -> PathBuf {
        let Self { index, offset_ms, resumes } = self;
        folder.join(format!("{index:010}+{offset_ms}{}.flv", if resumes { RESUMES } else { "" }))
    }

    /// Reads the name of a chunk's file; `None` if it is another's.
    pub(crate) fn parse(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_suffix(".flv")?;
        let (name, resumes) = name.strip_suffix(RESUMES).map_or((name, false), |name| (name, true));
        let (index, offset_ms) = name.split_once('+')?;
        Some(Self { index: index.parse().ok()?, offset_ms: offset_ms.parse().ok()?, resumes })
    }
}

/// What the file of a chunk is called until the chunk before it, whose end it holds, has been cut to `at` bytes.
pub(crate) fn split_path(path: &Path, at: u64) -> PathBuf {
    path.with_added_extension(format!("{at}.split"))
}

/// The final path of such a file, and the bytes to which the chunk before it is cut.
pub(crate) fn parse_split_path(path: &Path) -> Option<(PathBuf, u64)> {
    let (name, at) = path.file_name()?.to_str()?.strip_suffix(".split")?.rsplit_once('.')?;
    Some((path.with_file_name(name), at.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_and_one_of_another_format_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut record = Record::new(Push { id: "p".into(), began_at_ms: 7, ..Push::default() });
        record.session = Some(Session { id: "s".into(), numbering: Some(Numbering { index: 3, seq: 1 }) });
        record.save(folder.path()).unwrap();
        let loaded = Record::load(folder.path()).unwrap();
        assert_eq!((loaded.push, loaded.session), (record.push.clone(), record.session.clone()));

        record.format += 1;
        record.save(folder.path()).unwrap();
        let error = format!("{:#}", Record::load(folder.path()).unwrap_err());
        assert!(error.ends_with("push.json: its format is Some(3), this gateway reads 2"), "{error}");
    }

    #[test]
    fn file_names_say_what_they_are() {
        let name = ChunkName { index: 7, offset_ms: 1_234, resumes: false };
        let path = name.path(Path::new("p"));
        assert_eq!((path.to_str(), ChunkName::parse(&path)), (Some("p/0000000007+1234.flv"), Some(name)));
        let resuming = ChunkName { resumes: true, ..name };
        let resuming_path = resuming.path(Path::new("p"));
        assert_eq!(resuming_path.to_str(), Some("p/0000000007+1234-resumes.flv"));
        assert_eq!(ChunkName::parse(&resuming_path), Some(resuming));
        let split = split_path(&path, 99);
        assert_eq!(split.to_str(), Some("p/0000000007+1234.flv.99.split"));
        assert_eq!((ChunkName::parse(&split), parse_split_path(&split)), (None, Some((path.clone(), 99))));
        assert_eq!(parse_split_path(&path), None);
    }

    #[test]
    fn numbers_count_on_from_where_the_session_stood() {
        let numbering = Numbering { index: 3, seq: 1 };
        assert_eq!([3, 4, 9].map(|index| numbering.seq_of(index)), [1, 2, 7]);
    }
}
