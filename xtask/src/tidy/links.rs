//! Links in Markdown lead to files and headings, and paths in its prose exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::Result;

/// Checks every Markdown file.
pub(super) fn check(files: &[PathBuf], faults: &mut Vec<String>) -> Result<()> {
    let known = Known::of(files);
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "md")) {
        let text = without_blocks(&fs::read_to_string(file)?);
        for link in links(&text) {
            let (target, heading) = link.split_once('#').unwrap_or((link, ""));
            let folder = file.parent().unwrap_or(Path::new(""));
            let to = if target.is_empty() { file.clone() } else { normal(&folder.join(target)) };
            if target.contains("://") {
                continue;
            }
            if !known.contains(&to) {
                faults.push(format!("{}: the link to {target:?} leads nowhere", file.display()));
            } else if !heading.is_empty() && !headings(&fs::read_to_string(&to)?).contains(heading) {
                faults.push(format!("{}: {} has no heading #{heading}", file.display(), to.display()));
            }
        }
        for path in spans(&text).filter(|span| known.looks_like_a_path(span)) {
            if !known.contains(Path::new(path)) {
                faults.push(format!("{}: there is no `{path}`", file.display()));
            }
        }
    }
    Ok(())
}

/// The project's files and the folders that hold them.
struct Known {
    paths: BTreeSet<PathBuf>,
}

impl Known {
    fn of(files: &[PathBuf]) -> Self {
        let with_folders = files.iter().flat_map(|file| file.ancestors().map(Path::to_path_buf));
        Self { paths: with_folders.collect() }
    }

    fn contains(&self, path: &Path) -> bool {
        self.paths.contains(path) || self.paths.contains(&normal(path))
    }

    /// Whether a code span is meant as a path of this project: it begins with one of its top folders and has no
    /// pattern in it.
    fn looks_like_a_path(&self, span: &str) -> bool {
        let is_plain = span.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
        let top = span.split_once('/').map(|(top, _)| Path::new(top));
        is_plain && top.is_some_and(|top| !top.as_os_str().is_empty() && self.paths.contains(top))
    }
}

/// A path without `.` and `..`, and without a slash at its end.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => _ = normal.pop(),
            other => normal.push(other),
        }
    }
    normal
}

/// The text without its fenced blocks of code.
fn without_blocks(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// The targets of `[…](target)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// What stands between single backticks.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// The names by which headings are linked to: lower case, words joined by hyphens, without other signs.
fn headings(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| line.starts_with('#'));
    let kept = |c: char| c.is_alphanumeric() || c == '-' || c == '_' || c == ' ';
    lines
        .map(|line| line.trim_start_matches('#').trim().to_lowercase())
        .map(|title| title.chars().filter(|&c| kept(c)).map(|c| if c == ' ' { '-' } else { c }).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_named_as_hosts_of_repositories_name_them() {
        let names = headings("# Build and test\n\n## What `up` does, today\n");
        assert_eq!(names, ["build-and-test", "what-up-does-today"].map(str::to_owned).into());
    }

    #[test]
    fn a_path_is_told_from_other_code() {
        let known = Known { paths: ["crates", "crates/flv"].map(PathBuf::from).into() };
        assert!(known.looks_like_a_path("crates/flv/src/lib.rs"));
        assert!(!known.looks_like_a_path("crates/*/src"));
        assert!(!known.looks_like_a_path("video/x-flv"));
        assert!(!known.looks_like_a_path("cargo xtask check"));
        assert!(known.contains(Path::new("crates/flv/")));
        assert!(known.contains(&normal(Path::new("crates/flv/../flv"))));
    }

    #[test]
    fn code_blocks_hold_no_links() {
        assert_eq!(links(&without_blocks("[a](b) ```[c](d)``` [e](f)")).collect::<Vec<_>>(), ["b", "f"]);
    }
}
