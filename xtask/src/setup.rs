//! What has to be there before anything can be built.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::build::{WASM_TARGET, run};
use crate::print;

/// How long rustup may take to fetch the target before the next way is tried.
const RUSTUP_TIME: Duration = Duration::from_secs(60);

/// Makes sure that rustc can build for Wasm: by rustup, else from Debian's source packages.
///
/// Says beforehand what is installed, where and why.
pub(crate) fn wasm_target(installs: bool) -> Result<()> {
    let folder = target_folder()?;
    if has_library(&folder) {
        return Ok(());
    }
    print(&format!(
        "Every component is built for {WASM_TARGET}, and this toolchain has no standard library for it."
    ));
    if installs {
        print(&format!("It is installed now into {}; --no-install would not do that.", folder.display()));
        print(&format!("installing: `rustup target add {WASM_TARGET}` downloads it"));
        if rustup_adds_it() && has_library(&folder) {
            return Ok(());
        }
        if Command::new("apt-get").arg("--version").stdout(Stdio::null()).status().is_ok() {
            print(
                "installing: rustup could not get it. Debian's packages rust-src and wasi-libc are downloaded into a \
                 temporary folder, and the library is built from them, in about a minute",
            );
            run(Command::new("bash").arg("xtask/wasm-target.sh"))?;
            if has_library(&folder) {
                return Ok(());
            }
        }
    }
    bail!(
        "nothing can be built without the standard library for {WASM_TARGET}; \
         install it with `rustup target add {WASM_TARGET}`, or by your distribution's package for that target"
    )
}

/// Where rustc looks for the target's standard library.
fn target_folder() -> Result<PathBuf> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", WASM_TARGET])
        .output()
        .context("cannot start rustc")?;
    let folder = String::from_utf8(output.stdout).context("rustc prints a folder that is not UTF-8")?;
    Ok(PathBuf::from(folder.trim()))
}

fn has_library(folder: &Path) -> bool {
    let Ok(files) = std::fs::read_dir(folder) else { return false };
    files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
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
