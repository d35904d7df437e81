//! How often a gateway was started on a spool.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::Path,
};

use anyhow::Context;

use super::record::replace_durably;

/// Bytes of a line where a boot is written in place, without its end. Both lines stay below 60 bytes, which file systems may
/// keep where no block is needed.
const LINE_BYTES: usize = 27;

/// Counts a start: `{spool}.{n}`, where `n` is higher than at every start before.
///
/// A full disk, which only what is spooled can free, has no room for another file: there the count is [written in
/// place](overwrite).
pub(super) fn count(path: &Path) -> anyhow::Result<String> {
    let before = match fs::read(path) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            newest(&text).with_context(|| format!("{}: {text:?} is no boot", path.display()))?
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => (format!("{:016x}", fastrand::u64(..)), 0),
        Err(error) => return Err(error).with_context(|| format!("while reading {}", path.display())),
    };
    let [before, boot] = [before.1, before.1 + 1].map(|n| format!("{}.{n}", before.0));
    let Err(error) = replace_durably(path, boot.as_bytes()) else { return Ok(boot) };
    if overwrite(path, &before, &boot).is_err() {
        return Err(error).with_context(|| format!("while writing {}", path.display()));
    }
    tracing::warn!("{} is written in place: {error}", path.display());
    Ok(boot)
}

/// The spool's id, and the highest count of all lines. One that was torn says less, or what was never told: the other one is
/// whole then.
fn newest(text: &str) -> Option<(String, u64)> {
    let boot = |line: &str| {
        // After a loss of power a file may have its length and not its bytes.
        let (id, n) = line.trim_matches(|c: char| c.is_whitespace() || c == '\0').split_once('.')?;
        Some((id.to_owned(), n.parse().ok()?))
    };
    text.lines().filter_map(boot).max_by_key(|(_, n)| *n)
}

/// Replaces a boot by the next one where it is. Wherever a crash or a loss of power breaks that off, no lower one is read
/// later.
fn overwrite(path: &Path, before: &str, boot: &str) -> io::Result<()> {
    let file = File::options().write(true).open(path)?;
    if file.metadata()?.len() != twice(boot).len() as u64 {
        // What is there gets its length first: a longer one that was cut would be lower.
        file.write_all_at(twice(before).as_bytes(), 0)?;
        file.sync_all()?;
    }
    file.write_all_at(twice(boot).as_bytes(), 0)?;
    file.sync_all()
}

/// Two lines of one length, of which a write that breaks off tears one.
fn twice(boot: &str) -> String {
    format!("{boot:<LINE_BYTES$}\n").repeat(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef";

    fn read(bytes: &[u8]) -> Option<(String, u64)> {
        newest(&String::from_utf8_lossy(bytes))
    }

    #[test]
    fn it_is_counted_where_no_other_file_can_be_made() {
        let folder = tempfile::tempdir().unwrap();
        let (path, synced) = (folder.path().join("boot"), folder.path().join("boot.synced"));
        let first = count(&path).unwrap();
        let (id, n) = first.split_once('.').unwrap();
        assert_eq!(n, "1");
        for n in 2..200 {
            // A folder is where the other file would be.
            match n {
                5 | 60 => fs::create_dir(&synced).unwrap(),
                50 | 150 => fs::remove_dir(&synced).unwrap(),
                _ => {}
            }
            assert_eq!(count(&path).unwrap(), format!("{id}.{n}"));
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{id}.199"), "as it always was");
        fs::create_dir(&synced).unwrap();
        fs::remove_file(&path).unwrap();
        count(&path).unwrap_err();
    }

    #[test]
    fn wherever_it_breaks_off_no_lower_one_is_read_later() {
        for n in [1, 8, 9, 10, 18, 19, 98, 99, 100, 199, 999_999_999] {
            let [before, after] = [n, n + 1].map(|n| format!("{ID}.{n}"));
            let (plain, padded, next) = (before.as_bytes(), twice(&before), twice(&after));
            assert!(padded.len() == next.len() && padded.starts_with(&before) && next.len() < 60);
            for at in 0..=padded.len() {
                // The file gets its length, or that and not its bytes.
                let grown = [plain, &padded.as_bytes()[plain.len().min(at)..at.max(plain.len())]];
                let mut grown = grown.concat();
                grown.truncate(at.max(plain.len()));
                assert_eq!(read(&grown), Some((ID.to_owned(), n)), "{grown:?}");
                grown.resize(padded.len(), 0);
                assert_eq!(read(&grown), Some((ID.to_owned(), n)), "{grown:?}");
                // Its bytes are replaced from the first on, or from the last.
                for torn in [[&next[..at], &padded[at..]], [&padded[..at], &next[at..]]] {
                    let (id, found) = newest(&torn.concat()).unwrap();
                    assert!(id == ID && found >= n, "{torn:?}");
                }
            }
        }
        assert_eq!(read(b""), None);
        assert_eq!(read(&[0; 56]), None);
    }
}
