//! The key-value store of the functions, as `up` and `functions` are told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use host::RuntimeConfig;
use host::key_value::KeyValue;
use host::key_value::redis::UnsafeStore;

/// Where the functions keep what they remember.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct StoreArgs {
    /// A runtime configuration as Spin reads it, which says what is behind the key-value store `default`: a file of
    /// this machine (type `spin`, field `path`), or a Redis that several hosts share (type `redis`, field `url`). By
    /// default a file in the data folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) runtime_config: Option<PathBuf>,
    /// Go on, with a warning, where the Redis may lose what it has acknowledged.
    #[arg(long)]
    pub(crate) allow_unsafe_store: bool,
    /// Begin anew where the store is empty and the work bucket is not, without what was recorded before. By default nothing
    /// is recorded then until `catalog rebuild` has filled the store anew.
    #[arg(long)]
    pub(crate) new: bool,
}

impl StoreArgs {
    /// The variables that say what is to be done with the store.
    pub(crate) fn variables(&self) -> BTreeMap<String, String> {
        let new_store = self.new.then(|| ("new_store".to_owned(), "true".to_owned()));
        new_store.into_iter().collect()
    }

    /// Opens the store.
    ///
    /// # Errors
    ///
    /// When the configuration cannot be read, or the store cannot be opened or is refused.
    pub(crate) async fn open(&self, data: &Path) -> Result<Arc<dyn KeyValue>> {
        let config = match &self.runtime_config {
            Some(path) => RuntimeConfig::load(path)?,
            None => RuntimeConfig::default(),
        };
        let unsafe_store = if self.allow_unsafe_store { UnsafeStore::Allow } else { UnsafeStore::Refuse };
        let opened = config.default_store.open(&data.join("kv"), unsafe_store).await;
        match &self.runtime_config {
            Some(path) => opened.with_context(|| format!("key_value_store.default of {}", path.display())),
            None => opened,
        }
    }
}
