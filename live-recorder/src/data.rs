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
        // Whole or not at all: another name until it is on the disk.
        let unfinished = folder.join("layout.new");
        let mut file = File::create(&unfinished)?;
        writeln!(file, "{LAYOUT}")?;
        file.sync_all()?;
        fs::rename(unfinished, folder.join(FILE))?;
        File::open(folder)?.sync_all()
    };
    write().with_context(|| format!("cannot write {}", folder.join(FILE).display()))
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
