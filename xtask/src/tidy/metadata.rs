//! What cargo knows of the packages and of what they depend on.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::build::cargo;

/// A package of the dependency graph.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    /// The SPDX expression; absent for packages that name a file in its place.
    pub(super) licence: Option<String>,
    /// The oldest toolchain that builds it.
    pub(super) rust_version: Option<String>,
    /// Where it comes from; absent for our own.
    pub(super) source: Option<String>,
    /// Its folder below the project's, for our own.
    pub(super) folder: Option<String>,
    /// Ids of what it is built with. Left out are build scripts, tests, and what only a feature brings: our own
    /// packages have features for their tests alone.
    pub(super) dependencies: Vec<String>,
}

/// Every package by its id.
pub(super) type Packages = BTreeMap<String, Package>;

/// The packages of the workspace in a folder, and what they depend on. Cargo downloads what its lock file names and is not
/// there yet.
pub(super) fn read(workspace: &str) -> Result<Packages> {
    parse(&ask(workspace, &[])?).context("cargo metadata lacks a field")
}

/// What cargo says of the workspace in a folder.
pub(super) fn ask(workspace: &str, options: &[&str]) -> Result<Value> {
    let mut metadata = cargo(&["metadata", "--format-version", "1", "--locked"]);
    let output = metadata.args(options).current_dir(workspace).output();
    let output = output.context("cannot start cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
    serde_json::from_slice(&output.stdout).context("cargo metadata printed no JSON")
}

fn parse(metadata: &Value) -> Option<Packages> {
    let root = metadata["workspace_root"].as_str()?;
    let mut optional = BTreeMap::new();
    for package in metadata["packages"].as_array()? {
        let declared = package["dependencies"].as_array()?.iter();
        let names = declared.filter(|declared| declared["optional"] == true).map(|declared| {
            let name = declared["rename"].as_str().or(declared["name"].as_str());
            name.unwrap_or_default().replace('-', "_")
        });
        optional.insert(package["id"].as_str()?, names.collect::<BTreeSet<_>>());
    }
    let mut dependencies = BTreeMap::new();
    for node in metadata["resolve"]["nodes"].as_array()? {
        let optional = &optional[node["id"].as_str()?];
        let is_our_own = node["id"].as_str()?.starts_with("path+");
        let is_built = |dependency: &&Value| {
            let name = dependency["name"].as_str().unwrap_or_default();
            is_normal(dependency) && !(is_our_own && optional.contains(name))
        };
        let normal = node["deps"].as_array()?.iter().filter(is_built);
        let ids = normal.filter_map(|dependency| Some(dependency["pkg"].as_str()?.to_owned())).collect();
        dependencies.insert(node["id"].as_str()?.to_owned(), ids);
    }
    let mut packages = Packages::new();
    for package in metadata["packages"].as_array()? {
        let id = package["id"].as_str()?.to_owned();
        let text = |field: &str| package[field].as_str().map(str::to_owned);
        let folder = text("manifest_path")?;
        let folder = folder.strip_prefix(root).and_then(|path| path.strip_suffix("/Cargo.toml"));
        let found = Package {
            name: text("name")?,
            version: text("version")?,
            licence: text("license"),
            rust_version: text("rust_version"),
            source: text("source"),
            folder: folder.map(|folder| folder.trim_start_matches('/').to_owned()),
            dependencies: dependencies.remove(&id).unwrap_or_default(),
        };
        packages.insert(id, found);
    }
    Some(packages)
}

/// Whether a dependency is built into the package: `kind` is null for those.
fn is_normal(dependency: &Value) -> bool {
    let kinds = dependency["dep_kinds"].as_array();
    kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
}

/// All that a package is built with, by id, itself aside.
pub(super) fn reachable<'a>(packages: &'a Packages, id: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = packages[id].dependencies.iter().map(String::as_str).collect();
    while let Some(id) = open.pop() {
        if found.insert(id) {
            open.extend(packages[id].dependencies.iter().map(String::as_str));
        }
    }
    found
}
