//! A second set of buckets that shares the first one's files.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::store::HIDDEN;

/// Makes a folder of buckets with the objects that those of another folder hold, which may be served meanwhile; answers how
/// many there are. It takes no room: each file is linked, since none is ever changed in place. Uploads in parts that are
/// not completed are left out.
///
/// An object that comes or goes meanwhile is in it or not.
///
/// # Errors
/// `to` is there already, or is on another file system; a folder cannot be read or made.
pub fn link_buckets(from: &Path, to: &Path) -> Result<u64> {
    ensure!(!to.try_exists()?, "{} is there already", to.display());
    fs::create_dir_all(to).with_context(|| format!("while making {}", to.display()))?;
    let mut objects = 0;
    for entry in fs::read_dir(from).with_context(|| format!("while reading {}", from.display()))? {
        let name = entry?.file_name();
        if name != HIDDEN {
            objects += link_folder(&from.join(&name), &to.join(&name))?;
        }
    }
    let (hidden, hidden_to) = (from.join(HIDDEN), to.join(HIDDEN));
    objects += link_folder(&hidden.join("objects"), &hidden_to.join("objects"))?;
    // What is known of an object is there before the object is.
    link_folder(&hidden.join("companions"), &hidden_to.join("companions"))?;
    Ok(objects)
}

/// Links the files of a folder and of those below it; answers how many. One that is gone is left out.
fn link_folder(from: &Path, to: &Path) -> Result<u64> {
    let entries = match fs::read_dir(from) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        entries => entries.with_context(|| format!("while reading {}", from.display()))?,
    };
    fs::create_dir_all(to).with_context(|| format!("while making {}", to.display()))?;
    let mut files = 0;
    for entry in entries {
        let (entry, to) = entry.map(|entry| (entry.path(), to.join(entry.file_name())))?;
        if entry.is_dir() {
            files += link_folder(&entry, &to)?;
        } else if link(&entry, &to).with_context(|| format!("while linking {}", entry.display()))? {
            files += 1;
        }
    }
    Ok(files)
}

fn link(from: &Path, to: &Path) -> io::Result<bool> {
    match fs::hard_link(from, to) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linked_buckets_keep_what_is_removed_and_have_no_upload() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        let files =
            ["b/record/x.ts", ".bucket-server/objects/b/61.object", ".bucket-server/companions/1-2-3"];
        let left_out = [".bucket-server/uploads/b/u/1", ".bucket-server/temporary/7", ".bucket-server/lock"];
        for file in files.iter().chain(&left_out) {
            let file = from.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "bytes").unwrap();
        }
        fs::create_dir(from.join("empty")).unwrap();
        assert_eq!(link_buckets(&from, &to).unwrap(), 2);
        fs::remove_dir_all(&from).unwrap();
        for file in files {
            assert_eq!(fs::read_to_string(to.join(file)).unwrap(), "bytes", "{file}");
        }
        assert!(to.join("empty").is_dir() && left_out.iter().all(|file| !to.join(file).exists()));
        let error = link_buckets(&to, &to).unwrap_err().to_string();
        assert!(error.contains("is there already"), "{error}");
    }
}
