//! What the packages that we are built with may be: licences, sources, bans, advisories.

use anyhow::{Result, ensure};

use crate::build::{cargo, run};
use crate::print;
use crate::tidy::WORKSPACES;

/// Applies `deny.toml` by cargo-deny, where it is installed. The tidy rules have applied its lists before this.
pub(crate) fn licences_and_sources() -> Result<()> {
    print(
        "deny.toml: licences, sources and bans hold for the packages of all Cargo workspaces; \
         not checked: the npm and PyPI packages that tests install into target/, none of which is built in or shipped",
    );
    if !is_installed() {
        print("cargo-deny is not installed: this is by cargo's metadata alone");
        return Ok(());
    }
    each_workspace(&["licenses", "sources", "bans"])
}

/// Asks whether a package that we are built with has a known vulnerability.
pub(crate) fn advisories() -> Result<()> {
    ensure!(
        is_installed(),
        "this needs cargo-deny, and the network to fetch the list of advisories; \
         install it with `cargo install --locked cargo-deny`"
    );
    each_workspace(&["advisories"])
}

fn each_workspace(checks: &[&str]) -> Result<()> {
    for workspace in WORKSPACES {
        let mut deny = cargo(&["deny", "--locked", "--config", "deny.toml", "--manifest-path"]);
        deny.arg(format!("{workspace}/Cargo.toml")).arg("check").args(checks);
        // Each workspace meets only some of the exceptions.
        run(deny.args(["--allow", "license-exception-not-encountered"]))?;
    }
    Ok(())
}

fn is_installed() -> bool {
    cargo(&["deny", "--version"]).output().is_ok_and(|output| output.status.success())
}
