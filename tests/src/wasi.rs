//! The part of WASI that a component may use when the tests or the benchmarks run it.

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
/// The generic code that links functions for [`State`] is compiled here once, and not in every program.
///
/// # Errors
/// When the runtime's interfaces clash with one another.
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
