//! What is stored beside an object's bytes.
//!
//! It lies in an extended attribute of the file, so that both appear and go in one step. Where the file system keeps
//! none, or not as much, it lies in a companion: a file named by the object file's identity and time, written before
//! the object appears.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use s3s::dto::ETag;
use serde::{Deserialize, Serialize};

/// The name of the extended attribute.
const NAME: &str = "user.live-recorder.object";

/// The most that is given to an extended attribute: some file systems have 4 KiB for all of a file's.
const MAX_ATTRIBUTE_BYTES: usize = 3000;

/// What a client said of an object, and its tag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Attributes {
    /// The entity tag, without quotes.
    pub(crate) e_tag: String,
    /// Headers by their lowercase names, those of user-defined metadata without `x-amz-meta-`.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) metadata: BTreeMap<String, String>,
    /// The checksum that the client gave or asked for: name and value.
    pub(crate) checksum: BTreeMap<String, String>,
}

impl Attributes {
    /// What is known of a file that somebody else put there.
    fn of_stranger(file: &Metadata) -> Self {
        let e_tag = format!("{:x}-{:x}-{:x}", file.len(), file.mtime(), file.mtime_nsec());
        Self { e_tag, ..Self::default() }
    }

    pub(crate) fn e_tag(&self) -> ETag {
        ETag::Strong(self.e_tag.clone())
    }

    /// Writes them beside a file whose bytes are all written. Without an error nothing has to be synced but the file
    /// itself.
    pub(crate) fn write(&self, file: &File, companions: &Path) -> io::Result<()> {
        let text = serde_json::to_vec(self)?;
        if text.len() <= MAX_ATTRIBUTE_BYTES
            && rustix::fs::fsetxattr(file, NAME, &text, rustix::fs::XattrFlags::empty()).is_ok()
        {
            return Ok(());
        }
        write_companion(&companion(companions, &file.metadata()?), &text, companions)
    }

    /// Reads them.
    pub(crate) fn read(file: &File, metadata: &Metadata, companions: &Path) -> io::Result<Self> {
        let mut text = vec![0; MAX_ATTRIBUTE_BYTES];
        if let Ok(length) = rustix::fs::fgetxattr(file, NAME, &mut text) {
            return Ok(serde_json::from_slice(&text[..length])?);
        }
        match fs::read(companion(companions, metadata)) {
            Ok(text) => Ok(serde_json::from_slice(&text)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::of_stranger(metadata)),
            Err(error) => Err(error),
        }
    }
}

/// Removes what lies beside a file that is gone.
pub(crate) fn forget(companions: &Path, file: &Metadata) {
    // A companion that stays does no harm: no other file has its identity and time.
    let _ = fs::remove_file(companion(companions, file));
}

fn companion(folder: &Path, file: &Metadata) -> PathBuf {
    folder.join(format!("{:x}-{:x}-{:x}", file.ino(), file.mtime(), file.mtime_nsec()))
}

fn write_companion(path: &Path, text: &[u8], folder: &Path) -> io::Result<()> {
    let written = File::create(path).and_then(|mut file| {
        file.write_all(text)?;
        file.sync_all()
    });
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_attribute_cannot_hold_lies_in_a_companion() {
        let folder = tempfile::tempdir().unwrap();
        for bytes in [10, MAX_ATTRIBUTE_BYTES] {
            let mut attributes = Attributes { e_tag: "tag".into(), ..Attributes::default() };
            attributes.metadata.insert("recorder".into(), "x".repeat(bytes));
            let file = tempfile::tempfile().unwrap();
            attributes.write(&file, folder.path()).unwrap();
            let metadata = file.metadata().unwrap();
            assert_eq!(Attributes::read(&file, &metadata, folder.path()).unwrap(), attributes);
            forget(folder.path(), &metadata);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_somebody_put_there_has_a_tag_that_changes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        let mut tag = || {
            file.write_all(b"more").unwrap();
            Attributes::read(&file, &file.metadata().unwrap(), folder.path()).unwrap().e_tag
        };
        assert_ne!(tag(), tag());
    }
}
