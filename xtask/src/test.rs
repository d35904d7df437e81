//! Every test.

use std::fs::DirEntry;
use std::process::Command;

use anyhow::{Context, Result};

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
    core_as_wasm()?;
    fuzz()?;
    // The official clients of the recording API, against the binary just built.
    run(Command::new("python3").arg("tests/sdk/run.py"))
}

/// The core's tests that need no files and no other program, where a `usize` has 32 bits.
fn core_as_wasm() -> Result<()> {
    let mut core = cargo(&["test", "--target", build::WASM_TARGET, "--lib"]);
    core.args(["--test", "golden", "--test", "sessions", "--test", "memory"]);
    for package in crates()? {
        core.args(["--package", &package]);
    }
    run(core.env("CARGO_TARGET_WASM32_WASIP2_RUNNER", build::root().join("target/native/wasi-run")))
}

/// The packages of the core.
fn crates() -> Result<Vec<String>> {
    Ok(folder("crates")?.into_iter().map(|name| format!("recorder-{name}")).collect())
}

/// The names in a folder, in order.
fn folder(path: &str) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(path).with_context(|| format!("cannot list {path}"))?;
    let name = |entry: DirEntry| entry.file_name().display().to_string();
    let mut names = entries.map(|entry| Ok(name(entry?))).collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// Ten seconds of every fuzz target, from its seeds on.
fn fuzz() -> Result<()> {
    for target in folder("fuzz/fuzz_targets")? {
        let target = target.trim_end_matches(".rs");
        let mut fuzz = cargo(&["run", "--release", "--bin", target, "--"]);
        fuzz.args(["-max_total_time=10", "-seed=1", "-rss_limit_mb=512", "-print_final_stats=1"]);
        // What is found goes into the first folder, which is therefore not that of the seeds.
        let found = build::root().join("target/fuzz/found").join(target);
        let _ = std::fs::remove_dir_all(&found);
        std::fs::create_dir_all(&found).with_context(|| format!("cannot create {}", found.display()))?;
        fuzz.arg(format!("-artifact_prefix={}/", found.display())).arg(found);
        let seeds = build::root().join("fuzz/seeds").join(target);
        if seeds.is_dir() {
            fuzz.arg(seeds);
        }
        run(fuzz.current_dir("fuzz"))?;
    }
    Ok(())
}
