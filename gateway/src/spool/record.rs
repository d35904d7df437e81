//! What a push's folder says about it.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context;
use protocol::{BeginSession, StreamPath};
use serde::{Deserialize, Serialize};

/// `push.json`: all that a restarted gateway needs to complete the push.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Record {
    pub(crate) domain: String,
    pub(crate) app: String,
    pub(crate) stream: String,
    /// Name of the folder.
    pub(crate) push: String,
    pub(crate) client: String,
    pub(crate) arguments: BTreeMap<String, String>,
    pub(crate) video_codec: String,
    pub(crate) audio_codec: String,
    pub(crate) video_kbps: u32,
    pub(crate) began_at_ms: u64,
    pub(crate) ended_at_ms: Option<u64>,
    /// The session that the functions gave, once a chunk of it is on its way.
    pub(crate) session: Option<String>,
    /// How many sessions of this push the functions have declared over.
    pub(crate) sessions_over: u32,
    /// Index of a chunk less its number in the session: a chunk's number follows from its file name and
    /// this alone, so that a crash between an acknowledgement and the deletion repeats a number and its bytes.
    pub(crate) index_less_seq: Option<i64>,
}

impl Record {
    pub(crate) fn stream_path(&self) -> anyhow::Result<StreamPath> {
        Ok(StreamPath::new(&self.domain, &self.app, &self.stream)?)
    }

    /// What the functions are told. A session after one that is over needs another push name.
    pub(crate) fn begin(&self, gateway: &str) -> BeginSession {
        let push = match self.sessions_over {
            0 => self.push.clone(),
            over => format!("{}.{over}", self.push),
        };
        BeginSession {
            gateway: gateway.to_owned(),
            push,
            client: self.client.clone(),
            arguments: self.arguments.clone(),
            video_codec: self.video_codec.clone(),
            audio_codec: self.audio_codec.clone(),
            video_kbps: self.video_kbps,
            began_at_ms: self.began_at_ms,
        }
    }

    pub(crate) fn load(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("push.json");
        let text = fs::read(&path).with_context(|| format!("while reading {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("while reading {}", path.display()))
    }

    /// Replaces the file as a whole.
    pub(crate) fn save(&self, folder: &Path) -> io::Result<()> {
        let new = folder.join("push.json.new");
        fs::write(&new, serde_json::to_vec(self)?)?;
        fs::rename(new, folder.join("push.json"))
    }
}

/// File name of a chunk.
pub(crate) fn chunk_path(folder: &Path, index: u64, time_ms: u64) -> PathBuf {
    folder.join(format!("{index:010}-{time_ms}.flv"))
}

/// Index and time of a chunk by its file name.
pub(crate) fn parse_chunk_path(path: &Path) -> Option<(u64, u64)> {
    let (index, time_ms) = path.file_name()?.to_str()?.strip_suffix(".flv")?.split_once('-')?;
    Some((index.parse().ok()?, time_ms.parse().ok()?))
}
