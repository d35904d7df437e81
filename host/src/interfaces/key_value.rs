//! `spin:key-value/key-value@3.0.0`.

use std::sync::Arc;

use wasmtime::component::{Accessor, FutureReader, Linker, Resource, StreamReader};

use super::bindings::spin::key_value::key_value;
use super::stores::{HasKeyValue, KeyValueCtxView, KeyValueView, Store, StoreError};
use crate::key_value::KeyValue;

pub(super) fn add_to_linker<T: KeyValueView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    key_value::add_to_linker::<_, HasKeyValue>(linker, T::key_value)
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
            Ok(store) => store.keys().await.map_err(StoreError::from),
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
