//! What a component that is run here may reach of WASI.

use wasmtime::Engine;
use wasmtime::component::{Linker, ResourceTable};
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

/// A linker of WASI 0.2.
///
/// What links a function for [`State`] is compiled where it is used: here once, not in every program.
///
/// # Errors
/// The runtime's interfaces clash with one another.
pub fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    Ok(linker)
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}
