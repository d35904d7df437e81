//! Spin's runtime configuration, as far as this host goes by it: what is behind the key-value store `default`.
//!
//! Read strictly: what this host does not support is an error that names it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::key_value::KeyValue;
use crate::key_value::disk::DiskStore;
use crate::key_value::redis::{RedisStore, UnsafeStore};

/// The one store that applications have here.
const LABEL: &str = "default";

/// What a runtime configuration says.
#[derive(Clone, Debug, Default)]
pub struct RuntimeConfig {
    /// What is behind the key-value store `default`.
    pub default_store: StoreConfig,
}

/// What is behind a key-value store.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreConfig {
    /// A file of this machine, for this host alone; where none is given, one among its data.
    Spin {
        /// The file.
        path: Option<PathBuf>,
    },
    /// A Redis server, which other hosts may share.
    Redis {
        /// Its URL, which may hold a password.
        url: String,
    },
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self::Spin { path: None }
    }
}

impl std::fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Spin { path } => f.debug_struct("Spin").field("path", path).finish(),
            Self::Redis { .. } => f.debug_struct("Redis").finish_non_exhaustive(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    key_value_store: BTreeMap<String, Declared>,
}

#[derive(Deserialize)]
struct Declared {
    #[serde(rename = "type")]
    kind: String,
    #[serde(flatten)]
    fields: toml::Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpinFields {
    path: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RedisFields {
    url: String,
}

impl RuntimeConfig {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or says what this host does not support.
    pub fn load(path: &Path) -> Result<Self> {
        let context = || format!("in the runtime configuration {}", path.display());
        let text = std::fs::read_to_string(path).with_context(context)?;
        Self::parse(&text, path.parent().unwrap_or(Path::new(""))).with_context(context)
    }

    /// Reads the text of a file that lies in `directory`.
    fn parse(text: &str, directory: &Path) -> Result<Self> {
        let File { key_value_store } = toml::from_str(text)?;
        let mut config = Self::default();
        for (label, declared) in key_value_store {
            let name = format!("key_value_store.{label}");
            if label != LABEL {
                bail!("{name}: this host has the store {LABEL:?} and no other");
            }
            config.default_store = declared.into_store(directory).with_context(|| name)?;
        }
        Ok(config)
    }
}

impl Declared {
    fn into_store(self, directory: &Path) -> Result<StoreConfig> {
        let Self { kind, fields } = self;
        match kind.as_str() {
            "spin" => {
                let SpinFields { path } = fields.try_into()?;
                Ok(StoreConfig::Spin { path: path.map(|path| directory.join(path)) })
            }
            "redis" => {
                let RedisFields { url } = fields.try_into()?;
                Ok(StoreConfig::Redis { url })
            }
            other => bail!(
                "the type {other:?} is not supported: this host has \"spin\", a file of this machine, and \"redis\", \
                 one primary that hosts can share; other stores read what is stale, fail increments that meet, or \
                 refuse keys"
            ),
        }
    }
}

impl StoreConfig {
    /// Opens the store; `directory` is where it lies if it is a file that is given no path.
    ///
    /// # Errors
    ///
    /// When the store cannot be opened or reached, or is refused.
    pub async fn open(&self, directory: &Path, unsafe_store: UnsafeStore) -> Result<Arc<dyn KeyValue>> {
        Ok(match self {
            Self::Spin { path: Some(path) } => Arc::new(DiskStore::open_file(path)?),
            Self::Spin { path: None } => Arc::new(DiskStore::open(directory)?),
            Self::Redis { url } => Arc::new(RedisStore::connect(url, unsafe_store).await?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<StoreConfig> {
        Ok(RuntimeConfig::parse(text, Path::new("/etc/recorder"))?.default_store)
    }

    /// The text is refused with an error that says all of this.
    fn check_refused(text: &str, said: &[&str]) {
        let error = format!("{:#}", parse(text).unwrap_err());
        assert!(said.iter().all(|said| error.contains(said)), "{error}");
    }

    #[test]
    fn both_types_are_read_with_the_fields_that_spin_gives_them() {
        let redis = parse("[key_value_store.default]\ntype = \"redis\"\nurl = \"redis://r:6380/2\"").unwrap();
        assert_eq!(redis, StoreConfig::Redis { url: "redis://r:6380/2".into() });
        let file = |path: &str| StoreConfig::Spin { path: Some(path.into()) };
        let spin =
            |path| parse(&format!("[key_value_store.default]\ntype = \"spin\"\npath = \"{path}\"")).unwrap();
        assert_eq!(spin("kv/x.redb"), file("/etc/recorder/kv/x.redb"));
        assert_eq!(spin("/var/x.redb"), file("/var/x.redb"));
        for none in ["", "[key_value_store.default]\ntype = \"spin\""] {
            assert_eq!(parse(none).unwrap(), StoreConfig::default());
        }
    }

    #[test]
    fn what_is_not_supported_is_named_with_what_is() {
        let azure = "[key_value_store.default]\ntype = \"azure_cosmos\"\naccount = \"a\"";
        check_refused(azure, &["key_value_store.default", "\"azure_cosmos\"", "\"spin\"", "\"redis\""]);
        check_refused("[key_value_store.cache]\ntype = \"spin\"", &["key_value_store.cache", "\"default\""]);
        check_refused("[sqlite_database.default]\ntype = \"spin\"", &["sqlite_database", "key_value_store"]);
        check_refused("[key_value_store.default]\ntype = \"redis\"", &["key_value_store.default", "url"]);
        let misspelt = "[key_value_store.default]\ntype = \"spin\"\npaht = \"x\"";
        check_refused(misspelt, &["key_value_store.default", "paht"]);
    }

    #[test]
    fn a_file_is_named_where_it_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runtime-config.toml");
        let refused = || format!("{:#}", RuntimeConfig::load(&path).unwrap_err());
        assert!(refused().contains("runtime-config.toml"), "{}", refused());
        std::fs::write(&path, "[key_value_store.default]\ntype = \"aws_dynamo\"").unwrap();
        assert!(
            refused().contains("runtime-config.toml") && refused().contains("aws_dynamo"),
            "{}",
            refused()
        );
    }

    #[test]
    fn the_url_of_redis_is_not_shown() {
        let redis = StoreConfig::Redis { url: "redis://:secret@r".into() };
        assert!(!format!("{redis:?}").contains("secret"));
    }
}
