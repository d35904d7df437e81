//! Licences, sources and bans of all that we are built with, by `deny.toml`.
//!
//! cargo-deny applies the same file where it is installed. This check needs nothing but cargo.

use anyhow::{Context, Result};

use super::metadata::{self, Packages};

/// The folders of this repository's workspaces.
pub(crate) const WORKSPACES: [&str; 3] = [".", "fuzz", "tests/conformance/components"];

/// Names every package that `deny.toml` does not allow, in any workspace.
pub(super) fn check(faults: &mut Vec<String>) -> Result<()> {
    let rules = std::fs::read_to_string("deny.toml").context("cannot read deny.toml")?;
    for workspace in WORKSPACES {
        apply(&rules, &metadata::read(workspace)?, faults).with_context(|| format!("in {workspace}"))?;
    }
    faults.sort();
    faults.dedup();
    Ok(())
}

fn apply(text: &str, packages: &Packages, faults: &mut Vec<String>) -> Result<()> {
    let licences = list(text, "\nallow = [").context("deny.toml has no list \"allow\" of licences")?;
    let registries =
        list(text, "\nallow-registry = [").context("deny.toml has no list \"allow-registry\"")?;
    let banned = list(text, "\ndeny = [").context("deny.toml has no list \"deny\" of banned packages")?;
    for package in packages.values() {
        if banned.contains(&&*package.name) {
            faults.push(format!("{}: deny.toml bans it", package.name));
        }
        let excepted = exceptions(text, &package.name);
        let licences: Vec<&str> = licences.iter().chain(&excepted).copied().collect();
        let name = format!("{} {}", package.name, package.version);
        match &package.licence {
            Some(licence) if is_allowed(licence, &licences) => {}
            Some(licence) => faults.push(format!("{name}: deny.toml does not allow the licence {licence:?}")),
            None => faults.push(format!("{name}: names no licence")),
        }
        if let Some(source) = &package.source
            && !registries.iter().any(|registry| source.ends_with(registry))
        {
            faults.push(format!("{name}: deny.toml does not allow the source {source:?}"));
        }
    }
    Ok(())
}

/// The strings of the list that begins so.
fn list<'a>(text: &'a str, begin: &str) -> Option<Vec<&'a str>> {
    let (_, list) = text.split_once(begin)?;
    let list = list.split_once(']')?.0;
    Some(list.split('"').skip(1).step_by(2).collect())
}

/// The licences that a package may have beside: `{ crate = "name", allow = ["…"] }`, a line each.
fn exceptions<'a>(text: &'a str, package: &str) -> Vec<&'a str> {
    let begin = format!("{{ crate = \"{package}\", allow = [");
    list(text, &begin).unwrap_or_default()
}

/// Whether an SPDX expression can be satisfied with the allowed licences. `/` is an older way to write `OR`.
fn is_allowed(expression: &str, allowed: &[&str]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    any(&words, &mut at, allowed) && at == words.len()
}

/// Alternatives: `AND` binds closer than `OR`.
fn any(words: &[&str], at: &mut usize, allowed: &[&str]) -> bool {
    let mut is_allowed = all(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        is_allowed |= all(words, at, allowed);
    }
    is_allowed
}

fn all(words: &[&str], at: &mut usize, allowed: &[&str]) -> bool {
    let mut is_allowed = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        is_allowed &= one(words, at, allowed);
    }
    is_allowed
}

fn one(words: &[&str], at: &mut usize, allowed: &[&str]) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let is_allowed = any(words, at, allowed);
        *at += 1;
        return is_allowed;
    }
    if words.get(*at) == Some(&"WITH") {
        *at += 2;
        let exception = words.get(*at - 1).copied().unwrap_or_default();
        return allowed.contains(&format!("{word} WITH {exception}").as_str());
    }
    // `+` means this version of the licence or a later one.
    allowed.contains(&word.trim_end_matches('+'))
}

#[cfg(test)]
mod tests {
    use super::metadata::Package;
    use super::*;

    #[test]
    fn an_expression_is_allowed_if_it_can_be_satisfied() {
        let allowed = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "Unicode-3.0"];
        let check = |expression: &str, expected: bool| {
            assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
        };
        check("MIT", true);
        check("GPL-3.0-only", false);
        check("GPL-3.0-only OR MIT", true);
        check("MIT/Apache-2.0", true);
        check("MIT AND GPL-3.0-only", false);
        check("(MIT OR Apache-2.0) AND Unicode-3.0", true);
        check("(MIT OR GPL-3.0-only) AND GPL-3.0-only", false);
        check("Apache-2.0 WITH LLVM-exception", true);
        check("Apache-2.0 WITH LLVM-exception OR GPL-2.0-only", true);
        check("MIT WITH Other-exception", false);
        check("MIT+", true);
        check("MIT OR", true);
        check("", false);
    }

    #[test]
    fn what_is_not_allowed_is_named() {
        let rules = "[licenses]\nallow = [\n  \"MIT\",\n]\nexceptions = [\n  { crate = \"odd\", allow = [\"Odd-1.0\"] },\n]\n\
                     [sources]\nallow-registry = [\"the-index\"]\n[bans]\ndeny = [\n  { crate = \"banned\" },\n]\n";
        let package = |name: &str, licence: &str, source: &str| {
            let package = Package {
                name: name.into(),
                version: "1.0.0".into(),
                licence: (!licence.is_empty()).then(|| licence.into()),
                rust_version: None,
                source: Some(source.into()),
                folder: None,
                dependencies: Vec::new(),
            };
            (name.to_owned(), package)
        };
        let packages = Packages::from([
            package("good", "MIT", "registry+the-index"),
            package("odd", "Odd-1.0", "registry+the-index"),
            package("banned", "MIT", "registry+the-index"),
            package("strict", "Odd-1.0", "registry+the-index"),
            package("unnamed", "", "registry+the-index"),
            package("elsewhere", "MIT", "git+https://example.com/x"),
        ]);
        let mut faults = Vec::new();
        apply(rules, &packages, &mut faults).unwrap();
        assert_eq!(
            faults,
            [
                "banned: deny.toml bans it",
                "elsewhere 1.0.0: deny.toml does not allow the source \"git+https://example.com/x\"",
                "strict 1.0.0: deny.toml does not allow the licence \"Odd-1.0\"",
                "unnamed 1.0.0: names no licence",
            ]
        );
    }

    #[test]
    fn a_list_is_read_across_lines() {
        assert_eq!(list("x\nallow = [\n  \"A\",\n  \"B\",\n]\n", "\nallow = ["), Some(vec!["A", "B"]));
    }
}
