//! A copy of all state but the spool, while everything goes on.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use bucket_server::link_buckets;
use gateway::admin::{BackedUp, Backup};
use host::key_value::KeyValue;

use crate::data;

/// The state of this process.
pub(crate) struct DataBackup {
    pub(crate) store: Arc<dyn KeyValue>,
    /// The folder of the buckets, where they are served here.
    pub(crate) buckets: Option<PathBuf>,
}

impl Backup for DataBackup {
    fn back_up(&self, folder: &Path) -> Result<BackedUp> {
        ensure!(!folder.try_exists()?, "{} is there already", folder.display());
        // It has its name once it is whole and on the disk.
        let part = folder.with_added_extension("part");
        let made = self.fill(&part).and_then(|objects| {
            fs::rename(&part, folder).with_context(|| format!("while naming {}", folder.display()))?;
            rustix::fs::syncfs(File::open(folder)?).context("while syncing the disk")?;
            Ok(BackedUp { objects })
        });
        if made.is_err() {
            // A next try makes it anew; why this one failed is worth more than why it cannot be removed.
            let _ = fs::remove_dir_all(&part);
        }
        made
    }
}

impl DataBackup {
    fn fill(&self, folder: &Path) -> Result<u64> {
        fs::create_dir(folder).with_context(|| format!("while making {}", folder.display()))?;
        data::open(folder)?;
        let store = folder.join("kv");
        fs::create_dir(&store).with_context(|| format!("while making {}", store.display()))?;
        // The store comes first: an object is there before the store names it.
        self.store.copy_to(&store.join("store.redb"))?;
        match &self.buckets {
            Some(buckets) => link_buckets(buckets, &folder.join("buckets")),
            None => Ok(0),
        }
    }
}
