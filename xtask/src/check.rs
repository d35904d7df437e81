//! Formatting, lints, documentation, house rules.

use anyhow::Result;

use crate::build::{BENCH, WASM_TARGET, cargo, run};
use crate::{deny, tidy};

/// Runs every check.
pub(crate) fn all() -> Result<()> {
    tidy::check()?;
    deny::licences_and_sources()?;
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    run(cargo(&["fmt", "--check"]).current_dir("fuzz"))?;
    run(&mut cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--features",
        BENCH,
        "--profile",
        "native",
        "--",
        "-D",
        "warnings",
    ]))?;
    // What is compiled for Wasm only: the adapters and the handlers.
    let mut wasm = cargo(&["clippy", "--release", "--target", WASM_TARGET]);
    for package in tidy::packages_for_wasm()? {
        wasm.args(["--package", &package]);
    }
    run(wasm.args(["--", "-D", "warnings"]))?;
    let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--features", BENCH, "--profile", "native"]);
    run(doc.env("RUSTDOCFLAGS", "-D warnings"))
}
