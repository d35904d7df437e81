//! The application's default store: through Spin's interface, and for counters through WASI's.

use spin_sdk::experimental::wasi::keyvalue::{atomics, store as wasi_store};
use spin_sdk::key_value;

use crate::{Error, Store};

/// The application's default store.
pub struct SpinStore {
    values: key_value::Store,
    counters: wasi_store::Bucket,
}

impl SpinStore {
    /// Opens it.
    ///
    /// # Errors
    /// When the component has no access to it, or it cannot be reached.
    pub async fn open() -> Result<Self, Error> {
        let failed = |error: &dyn std::fmt::Debug| Error(format!("open \"default\": {error:?}"));
        Ok(Self {
            values: key_value::Store::open_default().await.map_err(|error| failed(&error))?,
            counters: wasi_store::open("default").map_err(|error| failed(&error))?,
        })
    }
}

impl Store for SpinStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.values.get(key).await.map_err(|error| failed("get", key, &error))
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.values.set(key, value).await.map_err(|error| failed("set", key, &error))
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.values.delete(key).await.map_err(|error| failed("delete", key, &error))
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        self.values.exists(key).await.map_err(|error| failed("exists", key, &error))
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, Error> {
        atomics::increment(&self.counters, key, delta).map_err(|error| failed("increment", key, &error))
    }
}

fn failed(what: &str, key: &str, error: &impl std::fmt::Debug) -> Error {
    Error(format!("{what} {key:?}: {error:?}"))
}
