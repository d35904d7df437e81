//! `rust-version` names the toolchain, once for all packages, and no file makes rustup download one unasked.

use std::path::PathBuf;

use super::metadata::Packages;

/// Checks every package of ours, and that no file chooses a toolchain.
pub(super) fn check(files: &[PathBuf], packages: &Packages, faults: &mut Vec<String>) {
    // xtask is a package of the workspace like the others.
    let wanted = env!("CARGO_PKG_RUST_VERSION");
    for package in packages.values() {
        let Some(folder) = &package.folder else { continue };
        if wanted.is_empty() || package.rust_version.as_deref() != Some(wanted) {
            faults.push(format!(
                "{folder}: write `rust-version.workspace = true`, the workspace's is {wanted:?}"
            ));
        }
    }
    let chooses = |file: &&PathBuf| file.file_stem().is_some_and(|stem| stem == "rust-toolchain");
    for file in files.iter().filter(chooses) {
        faults.push(format!("{}: rustup downloads a toolchain for it unasked", file.display()));
    }
}
