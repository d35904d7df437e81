//! Names under `[component.X.dependencies]` and the imports that they match.

use std::fmt;
use std::str::FromStr;

use anyhow::{Result, ensure};

/// `package:name`, `package:name/interface`, either with `@version`: what is left out matches anything.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DependencyName {
    package: String,
    interface: Option<String>,
    version: Option<String>,
}

impl FromStr for DependencyName {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        let (path, version) = match name.split_once('@') {
            Some((path, version)) => (path, Some(version)),
            None => (name, None),
        };
        let (package, interface) = match path.split_once('/') {
            Some((package, interface)) => (package, Some(interface)),
            None => (path, None),
        };
        let is_package = package.split_once(':').is_some_and(|(namespace, name)| {
            !namespace.is_empty() && !name.is_empty() && !name.contains(':')
        });
        ensure!(
            is_package && interface != Some("") && version != Some(""),
            "dependency name {name:?} is not of the form package:name/interface@version"
        );
        Ok(Self {
            package: package.to_owned(),
            interface: interface.map(str::to_owned),
            version: version.map(str::to_owned),
        })
    }
}

impl fmt::Display for DependencyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.package)?;
        if let Some(interface) = &self.interface {
            write!(f, "/{interface}")?;
        }
        if let Some(version) = &self.version {
            write!(f, "@{version}")?;
        }
        Ok(())
    }
}

impl DependencyName {
    /// The package, `namespace:name`.
    #[must_use]
    pub fn package(&self) -> &str {
        &self.package
    }

    /// Whether this dependency satisfies the import `import`.
    #[must_use]
    pub fn matches(&self, import: &str) -> bool {
        let Ok(import) = import.parse::<Self>() else { return false };
        self.package == import.package
            && (self.interface.is_none() || self.interface == import.interface)
            && (self.version.is_none() || self.version == import.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, import: &str, expected: bool) {
        let name: DependencyName = name.parse().unwrap();
        assert_eq!(name.matches(import), expected, "{name} against {import}");
    }

    #[test]
    fn what_is_left_out_matches_anything() {
        check("foo:bar/baz@0.1.0", "foo:bar/baz@0.1.0", true);
        check("foo:bar/baz", "foo:bar/baz@0.1.0", true);
        check("foo:bar", "foo:bar/baz@0.1.0", true);
        check("foo:bar", "foo:bar/baz", true);
        check("foo:bar@0.1.0", "foo:bar/baz@0.1.0", true);
    }

    #[test]
    fn what_is_given_must_be_equal() {
        check("foo:bar/baz@0.1.0", "foo:bar/baz", false);
        check("foo:bar/baz", "foo:bar/bub", false);
        check("foo:bar", "foo:bub/bib", false);
        check("foo:bar@0.1.0", "foo:bar/baz", false);
    }

    #[test]
    fn a_name_without_a_package_is_refused() {
        for name in ["bar", "foo:/x", ":bar", "foo:bar/", "foo:bar@"] {
            assert!(name.parse::<DependencyName>().is_err(), "{name}");
        }
    }
}
