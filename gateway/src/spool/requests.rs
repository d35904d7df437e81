//! What somebody asks a gateway for by hand: files that a command leaves in the spool.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{record::replace_durably, refused::ChunkId};
use crate::clock::unix_ms;

/// What is to become of some chunks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) action: Action,
    pub(crate) chunks: Vec<ChunkId>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Chunks that were refused are brought to the functions again.
    Resend,
    /// Chunks are deleted. Those that wait are told lost.
    Drop,
}

impl Request {
    /// Leaves it for the gateway: whole, or not at all.
    pub(crate) fn leave(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let name = format!("{:013}-{:08x}.json", unix_ms(), fastrand::u32(..));
        replace_durably(&folder.join(name), &serde_json::to_vec(self)?)
    }
}

/// The requests in a folder, in order. One that cannot be read is passed over, and logged.
pub(crate) fn requests(folder: &Path) -> io::Result<Vec<(PathBuf, Request)>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        match fs::read(&path).map_err(anyhow::Error::from).and_then(|text| Ok(serde_json::from_slice(&text)?))
        {
            Ok(request) => found.push((path, request)),
            Err(error) => tracing::error!("request {} cannot be read: {error:#}", path.display()),
        }
    }
    Ok(found)
}
