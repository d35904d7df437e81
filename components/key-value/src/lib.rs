//! Spin's key-value interfaces as the store of the core crates.
//!
//! Values go through `spin:key-value`, counters through the atomics of `wasi:keyvalue`. [`SpinStore`] works in a
//! guest that has been granted the store. Outside of Wasm, opening the store panics, because there is no host to ask.
#![deny(missing_docs)]

use std::time::Duration;

use spin_sdk::experimental::wasi::keyvalue::{atomics, store as wasi_store};
use spin_sdk::key_value;
use store::{Error, Operation, SharedStore, Store};

/// The store that Spin gives every application.
const LABEL: &str = "default";

/// The application's default store.
pub struct SpinStore {
    values: key_value::Store,
    counters: wasi_store::Bucket,
}

impl SpinStore {
    /// Opens the store.
    ///
    /// # Errors
    /// [`Error::Open`] when the component has no access to the store, or the host cannot reach it.
    pub async fn open() -> Result<Self, Error> {
        let failed = |reason| Error::Open { label: LABEL.into(), reason };
        Ok(Self {
            values: key_value::Store::open(LABEL).await.map_err(|error| failed(spin_reason(error)))?,
            counters: wasi_store::open(LABEL).map_err(|error| failed(wasi_reason(error)))?,
        })
    }
}

impl Store for SpinStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.values.get(key).await.map_err(|error| failed(Operation::Get, key, spin_reason(error)))
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.values.set(key, value).await.map_err(|error| failed(Operation::Set, key, spin_reason(error)))
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.values.delete(key).await.map_err(|error| failed(Operation::Delete, key, spin_reason(error)))
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        self.values.exists(key).await.map_err(|error| failed(Operation::Exists, key, spin_reason(error)))
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, Error> {
        atomics::increment(&self.counters, key, delta)
            .map_err(|error| failed(Operation::Increment, key, wasi_reason(error)))
    }
}

impl SharedStore for SpinStore {
    async fn pause(&self) {
        spin_sdk::time::sleep(Duration::from_millis(10)).await;
    }
}

fn failed(operation: Operation, key: &str, reason: String) -> Error {
    Error::Backend { operation, key: key.into(), reason }
}

/// An error of Spin's interface in words: the bindings would display its debug form.
fn spin_reason(error: key_value::Error) -> String {
    match error {
        key_value::Error::StoreTableFull => "too many stores are open".into(),
        key_value::Error::NoSuchStore => "there is no such store".into(),
        key_value::Error::AccessDenied => "access is denied".into(),
        key_value::Error::Other(reason) => reason,
    }
}

/// An error of WASI's interface in words.
fn wasi_reason(error: wasi_store::Error) -> String {
    match error {
        wasi_store::Error::NoSuchStore => "there is no such store".into(),
        wasi_store::Error::AccessDenied => "access is denied".into(),
        wasi_store::Error::Other(reason) => reason,
    }
}
