//! A file that is too long to read in one go holds a second thing, which wants a file of its own.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

/// The most lines that a file may have.
const MOST_LINES: usize = 500;

/// What people write. What is below `docs/` is generated.
const WRITTEN: [&str; 9] = ["rs", "py", "js", "mjs", "html", "sh", "wit", "toml", "md"];

/// Checks every file that people write.
pub(super) fn check(files: &[PathBuf], faults: &mut Vec<String>) -> Result<()> {
    let is_written = |file: &&PathBuf| {
        let extension = file.extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| WRITTEN.contains(&extension)) && !file.starts_with("docs")
    };
    for file in files.iter().filter(is_written) {
        let lines = fs::read_to_string(file)?.lines().count();
        if lines > MOST_LINES {
            faults.push(format!("{}: has {lines} lines; {MOST_LINES} are the most", file.display()));
        }
    }
    Ok(())
}
