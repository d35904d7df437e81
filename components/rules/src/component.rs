//! The component itself: the WIT package on Spin's key-value store.

use std::time::Duration;

use spin_sdk::experimental::wasi::keyvalue::{atomics, store as wasi_store};
use spin_sdk::key_value::Store as SpinStore;

use crate::bindings::exports::recorder::rules::rules::{
    Error as WitError, Guest, NotifyConfig, Rule, Triple,
};
use crate::store::{Error, Store};
use crate::{bindings, notify, rules};

struct Component;

/// The application's default store: through Spin's interface, and for counters through WASI's.
struct Default {
    spin: SpinStore,
    wasi: wasi_store::Bucket,
}

impl Default {
    async fn open() -> Result<Self, Error> {
        let spin = SpinStore::open_default().await.map_err(|error| Error::Store(format!("{error:?}")))?;
        let wasi = wasi_store::open("default").map_err(|error| Error::Store(format!("{error:?}")))?;
        Ok(Self { spin, wasi })
    }
}

impl Store for Default {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.spin.get(key).await.map_err(|error| failed("get", key, &error))
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.spin.set(key, value).await.map_err(|error| failed("set", key, &error))
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.spin.delete(key).await.map_err(|error| failed("delete", key, &error))
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        self.spin.exists(key).await.map_err(|error| failed("exists", key, &error))
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, Error> {
        atomics::increment(&self.wasi, key, delta).map_err(|error| failed("increment", key, &error))
    }

    async fn pause(&self) {
        spin_sdk::time::sleep(Duration::from_millis(10)).await;
    }
}

fn failed(what: &str, key: &str, error: &impl std::fmt::Debug) -> Error {
    Error::Store(format!("{what} {key:?}: {error:?}"))
}

impl Guest for Component {
    async fn add(rule: Rule) -> Result<(), WitError> {
        Ok(rules::add(&Default::open().await?, rule).await?)
    }

    async fn update(rule: Rule) -> Result<(), WitError> {
        Ok(rules::update(&Default::open().await?, rule).await?)
    }

    async fn delete(triple: Triple) -> Result<(), WitError> {
        Ok(rules::delete(&Default::open().await?, &triple).await?)
    }

    async fn get(triple: Triple) -> Result<Option<Rule>, WitError> {
        Ok(rules::get(&Default::open().await?, &triple).await?)
    }

    async fn list_domain(domain: String) -> Result<Vec<Rule>, WitError> {
        Ok(rules::list_domain(&Default::open().await?, &domain).await?)
    }

    async fn find_for_push(domain: String, app: String, stream: String) -> Result<Option<Rule>, WitError> {
        Ok(rules::find_for_push(&Default::open().await?, &domain, &app, &stream).await?)
    }

    async fn add_notify(config: NotifyConfig) -> Result<(), WitError> {
        Ok(notify::add(&Default::open().await?, config).await?)
    }

    async fn update_notify(config: NotifyConfig) -> Result<(), WitError> {
        Ok(notify::update(&Default::open().await?, config).await?)
    }

    async fn delete_notify(domain: String) -> Result<(), WitError> {
        Ok(notify::delete(&Default::open().await?, &domain).await?)
    }

    async fn get_notify(domain: String) -> Result<Option<NotifyConfig>, WitError> {
        Ok(notify::get(&Default::open().await?, &domain).await?)
    }
}

bindings::export!(Component with_types_in bindings);
