//! Licences and sources of all that we are built with, by `deny.toml`.
//!
//! cargo-deny applies the same file where it is installed. This check needs nothing but cargo, and applies the
//! two lists that matter most: the licences allowed, and the registries that packages may come from.

use anyhow::{Context, Result};

use super::metadata::Packages;

/// Names every package whose licence or source is not allowed.
pub(super) fn check(packages: &Packages, faults: &mut Vec<String>) -> Result<()> {
    let text = std::fs::read_to_string("deny.toml").context("cannot read deny.toml")?;
    let licences = list(&text, "\nallow = [").context("deny.toml has no list \"allow\" of licences")?;
    let registries =
        list(&text, "\nallow-registry = [").context("deny.toml has no list \"allow-registry\"")?;
    for package in packages.values() {
        let excepted = exceptions(&text, &package.name);
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
    allowed.contains(word)
}

#[cfg(test)]
mod tests {
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
        check("MIT OR", true);
        check("", false);
    }

    #[test]
    fn a_list_is_read_across_lines() {
        assert_eq!(list("x\nallow = [\n  \"A\",\n  \"B\",\n]\n", "\nallow = ["), Some(vec!["A", "B"]));
    }
}
