//! The guests of `tests/conformance/components`, built for the wasm target.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

/// The folder of the built guests; the first test that asks builds them.
pub(crate) static GUESTS: LazyLock<PathBuf> = LazyLock::new(|| {
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/components");
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../conformance");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--examples", "--target", "wasm32-wasip2"])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(&package)
        .status()
        .expect("cargo should run");
    assert!(built.success(), "the guests cannot be built: is the target wasm32-wasip2 installed?");
    target.join("wasm32-wasip2/release/examples")
});
