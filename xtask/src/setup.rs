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
