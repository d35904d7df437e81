//! Application variables and what each component sees of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use thiserror::Error;

use crate::manifest::template::{check_name, expand};
use crate::manifest::{Component, Manifest};

/// The values of `[variables]`, each from the first that has it: the environment
/// (`SPIN_VARIABLE_<NAME>`), the embedder, the manifest's default.
pub struct Variables {
    values: BTreeMap<String, String>,
}

/// What one component sees: its `variables` table with the templates replaced.
#[derive(Clone, Debug)]
pub struct ComponentVariables(Arc<BTreeMap<String, String>>);

/// Why a component does not get the value that it asks for.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum VariableError {
    /// The name is none that a variable can have.
    #[error("{0:?} is not a variable name")]
    InvalidName(String),
    /// The component has no variable of this name.
    #[error("the component has no variable {0:?}")]
    Undefined(String),
}

impl ComponentVariables {
    /// The value of `name`.
    ///
    /// # Errors
    ///
    /// When `name` cannot be a variable's, or the component has no variable of that name.
    pub fn get(&self, name: &str) -> Result<&str, VariableError> {
        if check_name(name).is_err() {
            return Err(VariableError::InvalidName(name.to_owned()));
        }
        self.0.get(name).map(String::as_str).ok_or_else(|| VariableError::Undefined(name.to_owned()))
    }
}

impl Variables {
    /// Resolves the variables of `manifest` with `provided` by the embedder and `environment` looked up
    /// by the full name.
    ///
    /// # Errors
    ///
    /// When a required variable has no value, or a name is not one.
    pub fn resolve(
        manifest: &Manifest,
        provided: &BTreeMap<String, String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let mut values = BTreeMap::new();
        for (name, declared) in &manifest.variables {
            check_name(name)?;
            let key = environment_name(name);
            let value = environment(&key)
                .or_else(|| provided.get(name).cloned())
                .or_else(|| declared.default.clone())
                .with_context(|| {
                    format!("variable {name:?} is required: set it as {key} in the environment")
                })?;
            values.insert(name.clone(), value);
        }
        Ok(Self { values })
    }

    /// The value of `name`.
    ///
    /// # Errors
    ///
    /// When the manifest declares no such variable.
    pub fn get(&self, name: &str) -> Result<String> {
        match self.values.get(name) {
            Some(value) => Ok(value.clone()),
            None => bail!("no variable {name:?} is declared in [variables]"),
        }
    }

    /// Replaces the templates in `text`.
    ///
    /// # Errors
    ///
    /// When it names a variable that is not declared.
    pub fn expand(&self, text: &str) -> Result<String> {
        expand(text, |name| self.get(name))
    }

    /// What `component` sees.
    ///
    /// # Errors
    ///
    /// When a name is not one or a template cannot be replaced.
    pub fn of(&self, component: &Component) -> Result<ComponentVariables> {
        let mut seen = BTreeMap::new();
        for (name, template) in &component.variables {
            check_name(name)?;
            seen.insert(name.clone(), self.expand(template)?);
        }
        Ok(ComponentVariables(Arc::new(seen)))
    }
}

/// The environment variable that sets the application variable `name`.
#[must_use]
pub fn environment_name(name: &str) -> String {
    format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    const MANIFEST: &str = r#"
        spin_manifest_version = 2
        application = { name = "x" }
        variables = { token = { required = true }, host = { default = "a.example" } }
        component.x = { source = "x.wasm", variables = { address = "http://{{ host }}/{{ token }}" } }
    "#;

    fn resolve(provided: &[(&str, &str)], environment: &[(&str, &str)]) -> Result<String> {
        let manifest = Manifest::parse(MANIFEST, PathBuf::new())?;
        let provided = provided.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        let variables = Variables::resolve(&manifest, &provided, |key| {
            environment.iter().find(|(name, _)| *name == key).map(|(_, value)| value.to_string())
        })?;
        Ok(variables.of(&manifest.components["x"])?.get("address")?.to_owned())
    }

    #[test]
    fn the_environment_beats_the_embedder_beats_the_default() {
        assert_eq!(resolve(&[("token", "t")], &[]).unwrap(), "http://a.example/t");
        assert_eq!(resolve(&[("token", "t"), ("host", "b")], &[]).unwrap(), "http://b/t");
        let environment = [("SPIN_VARIABLE_HOST", "c")];
        assert_eq!(resolve(&[("token", "t"), ("host", "b")], &environment).unwrap(), "http://c/t");
    }

    #[test]
    fn a_required_variable_without_a_value_is_named() {
        let error = resolve(&[], &[]).unwrap_err().to_string();
        assert!(error.contains("SPIN_VARIABLE_TOKEN"), "{error}");
    }
}
