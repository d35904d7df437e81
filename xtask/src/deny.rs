//! cargo-deny, where it is installed.

use anyhow::{Result, ensure};

use crate::build::{cargo, run};
use crate::print;

/// Applies `deny.toml` as a whole. Without cargo-deny the tidy rules have applied its two lists, and this says so.
pub(crate) fn licences_and_sources() -> Result<()> {
    if is_installed() {
        return run(&mut cargo(&["deny", "--locked", "check", "licenses", "sources", "bans"]));
    }
    print(
        "cargo-deny is not installed: licences and sources are checked by cargo's metadata alone, bans are not",
    );
    Ok(())
}

/// Asks whether a package that we are built with has a known vulnerability.
pub(crate) fn advisories() -> Result<()> {
    ensure!(
        is_installed(),
        "this needs cargo-deny, and the network to fetch the list of advisories; \
         install it with `cargo install --locked cargo-deny`"
    );
    run(&mut cargo(&["deny", "--locked", "check", "advisories"]))
}

fn is_installed() -> bool {
    cargo(&["deny", "--version"]).output().is_ok_and(|output| output.status.success())
}
