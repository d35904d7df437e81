//! When files of a spool were written last: a gateway that was killed is judged by that.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The times of the pushes' files and folders, which the file system has by its own clock.
#[derive(Debug)]
pub(crate) struct Dates {
    pushes: PathBuf,
    set: HashMap<PathBuf, SystemTime>,
}

impl Dates {
    pub(crate) fn of(pushes: PathBuf) -> Self {
        Self { pushes, set: HashMap::new() }
    }

    /// What was written since this was called was written now, in true time.
    pub(crate) fn set(&mut self, now_ms: u64) {
        let now = UNIX_EPOCH + Duration::from_millis(now_ms);
        let known = std::mem::take(&mut self.set);
        for push in within(&self.pushes) {
            for path in within(&push).into_iter().chain([push]) {
                let Ok(modified) = fs::metadata(&path).and_then(|found| found.modified()) else { continue };
                let at = match known.get(&path) {
                    Some(at) if *at == modified => *at,
                    _ => {
                        File::open(&path).unwrap().set_modified(now).unwrap();
                        now
                    }
                };
                self.set.insert(path, at);
            }
        }
    }
}

/// What is in a folder; nothing where there is none.
pub(crate) fn within(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.exists()).collect()
}
