//! How much the spool may hold where no setting says so.

use std::{fs, io, path::Path};

/// An hour of one push at 10 Mb/s.
const DEFAULT_BYTES: u64 = 4 << 30;

/// The least that is taken where the disk has no room: streams come and go with less.
const LEAST_BYTES: u64 = 64 << 20;

/// The limit of a spool without a setting: 4 GiB, but at most half of what it has and could have of its disk, so that
/// others that use the disk find room; and no less than what it holds.
pub(super) fn default_limit_bytes(root: &Path, spooled_bytes: u64) -> io::Result<u64> {
    Ok(limit_bytes(free_bytes(root)?, spooled_bytes))
}

/// How many more bytes the disk of a folder takes.
pub(super) fn free_bytes(folder: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn limit_bytes(free_bytes: u64, spooled_bytes: u64) -> u64 {
    let half = (free_bytes.saturating_add(spooled_bytes) / 2).min(DEFAULT_BYTES);
    half.max(spooled_bytes).max(LEAST_BYTES)
}

/// Bytes of the files in a folder and those below it.
pub(super) fn spooled_bytes(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            // It was dropped by hand meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        bytes += if metadata.is_dir() { spooled_bytes(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_leaves_half_of_the_disk_to_others_and_is_the_same_after_a_restart() {
        assert_eq!(limit_bytes(100 << 30, 0), 4 << 30);
        assert_eq!(limit_bytes(6 << 30, 0), 3 << 30);
        assert_eq!(limit_bytes(4 << 30, 2 << 30), 3 << 30, "what is spooled is its own");
        assert_eq!(limit_bytes(0, 3 << 30), 3 << 30, "nothing is given up since others have filled the disk");
        assert_eq!(limit_bytes(0, 0), LEAST_BYTES);
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("pushes/p")).unwrap();
        fs::write(root.path().join("pushes/p/x"), [0; 70]).unwrap();
        assert_eq!(spooled_bytes(&root.path().join("pushes")).unwrap(), 70);
        assert!((LEAST_BYTES..=DEFAULT_BYTES).contains(&default_limit_bytes(root.path(), 70).unwrap()));
    }
}
