//! `spin.toml`, version 2, read strictly.
//!
//! A field that this host does not support is an error that names it: an application that runs here must not
//! behave differently under Spin because something was silently skipped.

pub(crate) mod allowed_hosts;
pub(crate) mod capability;
pub(crate) mod dependency;
mod template;
#[cfg(test)]
mod tests;
pub(crate) mod variables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::manifest::capability::{Capability, Inherit};
use crate::manifest::dependency::DependencyName;

/// An application as `spin.toml` declares it.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The folder that relative paths start from: the manifest's own.
    pub directory: PathBuf,
    /// Name of the application.
    pub name: String,
    /// Application variables by name.
    pub variables: BTreeMap<String, VariableDeclaration>,
    /// HTTP triggers in the order of the file.
    pub triggers: Vec<HttpTrigger>,
    /// Components by id.
    pub components: BTreeMap<String, Component>,
}

/// One entry of `[variables]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariableDeclaration {
    /// Value where nothing else provides one.
    pub default: Option<String>,
    /// Whether a value must come from outside.
    #[serde(default)]
    pub required: bool,
    /// Whether the value must not be shown.
    #[serde(default)]
    pub secret: bool,
}

/// One `[[trigger.http]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpTrigger {
    /// Route pattern: exact, with `:name` segments, or with a trailing `/...`.
    pub route: String,
    /// Id of the component that answers.
    pub component: String,
}

/// One `[component.X]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// Path of the Wasm component.
    pub source: PathBuf,
    /// For people.
    #[serde(default, rename = "description")]
    _description: Option<String>,
    /// Labels of the stores that it may open; this host has `default` alone.
    #[serde(default)]
    pub key_value_stores: Vec<String>,
    /// Where it may send requests, as templates.
    #[serde(default)]
    pub allowed_outbound_hosts: Vec<String>,
    /// The variables that it sees, as templates over the application's.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// How to build it; not ours to do.
    #[serde(default, rename = "build")]
    _build: Option<toml::Table>,
    /// The components that satisfy its imports.
    #[serde(default, deserialize_with = "dependencies")]
    pub dependencies: Vec<(DependencyName, Dependency)>,
}

/// One entry of `[component.X.dependencies]`.
#[derive(Clone, Debug)]
pub struct Dependency {
    /// Path of the Wasm component.
    pub path: PathBuf,
    /// What it may use of the capabilities of the component that depends on it.
    pub inherit: Inherit,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    spin_manifest_version: toml::Value,
    application: Application,
    #[serde(default)]
    variables: BTreeMap<String, VariableDeclaration>,
    #[serde(default)]
    trigger: Triggers,
    #[serde(default)]
    component: BTreeMap<String, Component>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Application {
    name: String,
    #[serde(default, rename = "version")]
    _version: Option<String>,
    #[serde(default, rename = "description")]
    _description: Option<String>,
    #[serde(default, rename = "authors")]
    _authors: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Triggers {
    #[serde(default)]
    http: Vec<HttpTrigger>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDependency {
    path: PathBuf,
    #[serde(default)]
    inherit_configuration: RawInherit,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected true, false or a list of capability sets")]
enum RawInherit {
    Everything(bool),
    Sets(Vec<String>),
}

impl Default for RawInherit {
    fn default() -> Self {
        Self::Everything(false)
    }
}

fn dependencies<'de, D>(deserializer: D) -> Result<Vec<(DependencyName, Dependency)>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    use serde::de::Error;

    BTreeMap::<String, RawDependency>::deserialize(deserializer)?
        .into_iter()
        .map(|(name, raw)| {
            let inherit = match raw.inherit_configuration {
                RawInherit::Everything(true) => Inherit::All,
                RawInherit::Everything(false) => Inherit::none(),
                RawInherit::Sets(sets) => Inherit::Some(
                    sets.iter()
                        .map(|set| set.parse::<Capability>())
                        .collect::<Result<_>>()
                        .map_err(|error| D::Error::custom(format!("dependency {name:?}: {error}")))?,
                ),
            };
            let parsed = name.parse().map_err(D::Error::custom)?;
            Ok((parsed, Dependency { path: raw.path, inherit }))
        })
        .collect()
}

impl Manifest {
    /// Reads the manifest at `path`.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is not TOML, or declares something that this host does not support.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("while reading the manifest {}", path.display()))?;
        let directory = path.parent().unwrap_or(Path::new("")).to_owned();
        Self::parse(&text, directory).with_context(|| format!("in the manifest {}", path.display()))
    }

    /// Reads a manifest from `text`; relative paths in it start from `directory`.
    ///
    /// # Errors
    ///
    /// As [`Manifest::load`].
    pub fn parse(text: &str, directory: PathBuf) -> Result<Self> {
        let document: Document = toml::from_str(text)?;
        ensure!(
            document.spin_manifest_version.as_integer() == Some(2),
            "spin_manifest_version is {}, only 2 is supported",
            document.spin_manifest_version
        );
        let manifest = Self {
            directory,
            name: document.application.name,
            variables: document.variables,
            triggers: document.trigger.http,
            components: document.component,
        };
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<()> {
        for (name, variable) in &self.variables {
            match (&variable.default, variable.required) {
                (Some(_), true) => bail!("variable {name:?} is required and has a default: choose one"),
                (None, false) => bail!("variable {name:?} must be required or have a default"),
                _ => {}
            }
        }
        for trigger in &self.triggers {
            ensure!(
                self.components.contains_key(&trigger.component),
                "route {:?} names the component {:?}, which is not declared",
                trigger.route,
                trigger.component
            );
        }
        for (id, component) in &self.components {
            for label in &component.key_value_stores {
                ensure!(
                    label == "default",
                    "component {id:?} asks for the key-value store {label:?}, only \"default\" is supported"
                );
            }
        }
        Ok(())
    }
}
