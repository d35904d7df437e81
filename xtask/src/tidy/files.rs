//! What every file has to be like.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

/// Lines that a source may have: past that, a second thing has moved in.
const MOST_LINES: usize = 500;

/// A library or a program says first what it is.
pub(super) fn begin_with_documentation(files: &[PathBuf], faults: &mut Vec<String>) -> Result<()> {
    for file in files.iter().filter(|file| file.ends_with("src/lib.rs") || file.ends_with("src/main.rs")) {
        if !fs::read_to_string(file)?.starts_with("//! ") {
            faults.push(format!("{}: begins with no `//!` documentation", file.display()));
        }
    }
    Ok(())
}

/// No source is longer than can be read in one go.
pub(super) fn are_short(files: &[PathBuf], faults: &mut Vec<String>) -> Result<()> {
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "rs")) {
        let lines = fs::read_to_string(file)?.lines().count();
        if lines > MOST_LINES {
            faults.push(format!("{}: has {lines} lines, at most {MOST_LINES} are allowed", file.display()));
        }
    }
    Ok(())
}

/// Relative links in Markdown lead to files.
pub(super) fn links_resolve(files: &[PathBuf], faults: &mut Vec<String>) -> Result<()> {
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "md")) {
        let text = fs::read_to_string(file)?;
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            let folder = file.parent().unwrap_or(Path::new(""));
            if !target.is_empty() && !target.contains("://") && !folder.join(target).exists() {
                faults.push(format!("{}: the link to {target:?} leads nowhere", file.display()));
            }
        }
    }
    Ok(())
}
