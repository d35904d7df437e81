//! What one running instance of a component holds in the host.

use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, Result};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtxView, WasiHttpView};

use crate::interfaces::http::{HttpCtx, HttpView};
use crate::interfaces::stores::{KeyValueCtx, KeyValueCtxView, KeyValueView};
use crate::interfaces::variables::{VariablesCtx, VariablesView};
use crate::metrics::FunctionMetrics;

/// The state of every host interface for one instance.
pub(crate) struct InstanceState {
    pub(crate) table: ResourceTable,
    pub(crate) wasi: WasiCtx,
    pub(crate) http: HttpCtx,
    pub(crate) key_value: KeyValueCtx,
    pub(crate) variables: VariablesCtx,
    pub(crate) memory: MemoryLimit,
    pub(crate) _counted: CountedInstance,
}

/// Counts an instance for as long as it is there.
pub(crate) struct CountedInstance(Arc<FunctionMetrics>);

impl CountedInstance {
    pub(crate) fn new(metrics: Arc<FunctionMetrics>) -> Self {
        metrics.instances.add(1);
        Self(metrics)
    }
}

impl Drop for CountedInstance {
    fn drop(&mut self) {
        self.0.instances.add(-1);
    }
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

impl HttpView for InstanceState {
    fn http_ctx(&mut self) -> &mut HttpCtx {
        &mut self.http
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
    metrics: Arc<FunctionMetrics>,
    limit_bytes: usize,
    used_bytes: usize,
    /// What was allowed last, and may fail yet.
    last_growth_bytes: usize,
}

/// Tables hold function references, of which a component has thousands at most.
const TABLE_ELEMENTS: usize = 1 << 20;

impl MemoryLimit {
    pub(crate) fn new(metrics: Arc<FunctionMetrics>, limit_bytes: usize) -> Self {
        Self { metrics, limit_bytes, used_bytes: 0, last_growth_bytes: 0 }
    }

    fn set_used(&mut self, bytes: usize) {
        // Both are far below what an i64 holds.
        self.metrics.memory_bytes.add(bytes as i64 - self.used_bytes as i64);
        self.used_bytes = bytes;
    }
}

impl Drop for MemoryLimit {
    fn drop(&mut self) {
        self.set_used(0);
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let growth = desired.saturating_sub(current);
        let used = self.used_bytes.saturating_add(growth);
        if used > self.limit_bytes {
            self.metrics.memory_refused.add_one();
            tracing::error!(
                component = &*self.metrics.component,
                used_bytes = self.used_bytes,
                limit_bytes = self.limit_bytes,
                "an instance was refused more memory"
            );
            return Ok(false);
        }
        self.set_used(used);
        self.last_growth_bytes = growth;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> Result<()> {
        tracing::debug!(component = &*self.metrics.component, "memory did not grow: {error:#}");
        let growth = std::mem::take(&mut self.last_growth_bytes);
        self.set_used(self.used_bytes - growth);
        Ok(())
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        Ok(desired <= TABLE_ELEMENTS)
    }
}
