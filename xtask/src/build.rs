//! Building: the Wasm components, and the native binary.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{print, setup};

/// The target of every component.
pub(crate) const WASM_TARGET: &str = "wasm32-wasip2";

/// The project's folder.
pub(crate) fn root() -> PathBuf {
    // As cargo says it now: a target folder that several checkouts share holds one binary for all of them.
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo should have started this");
    Path::new(&xtask).parent().expect("xtask should lie in the project's folder").to_path_buf()
}

/// Runs a command and says which; its failure is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = format!("{command:?}").replace('"', "");
    print(&format!("$ {shown}"));
    let status = command.status().with_context(|| format!("cannot start {shown}"))?;
    ensure!(status.success(), "{shown} ended with {status}");
    Ok(())
}

/// `cargo` with these arguments.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments);
    cargo
}

/// The packages that run or embed the native runtime.
///
/// They are always built together: each choice of packages may choose other features of what they depend on,
/// and building the Wasm runtime once more for that takes minutes.
pub(crate) const NATIVE: [&str; 6] = [
    "live-recorder",
    "recorder-bucket-server",
    "recorder-gateway",
    "recorder-host",
    "recorder-http-server",
    "recorder-tests",
];

/// Everything.
pub(crate) fn all() -> Result<()> {
    wasm()?;
    native()
}

/// The components that `spin.toml` names.
pub(crate) fn wasm() -> Result<()> {
    setup::wasm_target()?;
    let mut build = cargo(&["build", "--release", "--target", WASM_TARGET]);
    for package in wasm_packages()? {
        build.args(["--package", &package]);
    }
    run(&mut build)
}

/// The native packages, optimised.
pub(crate) fn native() -> Result<()> {
    let mut build = cargo(&["build", "--profile", "native"]);
    for package in NATIVE {
        build.args(["--package", package]);
    }
    run(&mut build)
}

/// The packages whose Wasm files `spin.toml` names: the manifest is the one list of them.
fn wasm_packages() -> Result<Vec<String>> {
    let manifest = std::fs::read_to_string("spin.toml").context("cannot read spin.toml")?;
    let mut packages: Vec<String> = manifest
        .split('"')
        .filter_map(|text| text.strip_prefix("target/wasm32-wasip2/release/")?.strip_suffix(".wasm"))
        .map(|file| file.replace('_', "-"))
        .collect();
    packages.sort();
    packages.dedup();
    ensure!(!packages.is_empty(), "spin.toml names no file in target/{WASM_TARGET}/release");
    Ok(packages)
}
