//! `spin:key-value/key-value@3.0.0`, and the state that it shares with `wasi:keyvalue`.

use std::sync::Arc;

use wasmtime::component::{Accessor, FutureReader, HasData, Linker, Resource, ResourceTable, StreamReader};

use super::generated::spin::key_value::key_value;
use crate::instance::InstanceState;
use crate::key_value::KeyValue;

/// How many stores an instance may hold open at once, as in Spin.
const OPEN_STORES: usize = 256;

/// How many keys one read of the store takes while they are listed.
const KEYS_PAGE: usize = 1024;

/// What one instance may open.
pub(crate) struct KeyValueCtx {
    /// The store labelled `default`, where the component may open it.
    pub(crate) default: Option<Arc<dyn KeyValue>>,
    pub(crate) open: usize,
}

/// A store that an instance opened.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Store(pub(super) Arc<dyn KeyValue>);

/// Why an operation was refused or failed; each interface has its own words for it.
pub(crate) enum StoreError {
    TableFull,
    AccessDenied,
    Failed(String),
}

/// Borrows a [`KeyValueCtx`] and the table that holds its resources.
pub(crate) struct KeyValueCtxView<'a> {
    pub(crate) ctx: &'a mut KeyValueCtx,
    pub(crate) table: &'a mut ResourceTable,
}

/// Gives access to a [`KeyValueCtx`].
pub(crate) trait KeyValueView {
    fn key_value(&mut self) -> KeyValueCtxView<'_>;
}

pub(super) struct HasKeyValue;

impl HasData for HasKeyValue {
    type Data<'a> = KeyValueCtxView<'a>;
}

pub(super) fn add_to_linker(linker: &mut Linker<InstanceState>) -> wasmtime::Result<()> {
    key_value::add_to_linker::<_, HasKeyValue>(linker, InstanceState::key_value)
}

impl From<crate::key_value::KeyValueError> for StoreError {
    fn from(error: crate::key_value::KeyValueError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl KeyValueCtxView<'_> {
    pub(super) fn open(&mut self, label: &str) -> Result<Resource<Store>, StoreError> {
        let store = match &self.ctx.default {
            Some(store) if label == "default" => store.clone(),
            _ => return Err(StoreError::AccessDenied),
        };
        if self.ctx.open == OPEN_STORES {
            return Err(StoreError::TableFull);
        }
        let opened = self.table.push(Store(store)).map_err(|_| StoreError::TableFull)?;
        self.ctx.open += 1;
        Ok(opened)
    }

    pub(super) fn store(&self, store: &Resource<Store>) -> Result<Arc<dyn KeyValue>, StoreError> {
        let store = self.table.get(store).map_err(|error| StoreError::Failed(error.to_string()))?;
        Ok(store.0.clone())
    }

    pub(super) fn close(&mut self, store: Resource<Store>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        self.ctx.open -= 1;
        Ok(())
    }
}

impl key_value::Host for KeyValueCtxView<'_> {
    fn convert_error(&mut self, error: StoreError) -> wasmtime::Result<key_value::Error> {
        Ok(match error {
            StoreError::TableFull => key_value::Error::StoreTableFull,
            StoreError::AccessDenied => key_value::Error::AccessDenied,
            StoreError::Failed(why) => key_value::Error::Other(why),
        })
    }
}

impl key_value::HostStore for KeyValueCtxView<'_> {
    async fn drop(&mut self, store: Resource<Store>) -> wasmtime::Result<()> {
        self.close(store)
    }
}

fn store<T>(
    accessor: &Accessor<T, HasKeyValue>,
    store: &Resource<Store>,
) -> Result<Arc<dyn KeyValue>, StoreError> {
    accessor.with(|mut access| access.get().store(store))
}

impl<T: Send + 'static> key_value::HostStoreWithStore<T> for HasKeyValue {
    async fn open(accessor: &Accessor<T, Self>, label: String) -> Result<Resource<Store>, StoreError> {
        accessor.with(|mut access| access.get().open(&label))
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        resource: Resource<Store>,
        key: String,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(store(accessor, &resource)?.get(&key).await?)
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        resource: Resource<Store>,
        key: String,
        value: Vec<u8>,
    ) -> Result<(), StoreError> {
        Ok(store(accessor, &resource)?.set(key, value).await?)
    }

    async fn delete(
        accessor: &Accessor<T, Self>,
        resource: Resource<Store>,
        key: String,
    ) -> Result<(), StoreError> {
        Ok(store(accessor, &resource)?.delete(key).await?)
    }

    async fn exists(
        accessor: &Accessor<T, Self>,
        resource: Resource<Store>,
        key: String,
    ) -> Result<bool, StoreError> {
        Ok(store(accessor, &resource)?.exists(&key).await?)
    }

    async fn get_keys(
        accessor: &Accessor<T, Self>,
        resource: Resource<Store>,
    ) -> wasmtime::Result<(StreamReader<String>, FutureReader<Result<(), key_value::Error>>)> {
        let outcome = match store(accessor, &resource) {
            Ok(store) => all_keys(&*store).await,
            Err(error) => Err(error),
        };
        accessor.with(|mut access| {
            let (keys, result) = match outcome {
                Ok(keys) => (keys, Ok(())),
                Err(error) => {
                    let error = key_value::Host::convert_error(&mut access.get(), error)?;
                    (Vec::new(), Err(error))
                }
            };
            let keys = StreamReader::new(&mut access, keys)?;
            let result = FutureReader::new(&mut access, async move { wasmtime::error::Ok(result) })?;
            Ok((keys, result))
        })
    }
}

/// Every key, in pages, so that a write never waits for the whole walk.
pub(super) async fn all_keys(store: &dyn KeyValue) -> Result<Vec<String>, StoreError> {
    let mut keys: Vec<String> = Vec::new();
    loop {
        let page = store.keys_after(keys.last().map(String::as_str), KEYS_PAGE).await?;
        let is_last = page.len() < KEYS_PAGE;
        keys.extend(page);
        if is_last {
            return Ok(keys);
        }
    }
}
