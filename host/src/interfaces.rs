//! The host interfaces, one module each: state and policy in a `Ctx`, a `View` that borrows it together
//! with the resource table, and an `add_to_linker`.

use wasmtime::component::Linker;

use crate::instance::InstanceState;

pub(crate) mod http;
pub(crate) mod key_value;
pub(crate) mod refused;
pub(crate) mod variables;
pub(crate) mod wasi;
mod wasi_keyvalue;

mod generated {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "live-recorder:host/imports",
        imports: { default: async | trappable },
        with: {
            "spin:key-value/key-value.store": super::key_value::Store,
            "wasi:keyvalue/store.bucket": super::key_value::Store,
        },
        trappable_error_type: {
            "spin:key-value/key-value.error" => super::key_value::StoreError,
            "spin:variables/variables.error" => super::variables::VariableError,
            "wasi:keyvalue/store.error" => super::key_value::StoreError,
        },
    });
}

/// Adds every interface that this host implements.
pub(crate) fn add_to_linker(linker: &mut Linker<InstanceState>) -> wasmtime::Result<()> {
    wasi::add_to_linker(linker)?;
    http::add_to_linker(linker)?;
    key_value::add_to_linker(linker)?;
    wasi_keyvalue::add_to_linker(linker)?;
    variables::add_to_linker(linker)
}
