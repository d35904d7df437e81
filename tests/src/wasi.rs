//! What a component that is run here may reach of WASI.

use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// The state of a store that runs a component.
pub struct State {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl State {
    /// A state that gives what `wasi` gives.
    #[must_use]
    pub fn new(wasi: WasiCtx) -> Self {
        Self { wasi, table: ResourceTable::new() }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}
