//! No circle between the files of a package.
//!
//! A file depends on another where it names something that the other defines. A name that a file only hands on
//! (`pub use`) counts as the file's that defines it, so that a crate's root may hand on what its modules define
//! and its modules may name each other through the root.
//! A file that names the modules below it is made of them; that alone is no circle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::source;

/// Packages whose circles are known: `components/catalog` is about to be replaced as a whole.
const KNOWN: [&str; 1] = ["components/catalog/src"];

/// A file's module and what it names.
struct Module {
    file: PathBuf,
    paths: Vec<Vec<String>>,
    /// Names that it brings into its scope: the last part of each `use`, with the whole path.
    names: BTreeMap<String, Vec<String>>,
}

/// Modules of a package by their paths below the crate's root, which is the empty path.
type Modules = BTreeMap<Vec<String>, Module>;

/// Names every circle among the files of each package.
pub(super) fn check(files: &[PathBuf], faults: &mut Vec<String>) -> anyhow::Result<()> {
    let mut packages: BTreeMap<PathBuf, Modules> = BTreeMap::new();
    for file in files {
        let Some((root, path)) = module_path(file) else { continue };
        if KNOWN.iter().any(|known| root.starts_with(known)) {
            continue;
        }
        let text = std::fs::read_to_string(file)?;
        packages.entry(root).or_default().insert(path, module(file, &text));
    }
    for modules in packages.values() {
        for circle in circles(modules) {
            faults.push(format!("files depend on each other in a circle: {}", circle.join(" → ")));
        }
    }
    Ok(())
}

/// The source folder of a file and the module that it is, for files that are no tests and no programs beside.
fn module_path(file: &Path) -> Option<(PathBuf, Vec<String>)> {
    if file.extension()? != "rs" {
        return None;
    }
    let parts: Vec<&str> = file.iter().filter_map(|part| part.to_str()).collect();
    let src = parts.iter().rposition(|part| *part == "src")?;
    let mut path: Vec<String> =
        parts[src + 1..].iter().map(|part| part.trim_end_matches(".rs").to_owned()).collect();
    if path.iter().any(|part| part == "tests" || part == "bin") {
        return None;
    }
    if path == ["lib"] || path == ["main"] {
        path.clear();
    }
    Some((parts[..=src].iter().collect(), path))
}

fn module(file: &Path, text: &str) -> Module {
    let tokens = source::tokens(text);
    let mut names = BTreeMap::new();
    for (at, _) in tokens.iter().enumerate().filter(|(_, token)| **token == "use") {
        let end = tokens[at..].iter().position(|token| *token == ";").map_or(tokens.len(), |end| at + end);
        for path in source::paths(&tokens[at + 1..end]) {
            if let Some(name) = path.last().cloned() {
                names.insert(name, path);
            }
        }
    }
    Module { file: file.to_owned(), paths: source::paths(&tokens), names }
}

/// The module that defines what a path names, as seen from a module; `None` for what is of another package.
fn defining(modules: &Modules, from: &[String], path: &[String], hops: usize) -> Option<Vec<String>> {
    let (mut at, mut rest) = match path.first()?.as_str() {
        "crate" => (Vec::new(), &path[1..]),
        "self" => (from.to_vec(), &path[1..]),
        "super" => (from[..from.len().checked_sub(1)?].to_vec(), &path[1..]),
        name => {
            let child = [from, &[name.to_owned()]].concat();
            if !modules.contains_key(&child) {
                return None;
            }
            (from.to_vec(), path)
        }
    };
    while let [name, after @ ..] = rest {
        if name == "super" {
            at.pop()?;
            rest = after;
            continue;
        }
        let child = [&at[..], std::slice::from_ref(name)].concat();
        if modules.contains_key(&child) {
            (at, rest) = (child, after);
            continue;
        }
        // Handed on from elsewhere?
        let handed_on = modules.get(&at).and_then(|module| module.names.get(name));
        return match handed_on {
            Some(path) if hops > 0 => defining(modules, &at, path, hops - 1).or(Some(at)),
            _ => Some(at),
        };
    }
    Some(at)
}

/// The circles, each as the files on it.
fn circles(modules: &Modules) -> Vec<Vec<String>> {
    let edges: BTreeMap<&[String], BTreeSet<Vec<String>>> = modules
        .iter()
        .map(|(from, module)| {
            let to = module.paths.iter().filter_map(|path| defining(modules, from, path, 8));
            let is_other = |to: &Vec<String>| !to.starts_with(from) && modules.contains_key(to);
            (from.as_slice(), to.filter(is_other).collect())
        })
        .collect();
    let mut circles = Vec::new();
    let mut seen = BTreeSet::new();
    for start in modules.keys() {
        if seen.contains(start) {
            continue;
        }
        if let Some(circle) = path_back(&edges, start) {
            seen.extend(circle.iter().cloned());
            circles.push(circle.iter().map(|path| modules[path].file.display().to_string()).collect());
        }
    }
    circles
}

/// The shortest way from a module back to itself.
fn path_back(
    edges: &BTreeMap<&[String], BTreeSet<Vec<String>>>,
    start: &[String],
) -> Option<Vec<Vec<String>>> {
    let mut ways = vec![vec![start.to_vec()]];
    let mut visited = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in &edges[way.last()?.as_slice()] {
                if next == start {
                    return Some(way);
                }
                if visited.insert(next.clone()) {
                    longer.push([way.clone(), vec![next.clone()]].concat());
                }
            }
        }
        ways = longer;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The circles among files, each given by its path and text.
    fn check(files: &[(&str, &str)], expected: &[&str]) {
        let modules = files.iter().map(|(file, text)| {
            let file = Path::new(file);
            (module_path(file).unwrap().1, module(file, text))
        });
        let found: Vec<String> = circles(&modules.collect()).iter().map(|circle| circle.join(" ")).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_planted_circle_is_found_and_a_part_that_names_its_whole_is_none() {
        let (a, b) = (("p/src/a.rs", "use crate::b::B;"), ("p/src/b.rs", "fn f() { super::a::g(); }"));
        check(&[("p/src/lib.rs", "mod a; mod b; mod c;"), a, b], &["p/src/a.rs p/src/b.rs"]);
        let (c, d) = (("p/src/c.rs", "use crate::a::A;"), ("p/src/a/d.rs", "use crate::c::C;"));
        check(&[("p/src/a.rs", "use d::D;"), c, d], &[]);
        let e = ("p/src/a/e.rs", "use super::d::D;");
        check(&[c, ("p/src/a/d.rs", "use super::e::E;"), e], &["p/src/a/d.rs p/src/a/e.rs"]);
    }

    #[test]
    fn names_handed_on_by_the_root_are_those_of_the_modules_that_define_them() {
        let root = ("p/src/lib.rs", "mod a; mod error; pub use a::A; pub use error::Error;");
        let a = ("p/src/a.rs", "use crate::Error; pub struct A;");
        check(&[root, a, ("p/src/error.rs", "pub enum Error {}")], &[]);
        check(
            &[root, a, ("p/src/error.rs", "pub enum Error { A(crate::A) }")],
            &["p/src/a.rs p/src/error.rs"],
        );
    }

    #[test]
    fn tests_are_left_out() {
        let a = ("p/src/a.rs", "struct A;\n\n#[cfg(test)]\nmod tests {\n    use crate::b::B;\n}\n");
        check(&[a, ("p/src/b.rs", "use crate::a::A;")], &[]);
    }
}
