//! What a push's folder says about it.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::{Context, ensure};
use protocol::{Generation, Resends, StreamPath};
use serde::{Deserialize, Serialize};

/// What [`Record::format`] is now.
const FORMAT: u32 = 3;

/// `push.json` and `progress.json`: all that a restarted gateway needs to complete the push.
///
/// The first says what never changes, and what is adopted; it is written so that it survives a loss of power. The second
/// says how far the push is and changes with each chunk: a loss of power may take it, and what it says is then found out
/// by the chunks that are there. The end is in the first one too, before it is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Raised when the meaning of a field changes; a record of another format is left alone.
    format: u32,
    pub(crate) push: Push,
    pub(crate) codecs: Codecs,
    /// When the first coded frame came, Unix milliseconds: used after a restart alone.
    pub(crate) began_at_ms: u64,
    pub(crate) end: Option<End>,
    /// The session that was adopted.
    pub(crate) session: Option<Session>,
    /// Whether it is no push, but chunks of one that were refused and are brought to the functions again.
    #[serde(default)]
    pub(crate) is_resent: bool,
    /// The session of such chunks, and the number of the first one there, where they had a session.
    #[serde(default)]
    pub(crate) resends: Option<Resends>,
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
}

/// A name that no other push has; names sort by their times where each is [`later`] than the one before.
pub(super) fn push_id(at_ms: u64) -> String {
    format!("{at_ms:013}-{:08x}", fastrand::u32(..))
}

/// A time that is later than all before it: the one given, where that is.
pub(super) fn later(last_ms: &AtomicU64, now_ms: u64) -> u64 {
    let next = |last_ms: u64| now_ms.max(last_ms + 1);
    let (Ok(before) | Err(before)) =
        last_ms.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last_ms| Some(next(last_ms)));
    next(before)
}

/// What is pushed; empty and 0 where it is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Codecs {
    pub(crate) video: String,
    pub(crate) audio: String,
    pub(crate) video_kbps: u32,
}

/// The end of a push.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct End {
    /// From the first to the last coded frame, in milliseconds.
    pub(crate) duration_ms: u64,
    /// The index that a further chunk would have had.
    pub(crate) next_index: u64,
}

/// The session of a push: the one offer that was adopted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// As the functions named it.
    pub(crate) id: String,
    /// The index of the chunk whose number is 0: what was spooled before it was not wanted.
    pub(crate) first_index: u64,
    /// The index after the last chunk that the functions know of: its file is deleted.
    #[serde(default)]
    pub(crate) known_to: u64,
    /// Whether the functions have answered the end.
    pub(crate) is_end_told: bool,
}

impl Record {
    /// The record of a push whose first coded frame has not come.
    pub(crate) fn new(push: Push) -> Self {
        Self {
            format: FORMAT,
            push,
            codecs: Codecs::default(),
            began_at_ms: 0,
            end: None,
            session: None,
            is_resent: false,
            resends: None,
        }
    }

    pub(crate) fn stream_path(&self) -> anyhow::Result<StreamPath> {
        let Push { domain, app, stream, .. } = &self.push;
        Ok(StreamPath::new(domain, app, stream)?)
    }

    pub(crate) fn load(folder: &Path) -> anyhow::Result<Self> {
        let mut record = Self::load_push(folder)?;
        let progress = fs::read(folder.join(PROGRESS)).ok();
        if let Some(Progress { end, known_to, is_end_told }) =
            progress.and_then(|text| serde_json::from_slice(&text).ok())
        {
            record.end = end.or(record.end);
            if let Some(session) = &mut record.session {
                session.known_to = session.known_to.max(known_to);
                session.is_end_told |= is_end_told;
            }
        }
        Ok(record)
    }

    fn load_push(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(PUSH);
        let text = fs::read(&path).with_context(|| format!("while reading {}", path.display()))?;
        let read = || {
            let json: serde_json::Value = serde_json::from_slice(&text)?;
            let format = json.get("format").and_then(serde_json::Value::as_u64);
            ensure!(format == Some(FORMAT.into()), "its format is {format:?}, this gateway reads {FORMAT}");
            Ok(serde_json::from_value(json)?)
        };
        read().with_context(|| format!("while reading {}", path.display()))
    }

    /// Writes down a push that has begun. It survives a loss of power once it is adopted, or a chunk of it is synced.
    pub(crate) fn create(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        replace(&folder.join(PUSH), &serde_json::to_vec(self)?, false)
    }

    /// Has a restart find no push.
    pub(crate) fn forget(folder: &Path) {
        match fs::remove_file(folder.join(PUSH)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::error!("{} cannot be deleted: {error}", folder.join(PUSH).display());
            }
            _ => {}
        }
    }

    /// Writes down how far the push is.
    pub(crate) fn save(&self, folder: &Path) -> io::Result<()> {
        let (known_to, is_end_told) =
            self.session.as_ref().map_or((0, false), |session| (session.known_to, session.is_end_told));
        let progress = Progress { end: self.end, known_to, is_end_told };
        replace(&folder.join(PROGRESS), &serde_json::to_vec(&progress)?, false)
    }

    /// Writes down the push with what is adopted, so that it survives a loss of power, with its folder.
    pub(crate) fn save_durably(&self, folder: &Path) -> io::Result<()> {
        replace_durably(&folder.join(PUSH), &serde_json::to_vec(self)?)?;
        folder.parent().map_or(Ok(()), |pushes| File::open(pushes)?.sync_all())
    }
}

const PUSH: &str = "push.json";
const PROGRESS: &str = "progress.json";

/// How far a push is.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Progress {
    end: Option<End>,
    /// As in [`Session`].
    known_to: u64,
    is_end_told: bool,
}

/// The file of a push in a folder that says whose push it is.
pub(super) fn push_file(folder: &Path) -> PathBuf {
    folder.join(PUSH)
}

/// Replaces a file as a whole, also where the process is killed meanwhile.
fn replace(path: &Path, bytes: &[u8], is_synced: bool) -> io::Result<()> {
    // Two may be at work at once.
    let new = path.with_added_extension(if is_synced { "synced" } else { "new" });
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    if is_synced {
        file.sync_all()?;
    }
    fs::rename(new, path)
}

/// Replaces a file as a whole; what it then holds survives a loss of power.
pub(crate) fn replace_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, bytes, true)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// What a chunk's file name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct ChunkName {
    /// Its place in the push; chunks of one push have consecutive indexes.
    pub(crate) index: u64,
    /// When its first tag came, in milliseconds since the push began, by a clock that never steps.
    pub(crate) offset_ms: u64,
    /// What held when it was cut.
    pub(crate) generation: Generation,
    /// Whether the next chunk begins with what no player can begin with.
    pub(crate) continues: bool,
}

const CONTINUES: &str = "-continues";

impl ChunkName {
    /// The chunk's file.
    pub(crate) fn path(self, folder: &Path) -> PathBuf {
        let Self { index, offset_ms, generation, continues } = self;
        let continues = if continues { CONTINUES } else { "" };
        folder.join(format!("{index:010}+{offset_ms}+{generation}{continues}.flv"))
    }

    /// Its file while nothing is recorded: a restart deletes it.
    pub(crate) fn kept_path(self, folder: &Path) -> PathBuf {
        folder.join(format!("{:010}.kept", self.index))
    }

    /// Reads the name of a chunk's file; `None` if it is another's.
    pub(crate) fn parse(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_suffix(".flv")?;
        let (name, continues) = name.strip_suffix(CONTINUES).map_or((name, false), |name| (name, true));
        let mut parts = name.split('+');
        let (index, offset_ms, generation) = (parts.next()?, parts.next()?, parts.next()?);
        parts.next().is_none().then_some(())?;
        Some(Self {
            index: index.parse().ok()?,
            offset_ms: offset_ms.parse().ok()?,
            generation: generation.parse().ok()?,
            continues,
        })
    }
}

/// Whether a file holds media that was kept while nothing was recorded.
pub(crate) fn is_kept(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "kept")
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
    use crate::spool::Spool;

    #[test]
    fn a_record_comes_back_and_one_of_another_format_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut record = Record::new(Push { id: "p".into(), ..Push::default() });
        record.session = Some(Session { id: "s".into(), first_index: 3, known_to: 5, is_end_told: false });
        record.save_durably(folder.path()).unwrap();
        let loaded = Record::load(folder.path()).unwrap();
        assert_eq!((loaded.push, loaded.session), (record.push.clone(), record.session.clone()));

        record.end = Some(End { duration_ms: 70, next_index: 9 });
        record.session = Some(Session { id: "s".into(), first_index: 3, known_to: 8, is_end_told: true });
        record.save(folder.path()).unwrap();
        let loaded = Record::load(folder.path()).unwrap();
        assert_eq!((loaded.end, loaded.session), (record.end, record.session.clone()));

        // The end was told: a loss of power may take how far the push was, or bring back how far it was before.
        record.save_durably(folder.path()).unwrap();
        for progress in ["", r#"{"end":null,"known_to":4}"#] {
            fs::write(folder.path().join(PROGRESS), progress).unwrap();
            assert_eq!(Record::load(folder.path()).unwrap().end, record.end);
        }

        record.format += 1;
        record.create(folder.path()).unwrap();
        let error = format!("{:#}", Record::load(folder.path()).unwrap_err());
        assert!(error.ends_with("push.json: its format is Some(4), this gateway reads 3"), "{error}");
    }

    #[test]
    fn names_of_pushes_sort_as_the_pushes_came() {
        let spool = tempfile::tempdir().unwrap();
        let spool = Spool::open(spool.path(), Some(1 << 20)).unwrap();
        let names: Vec<_> = (0..2_000).map(|_| spool.new_push_id()).collect();
        assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
        // The clock stands still, steps back, and goes on.
        let last_ms = AtomicU64::new(0);
        let times = [7, 7, 7, 3, 5, 20, 20].map(|now_ms| later(&last_ms, now_ms));
        assert_eq!(times, [7, 8, 9, 10, 11, 20, 21]);
    }

    #[test]
    fn file_names_say_what_they_are() {
        let generation = Generation { orders: 2, files: 1 };
        let name = ChunkName { index: 7, offset_ms: 1_234, generation, continues: false };
        let path = name.path(Path::new("p"));
        assert_eq!((path.to_str(), ChunkName::parse(&path)), (Some("p/0000000007+1234+2.1.flv"), Some(name)));
        let continuing = ChunkName { continues: true, ..name };
        let continuing_path = continuing.path(Path::new("p"));
        assert_eq!(continuing_path.to_str(), Some("p/0000000007+1234+2.1-continues.flv"));
        assert_eq!(ChunkName::parse(&continuing_path), Some(continuing));
        let split = split_path(&path, 99);
        assert_eq!(split.to_str(), Some("p/0000000007+1234+2.1.flv.99.split"));
        assert_eq!((ChunkName::parse(&split), parse_split_path(&split)), (None, Some((path.clone(), 99))));
        assert_eq!(parse_split_path(&path), None);
        let kept = name.kept_path(Path::new("p"));
        assert!(is_kept(&kept) && !is_kept(&path) && ChunkName::parse(&kept).is_none());
    }
}
