//! Every test.

use anyhow::Result;

use crate::build::{self, cargo, run};
use crate::setup;

/// The packages that run or embed the native runtime: they are tested optimised, for they compile Wasm.
const NATIVE: [&str; 3] = ["live-recorder", "recorder-gateway", "recorder-tests"];

/// Runs every test; the runners print their counts.
pub(crate) fn all() -> Result<()> {
    setup::ffmpeg()?;
    build::wasm()?;
    // The core and the functions' logic: quick to build, with overflow checks.
    let mut core = cargo(&["test", "--workspace"]);
    for package in NATIVE {
        core.args(["--exclude", package]);
    }
    run(&mut core)?;
    // What runs the built components.
    build::native(&["live-recorder"])?;
    let mut native = cargo(&["test", "--profile", "native"]);
    for package in NATIVE {
        native.args(["--package", package]);
    }
    run(&mut native)
}
