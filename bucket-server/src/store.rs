//! Objects as files: found, put in place and removed, so that a crash leaves each whole or absent.
//!
//! A file is written under a temporary name, synced, and renamed into place; then the folders on its way are synced.
//! Who changes an object holds its lock (see [`Store::objects`]). One process serves a folder, and a file's lock says
//! so to others.

use std::collections::HashSet;
use std::fs::{self, File, Metadata, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use anyhow::{Context, Result, bail};
use s3s::dto::{ETag, ETagCondition};
use s3s::{S3Result, s3_error};

use crate::attributes::{Attributes, forget};
use crate::fault::disk;
use crate::locks::Locks;
use crate::place;
use crate::room::{KeepFree, Room};

/// The folder beside the buckets' that holds what people need not see. No bucket's name begins with a dot.
pub(crate) const HIDDEN: &str = ".bucket-server";

/// How many folders are remembered as synced.
const MAX_SYNCED: usize = 10_000;

/// The folder that holds the buckets.
pub(crate) struct Store {
    root: PathBuf,
    /// One for each object and upload that is being changed.
    pub(crate) objects: Locks,
    pub(crate) room: Arc<Room>,
    /// Held for reading while a file is put into a folder, for writing while folders are removed.
    tree: RwLock<()>,
    /// Folders whose way from the root is on the disk.
    synced: Mutex<HashSet<PathBuf>>,
    temporaries: AtomicU64,
    _alone: File,
}

/// An object that is there.
pub(crate) struct Found {
    pub(crate) file: File,
    pub(crate) metadata: Metadata,
    pub(crate) attributes: Attributes,
    path: PathBuf,
}

/// When an object may be put in place.
#[derive(Debug, Default)]
pub(crate) enum Condition {
    #[default]
    Always,
    /// There is none.
    Absent,
    /// There is one with this tag.
    Tagged(ETag),
    /// There is one.
    Present,
}

impl Condition {
    /// By the headers `If-Match` and `If-None-Match`.
    pub(crate) fn new(matches: Option<ETagCondition>, none: Option<ETagCondition>) -> S3Result<Self> {
        match (matches, none) {
            (None, None) => Ok(Self::Always),
            (None, Some(ETagCondition::Any)) => Ok(Self::Absent),
            (Some(ETagCondition::ETag(tag)), None) => Ok(Self::Tagged(tag)),
            (Some(ETagCondition::Any), None) => Ok(Self::Present),
            _ => Err(s3_error!(NotImplemented, "a write takes If-None-Match: * or If-Match")),
        }
    }

    /// Fails where it does not hold.
    pub(crate) fn check(&self, there: Option<&Found>) -> S3Result<()> {
        match (self, there) {
            (Self::Always, _) | (Self::Absent, None) | (Self::Present, Some(_)) => Ok(()),
            (Self::Tagged(tag), Some(found)) if found.attributes.e_tag().strong_cmp(tag) => Ok(()),
            (Self::Tagged(_) | Self::Present, None) => Err(s3_error!(NoSuchKey)),
            (Self::Absent | Self::Tagged(_), Some(_)) => {
                Err(s3_error!(PreconditionFailed, "another object is there, or the one that is meant is not"))
            }
        }
    }
}

/// A file or folder that is being made, and goes when it is dropped before it is in place.
pub(crate) struct Temporary(pub(crate) PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0).or_else(|_| fs::remove_dir_all(&self.0));
    }
}

impl Store {
    /// Opens the folder, and removes what an earlier process did not finish.
    pub(crate) fn open(root: &Path, keep_free: KeepFree) -> Result<Self> {
        let hidden = root.join(HIDDEN);
        let temporary = hidden.join("temporary");
        fs::create_dir_all(&hidden).with_context(|| format!("while making {}", hidden.display()))?;
        let lock = hidden.join("lock");
        let alone = File::create(&lock).with_context(|| format!("while opening {}", lock.display()))?;
        match alone.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("another bucket server serves the folder {}", root.display());
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("while locking {}", lock.display()));
            }
        }
        match fs::remove_dir_all(&temporary) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("while emptying {}", temporary.display()));
            }
            _ => {}
        }
        for folder in [temporary, hidden.join("companions")] {
            fs::create_dir_all(&folder).with_context(|| format!("while making {}", folder.display()))?;
        }
        let room = Room::open(root, keep_free)
            .with_context(|| format!("while looking at the disk of {}", root.display()))?;
        Ok(Self {
            root: root.to_owned(),
            objects: Locks::default(),
            room: Arc::new(room),
            tree: RwLock::default(),
            synced: Mutex::default(),
            temporaries: AtomicU64::default(),
            _alone: alone,
        })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn companions(&self) -> PathBuf {
        self.root.join(HIDDEN).join("companions")
    }

    /// Where the bucket's objects lie whose keys a folder cannot hold.
    pub(crate) fn hidden(&self, bucket: &str) -> PathBuf {
        self.root.join(HIDDEN).join("objects").join(bucket)
    }

    /// Where the bucket's unfinished uploads lie.
    pub(crate) fn uploads(&self, bucket: &str) -> PathBuf {
        self.root.join(HIDDEN).join("uploads").join(bucket)
    }

    /// A name that nothing has.
    pub(crate) fn temporary(&self) -> Temporary {
        let number = self.temporaries.fetch_add(1, Ordering::Relaxed);
        Temporary(self.root.join(HIDDEN).join("temporary").join(number.to_string()))
    }

    /// The bucket's folder.
    pub(crate) fn bucket(&self, bucket: &str) -> S3Result<PathBuf> {
        let folder = self.root.join(bucket);
        if folder.is_dir() { Ok(folder) } else { Err(s3_error!(NoSuchBucket)) }
    }

    /// The object of this key.
    pub(crate) fn find(&self, bucket: &str, key: &str) -> S3Result<Option<Found>> {
        let named = place::named(&self.bucket(bucket)?, key);
        for path in named.into_iter().chain([place::hidden(&self.hidden(bucket), key)]) {
            if let Some(found) = self.look(path).map_err(disk)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The object in this file.
    pub(crate) fn look(&self, path: PathBuf) -> io::Result<Option<Found>> {
        let file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound || is_in_the_way(&error) => return Ok(None),
            file => file?,
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Ok(None);
        }
        let attributes = Attributes::read(&file, &metadata, &self.companions())?;
        Ok(Some(Found { file, metadata, attributes, path }))
    }

    /// Puts a synced file in its place, where the condition holds. The caller holds the object's lock.
    pub(crate) fn publish(
        &self,
        written: &Temporary,
        bucket: &str,
        key: &str,
        condition: &Condition,
    ) -> S3Result<()> {
        let _tree = self.tree.read().unwrap_or_else(PoisonError::into_inner);
        let there = self.find(bucket, key)?;
        condition.check(there.as_ref())?;
        if let Some(there) = there {
            self.move_in(written, &there.path).map_err(disk)?;
            forget(&self.companions(), &there.metadata);
            return Ok(());
        }
        if let Some(path) = place::named(&self.bucket(bucket)?, key) {
            match self.move_in(written, &path) {
                Err(error) if is_in_the_way(&error) => {}
                moved => return moved.map_err(disk),
            }
        }
        self.move_in(written, &place::hidden(&self.hidden(bucket), key)).map_err(disk)
    }

    /// Removes an object, if there is one. The caller holds its lock.
    pub(crate) fn remove(&self, bucket: &str, key: &str) -> S3Result<()> {
        let there = {
            let _tree = self.tree.read().unwrap_or_else(PoisonError::into_inner);
            let Some(there) = self.find(bucket, key)? else { return Ok(()) };
            fs::remove_file(&there.path).map_err(disk)?;
            forget(&self.companions(), &there.metadata);
            if let Some(folder) = there.path.parent() {
                sync(folder).map_err(disk)?;
            }
            there
        };
        self.prune(&there.path, &[self.root.join(bucket), self.hidden(bucket)]);
        Ok(())
    }

    /// Makes a bucket; answers whether it was absent.
    pub(crate) fn make_bucket(&self, bucket: &str) -> io::Result<bool> {
        let folder = self.root.join(bucket);
        match fs::create_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => Ok(false),
            made => made.and_then(|()| sync(&self.root)).map(|()| true),
        }
    }

    /// Removes a bucket that holds no object.
    pub(crate) fn remove_bucket(&self, bucket: &str) -> S3Result<()> {
        let _tree = self.tree.write().unwrap_or_else(PoisonError::into_inner);
        let folder = self.bucket(bucket)?;
        for holds in [&folder, &self.hidden(bucket), &self.uploads(bucket)] {
            if holds_files(holds).map_err(disk)? {
                return Err(s3_error!(BucketNotEmpty));
            }
        }
        for goes in [folder, self.hidden(bucket), self.uploads(bucket)] {
            self.forget_synced(&goes);
            match fs::remove_dir_all(&goes) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(disk(error)),
                _ => {}
            }
        }
        sync(&self.root).map_err(disk)
    }

    /// Renames something synced to where it belongs, and syncs the way there.
    pub(crate) fn move_in(&self, written: &Temporary, path: &Path) -> io::Result<()> {
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder)?;
        fs::rename(&written.0, path)?;
        sync(folder)?;
        let known = |folder: &Path| self.synced().contains(folder);
        let way: Vec<&Path> =
            folder.ancestors().take_while(|folder| *folder != self.root && !known(folder)).collect();
        for folder in &way {
            sync(folder.parent().unwrap_or(&self.root))?;
        }
        // Only now: whoever finds a folder here looks no further up.
        let mut synced = self.synced();
        if synced.len() >= MAX_SYNCED {
            synced.clear();
        }
        synced.extend(way.into_iter().map(Path::to_owned));
        Ok(())
    }

    /// Removes the folders that a removed file leaves empty, up to those given.
    fn prune(&self, path: &Path, up_to: &[PathBuf]) {
        let emptied = |folder: &Path| fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
        for folder in path.ancestors().skip(1) {
            if up_to.iter().any(|last| last == folder) || !emptied(folder) {
                return;
            }
            let _tree = self.tree.write().unwrap_or_else(PoisonError::into_inner);
            self.forget_synced(folder);
            if fs::remove_dir(folder).is_err() {
                return;
            }
        }
    }

    fn forget_synced(&self, gone: &Path) {
        self.synced().retain(|folder| !folder.starts_with(gone));
    }

    fn synced(&self) -> MutexGuard<'_, HashSet<PathBuf>> {
        self.synced.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a name cannot be used because of what has another name, or because it is too long for the file system.
fn is_in_the_way(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::AlreadyExists
            | ErrorKind::DirectoryNotEmpty
            | ErrorKind::InvalidFilename
    )
}

/// Makes a folder's entries last.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn holds_files(folder: &Path) -> io::Result<bool> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if !entry.file_type()?.is_dir() || holds_files(&entry.path())? {
            return Ok(true);
        }
    }
    Ok(false)
}
