//! Every test.

use std::process::Command;

use anyhow::Result;

use crate::build::{self, cargo, run};
use crate::setup;

/// Runs every test; the runners print their counts.
pub(crate) fn all() -> Result<()> {
    setup::test_tools()?;
    build::wasm()?;
    // The core and the functions' logic: quick to build, with overflow checks.
    let mut core = cargo(&["test", "--workspace"]);
    for package in build::NATIVE {
        core.args(["--exclude", package]);
    }
    run(&mut core)?;
    // What runs the built components: optimised, for it compiles Wasm. This builds the binary as well.
    let mut native = cargo(&["test", "--profile", "native"]);
    for package in build::NATIVE {
        native.args(["--package", package]);
    }
    run(&mut native)?;
    // The official clients of the recording API, against the binary just built.
    run(Command::new("python3").arg("tests/sdk/run.py"))
}
