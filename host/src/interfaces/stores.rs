//! The stores that an instance has opened: what `spin:key-value` and `wasi:keyvalue` share.

use std::sync::Arc;

use wasmtime::component::{HasData, Resource, ResourceTable};

use crate::key_value::{KeyValue, KeyValueError};

/// How many stores an instance may hold open at once, as in Spin.
const OPEN_STORES: usize = 256;

/// What one instance may open.
pub(crate) struct KeyValueCtx {
    /// The store labelled `default`, where the component may open it.
    default: Option<Arc<dyn KeyValue>>,
    open: usize,
}

impl KeyValueCtx {
    pub(crate) fn new(default: Option<Arc<dyn KeyValue>>) -> Self {
        Self { default, open: 0 }
    }
}

/// A store that an instance opened.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Store(Arc<dyn KeyValue>);

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
pub(crate) trait KeyValueView: Send {
    fn key_value(&mut self) -> KeyValueCtxView<'_>;
}

pub(super) struct HasKeyValue;

impl HasData for HasKeyValue {
    type Data<'a> = KeyValueCtxView<'a>;
}

impl From<KeyValueError> for StoreError {
    fn from(error: KeyValueError) -> Self {
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
