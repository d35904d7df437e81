//! What has to be there before anything can be built.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::build::{WASM_TARGET, run};
use crate::print;

/// How long rustup may take to fetch the target before the next way is tried.
const RUSTUP_TIME: Duration = Duration::from_secs(60);

/// Makes sure that rustc can build for Wasm: by rustup, else from Debian's source packages.
pub(crate) fn wasm_target() -> Result<()> {
    if has_wasm_target()? {
        return Ok(());
    }
    print(&format!("setting up: the target {WASM_TARGET}, by rustup"));
    if rustup_adds_it() && has_wasm_target()? {
        return Ok(());
    }
    if Command::new("apt-get").arg("--version").stdout(Stdio::null()).status().is_ok() {
        print(
            "setting up: rustup cannot get it; building it from Debian's rust-src and wasi-libc (about a minute)",
        );
        run(Command::new("bash").arg("xtask/wasm-target.sh"))?;
        if has_wasm_target()? {
            return Ok(());
        }
    }
    bail!(
        "rustc has no standard library for {WASM_TARGET}, and it could not be set up. \
         Install it with `rustup target add {WASM_TARGET}`, or by your distribution's package for that target"
    )
}

/// What the tests push, judge, call the API and are built with: programs, and Debian's packages that have them.
const TEST_TOOLS: [(&[&str], &str); 5] = [
    (&["ffmpeg", "-version"], "ffmpeg"),
    (&["tsreport", "-h"], "tstools"),
    (&["python3", "-c", "import venv, ensurepip"], "python3-venv"),
    (&["npm", "--version"], "npm"),
    (&["c++", "--version"], "g++"),
];

/// Makes sure that the tests' tools are there.
pub(crate) fn test_tools() -> Result<()> {
    let missing = || TEST_TOOLS.iter().filter(|(probe, _)| !succeeds(probe)).map(|(_, package)| *package);
    let packages: Vec<&str> = missing().collect();
    if packages.is_empty() {
        return Ok(());
    }
    print(&format!("setting up: {}, by apt-get", packages.join(", ")));
    let apt = |arguments: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.args(arguments).args(&packages).env("DEBIAN_FRONTEND", "noninteractive");
        apt.status().is_ok_and(|status| status.success())
    };
    let _ = Command::new("apt-get").args(["update", "-q"]).status();
    apt(&["install", "-y", "-q", "--no-install-recommends"]);
    let missing: Vec<&str> = missing().collect();
    if missing.is_empty() {
        return Ok(());
    }
    bail!(
        "the tests need what Debian's packages {} have, and it could not be installed; install it by hand",
        missing.join(", ")
    )
}

fn succeeds(probe: &[&str]) -> bool {
    let run = Command::new(probe[0]).args(&probe[1..]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    run.is_ok_and(|status| status.success())
}

fn has_wasm_target() -> Result<bool> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", WASM_TARGET])
        .output()
        .context("cannot start rustc")?;
    let folder = String::from_utf8(output.stdout).context("rustc prints a folder that is not UTF-8")?;
    let Ok(files) = std::fs::read_dir(folder.trim()) else { return Ok(false) };
    Ok(files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libstd-")))
}

fn rustup_adds_it() -> bool {
    let Ok(mut rustup) = Command::new("rustup").args(["target", "add", WASM_TARGET]).spawn() else {
        return false;
    };
    let begun = Instant::now();
    loop {
        match rustup.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if begun.elapsed() < RUSTUP_TIME => std::thread::sleep(Duration::from_millis(100)),
            _ => {
                let _ = rustup.kill();
                let _ = rustup.wait();
                return false;
            }
        }
    }
}
