//! A second set of buckets that shares the first one's files.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::store::HIDDEN;

/// Gives a folder of buckets the objects that those of another folder hold, which may be served meanwhile, and which it lacks;
/// answers how many. It takes no room: each file is linked, since none is ever changed in place. Uploads in parts that are
/// not completed are left out, and so is what was written after `until`.
///
/// An object that comes or goes meanwhile is linked or not.
///
/// # Errors
/// `to` is on another file system; a folder cannot be read or made.
pub fn link_buckets(from: &Path, to: &Path, until: SystemTime) -> Result<u64> {
    let (hidden, hidden_to) = (from.join(HIDDEN), to.join(HIDDEN));
    let link_companions = || link_folder(&hidden.join("companions"), &hidden_to.join("companions"), until);
    // What is known of an object is there before the object is, and goes after it.
    link_companions()?;
    let mut objects = link_folder(&hidden.join("objects"), &hidden_to.join("objects"), until)?;
    for entry in fs::read_dir(from).with_context(|| format!("while reading {}", from.display()))? {
        let entry = entry?;
        // A bucket may be a link to a folder elsewhere; within it the server follows none.
        if entry.file_name() != HIDDEN && entry.path().is_dir() {
            objects += link_folder(&entry.path(), &to.join(entry.file_name()), until)?;
        }
    }
    link_companions()?;
    Ok(objects)
}

/// Links the files of a folder and of those below it; answers how many. One that is gone is left out.
fn link_folder(from: &Path, to: &Path, until: SystemTime) -> Result<u64> {
    let entries = match fs::read_dir(from) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        entries => entries.with_context(|| format!("while reading {}", from.display()))?,
    };
    fs::create_dir_all(to).with_context(|| format!("while making {}", to.display()))?;
    let mut files = 0;
    for entry in entries {
        let entry = entry?;
        let (path, to, kind) = (entry.path(), to.join(entry.file_name()), entry.file_type()?);
        if kind.is_dir() {
            files += link_folder(&path, &to, until)?;
        } else if kind.is_file()
            && link(&path, &to, until).with_context(|| format!("while linking {}", path.display()))?
        {
            files += 1;
        }
    }
    Ok(files)
}

/// Links a file; answers whether it did.
fn link(from: &Path, to: &Path, until: SystemTime) -> io::Result<bool> {
    let is_wanted = fs::symlink_metadata(from).and_then(|file| Ok(file.modified()? <= until));
    let linked = match is_wanted {
        Ok(false) => return Ok(false),
        Ok(true) => fs::hard_link(from, to),
        Err(error) => Err(error),
    };
    match linked {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        // The folder to link it in was made before.
        Err(error) if error.kind() == ErrorKind::NotFound && !from.try_exists()? => Ok(false),
        // Systems let nobody link what somebody else put there and keeps from being written; it has nothing beside its bytes.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => fs::copy(from, to).map(|_| true),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn put(root: &Path, file: &str, bytes: &str) {
        let file = root.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }

    #[test]
    fn linked_buckets_keep_what_is_removed_and_have_no_upload() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        let files =
            ["b/record/x.ts", ".bucket-server/objects/b/61.object", ".bucket-server/companions/1-2-3"];
        let left_out = [".bucket-server/uploads/b/u/1", ".bucket-server/temporary/7", ".bucket-server/lock"];
        files.iter().chain(&left_out).for_each(|file| put(&from, file, "bytes"));
        fs::create_dir(from.join("empty")).unwrap();
        // The server follows no links, and this one leads to itself.
        std::os::unix::fs::symlink(".", from.join("b/loop")).unwrap();
        let now = SystemTime::now() + Duration::from_secs(1);
        assert_eq!(link_buckets(&from, &to, now).unwrap(), 2);
        fs::remove_dir_all(&from).unwrap();
        for file in files {
            assert_eq!(fs::read_to_string(to.join(file)).unwrap(), "bytes", "{file}");
        }
        assert!(to.join("empty").is_dir() && left_out.iter().all(|file| !to.join(file).exists()));
    }

    #[test]
    fn a_second_look_adds_what_is_missing_and_nothing_that_is_younger() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        put(&from, "b/replaced", "first");
        let far = SystemTime::now() + Duration::from_secs(3_600);
        assert_eq!(link_buckets(&from, &to, far).unwrap(), 1);
        put(&from, "b/came", "bytes");
        put(&from, "b/young", "bytes");
        fs::remove_file(from.join("b/replaced")).unwrap();
        put(&from, "b/replaced", "second");
        let young = fs::File::options().write(true).open(from.join("b/young")).unwrap();
        young.set_modified(far + Duration::from_secs(1)).unwrap();
        assert_eq!(link_buckets(&from, &to, far).unwrap(), 1);
        assert_eq!(fs::read_to_string(to.join("b/replaced")).unwrap(), "first");
        assert!(to.join("b/came").exists() && !to.join("b/young").exists());
    }
}
