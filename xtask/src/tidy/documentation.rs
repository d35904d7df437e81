//! A library or a program says first what it is.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

/// Checks the root file of every package.
pub(super) fn check(files: &[PathBuf], faults: &mut Vec<String>) -> Result<()> {
    for file in files.iter().filter(|file| file.ends_with("src/lib.rs") || file.ends_with("src/main.rs")) {
        if !fs::read_to_string(file)?.starts_with("//! ") {
            faults.push(format!("{}: begins with no `//!` documentation", file.display()));
        }
    }
    Ok(())
}
