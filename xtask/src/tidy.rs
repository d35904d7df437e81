//! House rules that no other tool knows, each in a file of its own.

mod arrows;
mod circles;
mod dependencies;
mod documentation;
mod features;
mod inherited;
mod length;
mod links;
mod metadata;
mod source;
mod toolchain;
mod untested;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

pub(crate) use dependencies::WORKSPACES;

use crate::print;

/// Checks every rule, and names all that is against one.
pub(crate) fn check() -> Result<()> {
    let mut faults = Vec::new();
    let files = tracked()?;
    let packages = metadata::read(".")?;
    arrows::check(&packages, &mut faults);
    dependencies::check(&mut faults)?;
    circles::check(&files, &mut faults)?;
    features::check(&mut faults)?;
    documentation::check(&files, &mut faults)?;
    length::check(&files, &mut faults)?;
    links::check(&files, &mut faults)?;
    toolchain::check(&files, &packages, &mut faults);
    untested::check(&files, &mut faults)?;
    let manifest = fs::read_to_string("spin.toml").context("cannot read spin.toml")?;
    inherited::check(&manifest, &mut faults);
    if faults.is_empty() {
        print("tidy: no faults");
        return Ok(());
    }
    let noun = if faults.len() == 1 { "fault" } else { "faults" };
    bail!("{} {noun} against house rules:\n- {}", faults.len(), faults.join("\n- "))
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
