//! Building: the Wasm components, and the native binary.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use anyhow::{Context, Result, ensure};

use crate::print;

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
    start(command)?.end()
}

/// A command that runs.
pub(crate) struct Started {
    child: Child,
    shown: String,
}

/// Starts a command and says which.
pub(crate) fn start(command: &mut Command) -> Result<Started> {
    let shown = format!("{command:?}").replace('"', "");
    print(&format!("$ {shown}"));
    let child = command.spawn().with_context(|| format!("cannot start {shown}"))?;
    Ok(Started { child, shown })
}

impl Started {
    /// Waits for the end; a failure is an error.
    pub(crate) fn end(mut self) -> Result<()> {
        let status = self.child.wait().with_context(|| format!("cannot wait for {}", self.shown))?;
        ensure!(status.success(), "{} ended with {status}", self.shown);
        Ok(())
    }
}

/// `cargo` with these arguments.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments);
    cargo
}

/// The native binary.
pub(crate) const BINARY: &str = "live-recorder";

/// The packages that embed the Wasm runtime, or run the binary that does.
///
/// Whichever of them are built, the features of what they depend on must be the same: to build the Wasm runtime once
/// more, with other features, takes minutes. `cargo xtask check` holds that.
pub(crate) const NATIVE: [&str; 5] =
    [BINARY, "recorder-bucket-server", "recorder-host", "recorder-http-server", "recorder-tests"];

/// The feature that builds the benchmarks as well.
pub(crate) const BENCH: &str = "recorder-tests/bench";

/// What a user runs: the components that `spin.toml` names, and beside them the native binary.
pub(crate) fn bundle() -> Result<()> {
    let time = if Path::new("target/native").join(BINARY).exists() {
        "seconds, or a minute after large changes"
    } else {
        "about 10 minutes on two cores, this first time"
    };
    print(&format!("building: the native binary and the Wasm components, side by side ({time})"));
    let mut native = native(&[BINARY]);
    let mut wasm = wasm_command()?;
    // Two displays of progress would overwrite each other.
    wasm.arg("--quiet");
    let native = start(&mut native)?;
    let wasm = start(&mut wasm)?;
    // Both are waited for, whatever becomes of the first.
    let (native, wasm) = (native.end(), wasm.end());
    native.and(wasm)
}

/// The components that `spin.toml` names.
pub(crate) fn wasm() -> Result<()> {
    run(&mut wasm_command()?)
}

pub(crate) fn wasm_command() -> Result<Command> {
    let mut build = cargo(&["build", "--release", "--target", WASM_TARGET]);
    for package in wasm_packages()? {
        build.args(["--package", &package]);
    }
    Ok(build)
}

/// Builds native packages, optimised.
pub(crate) fn native(packages: &[&str]) -> Command {
    let mut build = cargo(&["build", "--profile", "native"]);
    for package in packages {
        build.args(["--package", package]);
    }
    build
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
