//! House rules that no other tool knows.

mod arrows;
mod circles;
mod dependencies;
mod files;
mod metadata;
mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

pub(crate) use dependencies::WORKSPACES;

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
    let packages = metadata::read(".")?;
    arrows::check(&packages, &mut faults);
    dependencies::check(&mut faults)?;
    circles::check(&files, &mut faults)?;
    files::begin_with_documentation(&files, &mut faults)?;
    files::are_short(&files, &mut faults)?;
    files::links_resolve(&files, &mut faults)?;
    inherited_words_are_known(&mut faults)?;
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
