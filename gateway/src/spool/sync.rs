//! Chunks that wait are brought to the disk itself.

use std::{
    fs::File,
    io,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::time::{MissedTickBehavior, interval};

use super::folder::Spool;

const EVERY: Duration = Duration::from_secs(1);

/// A chunk that has waited for this long is made to survive a loss of power. Sooner would cost every chunk a
/// disk write that its acknowledgement makes needless.
const SYNC_AFTER: Duration = Duration::from_secs(1);

/// Syncs what waits, each second, for ever.
pub(crate) async fn sync(spool: Arc<Spool>) {
    let mut seconds = interval(EVERY);
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        seconds.tick().await;
        let Some(than) = Instant::now().checked_sub(SYNC_AFTER) else { continue };
        let paths = spool.take_unsynced(than);
        if paths.is_empty() {
            continue;
        }
        let synced = tokio::task::spawn_blocking(move || {
            for path in paths {
                if let Err(error) = sync_file(&path) {
                    tracing::error!("{} cannot be synced: {error}", path.display());
                }
            }
        });
        if synced.await.is_err() {
            tracing::error!("syncing the spool panicked");
        }
    }
}

/// Syncs a file. A missing file was already acknowledged.
fn sync_file(path: &Path) -> io::Result<()> {
    match File::open(path) {
        Ok(file) => file.sync_all(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}
