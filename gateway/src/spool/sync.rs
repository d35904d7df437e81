//! Chunks that wait are brought to the disk itself.

use std::{
    collections::BTreeSet,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{folder::Spool, record::push_file};

const EVERY: Duration = Duration::from_secs(1);

/// A chunk that has waited for this long is made to survive a loss of power. Sooner would cost every chunk a
/// disk write that its acknowledgement makes needless.
const SYNC_AFTER: Duration = Duration::from_secs(1);

/// Syncs what waits, and tries a disk that refuses what is written, each second, for ever.
pub(crate) async fn sync(spool: Arc<Spool>) {
    let mut seconds = interval(EVERY);
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        seconds.tick().await;
        let Some(than) = Instant::now().checked_sub(SYNC_AFTER) else { continue };
        let paths = spool.take_unsynced(than);
        let is_disk_refusing = spool.is_disk_refusing();
        if paths.is_empty() && !is_disk_refusing {
            continue;
        }
        let probed = Arc::clone(&spool);
        let synced = spool.spawn(move || {
            if is_disk_refusing {
                probed.probe_disk();
            }
            for path in to_sync(paths) {
                if let Err(error) = sync_path(&path) {
                    tracing::error!("{} cannot be synced: {error}", path.display());
                }
            }
        });
        if synced.await.is_err() {
            tracing::error!("syncing the spool panicked");
        }
    }
}

/// What has to be synced for chunks to be found again: they, whose push they are of, and the folders that name them,
/// the inner ones first.
fn to_sync(chunks: Vec<PathBuf>) -> Vec<PathBuf> {
    let parents = |paths: &BTreeSet<PathBuf>| -> BTreeSet<PathBuf> {
        paths.iter().filter_map(|path| path.parent().map(Path::to_owned)).collect()
    };
    let chunks: BTreeSet<_> = chunks.into_iter().collect();
    let folders = parents(&chunks);
    let pushes = parents(&folders);
    let push_files: Vec<_> = folders.iter().map(|folder| push_file(folder)).collect();
    chunks.into_iter().chain(push_files).chain(folders).chain(pushes).collect()
}

/// Syncs a file or a folder. A missing one was already acknowledged.
fn sync_path(path: &Path) -> io::Result<()> {
    match File::open(path) {
        Ok(file) => file.sync_all(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_synced_with_all_that_leads_to_them() {
        let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect::<Vec<_>>();
        let synced = to_sync(paths(&["s/pushes/a/1.flv", "s/pushes/b/1.flv", "s/pushes/a/0.flv"]));
        let expected = [
            "s/pushes/a/0.flv",
            "s/pushes/a/1.flv",
            "s/pushes/b/1.flv",
            "s/pushes/a/push.json",
            "s/pushes/b/push.json",
            "s/pushes/a",
            "s/pushes/b",
            "s/pushes",
        ];
        assert_eq!(synced, paths(&expected));
        let folder = tempfile::tempdir().unwrap();
        sync_path(folder.path()).unwrap();
        sync_path(&folder.path().join("gone")).unwrap();
    }
}
