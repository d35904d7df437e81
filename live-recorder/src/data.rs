//! The layout of a data folder: spool, key-value store and buckets, taken together.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

/// The layout that this program reads and writes. Whoever changes what lies in a data folder, so that a program of before
/// would misread it, raises this, and has [`open`] bring the layouts of before up to it.
const LAYOUT: u32 = 1;

/// The file that says the layout, in decimal.
const FILE: &str = "layout";

/// Makes a data folder, or looks whether this program may use the one that is there.
///
/// # Errors
///
/// A later version has written it, or the file that says so cannot be read.
pub(crate) fn open(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the data folder {}", folder.display()))?;
    if layout(folder)?.is_some() {
        return Ok(());
    }
    let write = || -> std::io::Result<()> {
        // Whole or not at all: another name until it is on the disk. Another program may do the same.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        writeln!(file, "{LAYOUT}")?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(folder.join(FILE)) {
            Err(error) if error.error.kind() != ErrorKind::AlreadyExists => return Err(error.error),
            _ => {}
        }
        File::open(folder)?.sync_all()
    };
    write().with_context(|| format!("cannot write {}", folder.join(FILE).display()))?;
    check(folder)
}

/// Looks whether this program may use a data folder; one that is absent, it may.
///
/// # Errors
///
/// As [`open`].
pub(crate) fn check(folder: &Path) -> Result<()> {
    layout(folder).map(drop)
}

/// The layout, where it is written; builds before there was a number wrote the first one.
fn layout(folder: &Path) -> Result<Option<u32>> {
    let path = folder.join(FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let Ok(layout) = text.trim().parse() else { bail!("{} is no number: {text:?}", path.display()) };
    ensure!(
        layout <= LAYOUT,
        "{} was written by a later version of live-recorder, with layout {layout}; this one knows layout {LAYOUT} and would \
         lose what it does not know: start the later version on it, or this one on another folder",
        folder.display()
    );
    Ok(Some(layout))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_that_start_at_once_make_one_folder() {
        for _ in 0..50 {
            let folder = tempfile::tempdir().unwrap();
            let data = folder.path().join("data");
            std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(|| open(&data).unwrap()))));
            let left: Vec<_> = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            assert_eq!(left, ["layout"]);
        }
    }

    #[test]
    fn a_folder_of_a_later_version_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        check(&data).unwrap();
        assert!(!data.exists());
        open(&data).unwrap();
        open(&data).unwrap();
        assert_eq!(fs::read_to_string(data.join("layout")).unwrap(), "1\n");
        for (text, says) in [("2\n", "later version"), ("two", "no number"), ("", "no number")] {
            fs::write(data.join("layout"), text).unwrap();
            let refused = [open(&data), check(&data)].map(|outcome| outcome.unwrap_err().to_string());
            assert!(refused.iter().all(|refused| refused.contains(says)), "{refused:?}");
            assert_eq!(fs::read_to_string(data.join("layout")).unwrap(), text);
        }
    }
}
