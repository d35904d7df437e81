//! `wasi:keyvalue/store` and `atomics`, 0.2.0-draft2.
//!
//! `increment` is the reason why it is here. Compare-and-swap is refused: it does not work on every
//! backend that Spin has, so nothing may rely on it here.

use wasmtime::component::{Linker, Resource};

use super::bindings::wasi::keyvalue::{atomics, store};
use super::stores::{HasKeyValue, KeyValueCtxView, KeyValueView, Store, StoreError};

pub(super) fn add_to_linker<T: KeyValueView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    store::add_to_linker::<_, HasKeyValue>(linker, T::key_value)?;
    atomics::add_to_linker::<_, HasKeyValue>(linker, T::key_value)
}

impl store::Host for KeyValueCtxView<'_> {
    async fn open(&mut self, identifier: String) -> Result<Resource<Store>, StoreError> {
        KeyValueCtxView::open(self, &identifier)
    }

    fn convert_error(&mut self, error: StoreError) -> wasmtime::Result<store::Error> {
        Ok(match error {
            StoreError::TableFull => store::Error::Other("too many stores are open".into()),
            StoreError::AccessDenied => store::Error::AccessDenied,
            StoreError::Failed(why) => store::Error::Other(why),
        })
    }
}

impl store::HostBucket for KeyValueCtxView<'_> {
    async fn get(&mut self, bucket: Resource<Store>, key: String) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.store(&bucket)?.get(&key).await?)
    }

    async fn set(&mut self, bucket: Resource<Store>, key: String, value: Vec<u8>) -> Result<(), StoreError> {
        Ok(self.store(&bucket)?.set(key, value).await?)
    }

    async fn delete(&mut self, bucket: Resource<Store>, key: String) -> Result<(), StoreError> {
        Ok(self.store(&bucket)?.delete(key).await?)
    }

    async fn exists(&mut self, bucket: Resource<Store>, key: String) -> Result<bool, StoreError> {
        Ok(self.store(&bucket)?.exists(&key).await?)
    }

    async fn list_keys(
        &mut self,
        bucket: Resource<Store>,
        cursor: Option<String>,
    ) -> Result<store::KeyResponse, StoreError> {
        if cursor.is_some() {
            // As in Spin: all keys come at once, so there is no cursor to continue from.
            return Err(StoreError::Failed("list-keys does not take a cursor".into()));
        }
        let keys = self.store(&bucket)?.keys().await?;
        Ok(store::KeyResponse { keys, cursor: None })
    }

    async fn drop(&mut self, bucket: Resource<Store>) -> wasmtime::Result<()> {
        self.close(bucket)
    }
}

const NO_COMPARE_AND_SWAP: &str = "compare-and-swap is not supported, increment is";

impl atomics::Host for KeyValueCtxView<'_> {
    async fn increment(
        &mut self,
        bucket: Resource<Store>,
        key: String,
        delta: i64,
    ) -> Result<i64, StoreError> {
        Ok(self.store(&bucket)?.increment(key, delta).await?)
    }

    async fn swap(
        &mut self,
        _cas: Resource<atomics::Cas>,
        _value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), atomics::CasError>> {
        let refused = store::Error::Other(NO_COMPARE_AND_SWAP.into());
        Ok(Err(atomics::CasError::StoreError(refused)))
    }
}

impl atomics::HostCas for KeyValueCtxView<'_> {
    async fn new(
        &mut self,
        _bucket: Resource<Store>,
        _key: String,
    ) -> Result<Resource<atomics::Cas>, StoreError> {
        Err(StoreError::Failed(NO_COMPARE_AND_SWAP.into()))
    }

    async fn current(&mut self, _cas: Resource<atomics::Cas>) -> Result<Option<Vec<u8>>, StoreError> {
        Err(StoreError::Failed(NO_COMPARE_AND_SWAP.into()))
    }

    async fn drop(&mut self, _cas: Resource<atomics::Cas>) -> wasmtime::Result<()> {
        Ok(())
    }
}
