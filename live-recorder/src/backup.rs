//! A copy of all state but the spool, while everything goes on.
//!
//! It is a copy of one moment, that of the store. What the store names is in the buckets before, and some of it is deleted
//! once nothing needs it, which the store learns later: so objects are linked before and after the store is read, and of
//! what is found afterwards only what is not younger than that moment. A decision that is younger would tell of what the
//! store does not know.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use bucket_server::link_buckets;
use gateway::admin::{BackedUp, Backup};
use host::key_value::KeyValue;

use crate::data;

/// The state of this process.
pub(crate) struct DataBackup {
    store: Arc<dyn KeyValue>,
    /// The folder of the buckets, where they are served here.
    buckets: Option<PathBuf>,
    /// Held by who makes a copy.
    making: Mutex<()>,
}

impl DataBackup {
    pub(crate) fn new(store: Arc<dyn KeyValue>, buckets: Option<PathBuf>) -> Self {
        Self { store, buckets, making: Mutex::default() }
    }
}

impl Backup for DataBackup {
    fn back_up(&self, folder: &Path) -> Result<BackedUp> {
        let Ok(_making) = self.making.try_lock() else { anyhow::bail!("a copy is being made already") };
        ensure!(folder.is_absolute(), "{} is no absolute path", folder.display());
        ensure!(!folder.try_exists()?, "{} is there already", folder.display());
        let parent = folder.parent().context("the folder has no name")?;
        self.check_place(parent)?;
        // Until it is whole it has another name, and nobody else may read it; where it fails it is removed.
        let mut making = tempfile::Builder::new();
        making.prefix(".live-recorder-backup-").permissions(Permissions::from_mode(0o700));
        let making = making.tempdir_in(parent);
        let making = making.with_context(|| format!("while making a folder in {}", parent.display()))?;
        let objects = self.fill(making.path())?;
        rustix::fs::syncfs(File::open(making.path())?).context("while syncing the disk")?;
        fs::rename(making.path(), folder).with_context(|| format!("while naming {}", folder.display()))?;
        let _ = making.keep();
        File::open(parent)?.sync_all().context("while syncing the disk")?;
        Ok(BackedUp { objects })
    }
}

impl DataBackup {
    /// A copy within what is copied would never come to its end.
    fn check_place(&self, parent: &Path) -> Result<()> {
        let parent =
            parent.canonicalize().with_context(|| format!("while looking at {}", parent.display()))?;
        if let Some(buckets) = &self.buckets {
            let is_within = parent.starts_with(buckets.canonicalize()?);
            ensure!(!is_within, "{} lies within the buckets", parent.display());
        }
        Ok(())
    }

    fn fill(&self, folder: &Path) -> Result<u64> {
        data::open(folder)?;
        let link = |until| match &self.buckets {
            Some(buckets) => link_buckets(buckets, &folder.join("buckets"), until),
            None => Ok(0),
        };
        let before = link(SystemTime::now())?;
        let store = folder.join("kv");
        fs::create_dir(&store).with_context(|| format!("while making {}", store.display()))?;
        let taken = self.store.copy_to(&store.join("store.redb"))?;
        Ok(before + link(taken)?)
    }
}

#[cfg(test)]
mod tests {
    use host::key_value::disk::DiskStore;

    use super::*;

    fn backup(data: &Path) -> DataBackup {
        fs::create_dir_all(data.join("buckets/b")).unwrap();
        fs::write(data.join("buckets/b/x"), "bytes").unwrap();
        let store = DiskStore::open(&data.join("kv")).unwrap();
        DataBackup::new(Arc::new(store), Some(data.join("buckets")))
    }

    #[test]
    fn a_folder_that_cannot_be_made_leaves_nothing_and_takes_nothing_away() {
        let root = tempfile::tempdir().unwrap();
        let data = root.path().join("data");
        let backup = backup(&data);
        let there = root.path().join("there");
        fs::create_dir(&there).unwrap();
        fs::write(there.join("own"), "bytes").unwrap();
        let within = data.join("buckets/b/copy");
        let cases = [
            (there.as_path(), "is there already"),
            (Path::new("relative"), "is no absolute path"),
            (&within, "lies within the buckets"),
            (&root.path().join("absent/copy"), "absent"),
        ];
        for (folder, says) in cases {
            let error = format!("{:#}", backup.back_up(folder).unwrap_err());
            assert!(error.contains(says), "{error}");
        }
        assert_eq!(fs::read_to_string(there.join("own")).unwrap(), "bytes");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2);
        assert_eq!(fs::read_dir(data.join("buckets/b")).unwrap().count(), 1);
    }

    #[test]
    fn one_copy_is_made_at_a_time_and_nobody_else_may_read_it() {
        let root = tempfile::tempdir().unwrap();
        let (backup, copy) = (backup(&root.path().join("data")), root.path().join("copy"));
        let making = backup.making.lock().unwrap();
        let error = backup.back_up(&copy).unwrap_err().to_string();
        assert!(error.contains("being made already") && !copy.exists(), "{error}");
        drop(making);
        assert_eq!(backup.back_up(&copy).unwrap(), BackedUp { objects: 1 });
        assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o700);
        let mut names: Vec<_> =
            fs::read_dir(&copy).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["buckets", "kv", "layout"]);
        assert_eq!(fs::read_to_string(copy.join("buckets/b/x")).unwrap(), "bytes");
    }
}
