//! A file that is too long to read in one go holds a second thing, which wants a file of its own.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

/// The most lines that a file may have.
const MOST_LINES: usize = 500;

/// The most lines that a contract may have: an interface cannot be parted into files.
const MOST_WIT_LINES: usize = 600;

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
        let is_contract = file.extension().is_some_and(|extension| extension == "wit");
        let most = if is_contract { MOST_WIT_LINES } else { MOST_LINES };
        if lines > most {
            faults.push(format!("{}: has {lines} lines; {most} are the most", file.display()));
        }
    }
    Ok(())
}
