//! What one running instance of a component holds in the host.

use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, Result};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtxView, WasiHttpView};

use crate::interfaces::http::HttpCtx;
use crate::interfaces::stores::{KeyValueCtx, KeyValueCtxView, KeyValueView};
use crate::interfaces::variables::{VariablesCtx, VariablesView};

/// The state of every host interface for one instance.
pub(crate) struct InstanceState {
    pub(crate) table: ResourceTable,
    pub(crate) wasi: WasiCtx,
    pub(crate) http: HttpCtx,
    pub(crate) key_value: KeyValueCtx,
    pub(crate) variables: VariablesCtx,
    pub(crate) memory: MemoryLimit,
}

impl WasiView for InstanceState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for InstanceState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        self.http.view(&mut self.table)
    }
}

impl KeyValueView for InstanceState {
    fn key_value(&mut self) -> KeyValueCtxView<'_> {
        KeyValueCtxView { ctx: &mut self.key_value, table: &mut self.table }
    }
}

impl VariablesView for InstanceState {
    fn variables(&mut self) -> &mut VariablesCtx {
        &mut self.variables
    }
}

/// Bounds the linear memories of an instance, those of its dependencies included, taken together.
pub(crate) struct MemoryLimit {
    component: Arc<str>,
    limit_bytes: usize,
    used_bytes: usize,
}

/// Tables hold function references, of which a component has thousands at most.
const TABLE_ELEMENTS: usize = 1 << 20;

impl MemoryLimit {
    pub(crate) fn new(component: Arc<str>, limit_bytes: usize) -> Self {
        Self { component, limit_bytes, used_bytes: 0 }
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let used = self.used_bytes.saturating_add(desired.saturating_sub(current));
        if used > self.limit_bytes {
            tracing::error!(
                component = &*self.component,
                used_bytes = self.used_bytes,
                limit_bytes = self.limit_bytes,
                "an instance was refused more memory"
            );
            return Ok(false);
        }
        self.used_bytes = used;
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        Ok(desired <= TABLE_ELEMENTS)
    }
}
