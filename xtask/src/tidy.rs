//! House rules that no other tool knows.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::print;

/// The capability sets that a dependency can inherit. Spin ignores a word that it does not know.
const CAPABILITIES: [&str; 7] = [
    "ai_models",
    "allowed_outbound_hosts",
    "environment",
    "files",
    "key_value_stores",
    "sqlite_databases",
    "variables",
];

/// Checks every rule, and names all that is against one.
pub(crate) fn check() -> Result<()> {
    let mut faults = Vec::new();
    let files = tracked()?;
    core_depends_inwards_only(&files, &mut faults)?;
    libraries_begin_with_documentation(&files, &mut faults)?;
    inherited_words_are_known(&mut faults)?;
    links_resolve(&files, &mut faults)?;
    if faults.is_empty() {
        print("tidy: no faults");
        return Ok(());
    }
    bail!("{} faults against house rules:\n- {}", faults.len(), faults.join("\n- "))
}

/// The packages that are compiled for Wasm: library components, functions, and what they share.
pub(crate) fn packages_for_wasm() -> Result<Vec<String>> {
    let mut packages = Vec::new();
    for folder in ["components", "functions"] {
        for entry in fs::read_dir(folder)? {
            let manifest = fs::read_to_string(entry?.path().join("Cargo.toml"))?;
            let name = manifest.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
            packages.push(name.context("a package without a name")?.to_owned());
        }
    }
    packages.sort();
    Ok(packages)
}

/// What git knows of, below the project's folder.
fn tracked() -> Result<Vec<PathBuf>> {
    let output = Command::new("git").args(["ls-files", "-z"]).output().context("cannot start git")?;
    ensure!(output.status.success(), "git ls-files ended with {}", output.status);
    let names = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
    let files = names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from);
    Ok(files.filter(|file| file.exists()).collect())
}

/// Crates of the core use other crates of the core, and neither Spin nor a runtime nor a network.
fn core_depends_inwards_only(files: &[PathBuf], faults: &mut Vec<String>) -> Result<()> {
    const OUTSIDE: [&str; 10] = [
        "spin-sdk",
        "tokio",
        "hyper",
        "ureq",
        "reqwest",
        "wasmtime",
        "gateway",
        "host",
        "shared",
        "key-value",
    ];
    for file in files.iter().filter(|file| file.starts_with("crates") && file.ends_with("Cargo.toml")) {
        for line in fs::read_to_string(file)?.lines() {
            let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
            if OUTSIDE.contains(&name) {
                faults.push(format!("{}: the core must not depend on {name}", file.display()));
            }
        }
    }
    Ok(())
}

/// A library says first what it is.
fn libraries_begin_with_documentation(files: &[PathBuf], faults: &mut Vec<String>) -> Result<()> {
    for file in files.iter().filter(|file| file.ends_with("src/lib.rs") || file.ends_with("src/main.rs")) {
        if !fs::read_to_string(file)?.starts_with("//! ") {
            faults.push(format!("{}: begins with no `//!` documentation", file.display()));
        }
    }
    Ok(())
}

/// Each word of an `inherit_configuration` is a capability set.
fn inherited_words_are_known(faults: &mut Vec<String>) -> Result<()> {
    let manifest = fs::read_to_string("spin.toml")?;
    let known: BTreeSet<&str> = CAPABILITIES.into();
    for list in manifest.split("inherit_configuration = [").skip(1) {
        let list = list.split(']').next().unwrap_or_default();
        for word in list.split('"').skip(1).step_by(2).filter(|word| !known.contains(word)) {
            faults
                .push(format!("spin.toml: inherit_configuration has no {word:?}; it knows {CAPABILITIES:?}"));
        }
    }
    Ok(())
}

/// Relative links in Markdown lead to files.
fn links_resolve(files: &[PathBuf], faults: &mut Vec<String>) -> Result<()> {
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
