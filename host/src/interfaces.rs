//! The host interfaces, one module each: state and policy in a `Ctx`, a `View` that borrows it together
//! with the resource table, and an `add_to_linker`.
//!
//! They know nothing of what holds their state: that is `running::instance`.

mod bindings;
mod guest_log;
pub(crate) mod http;
mod key_value;
pub(crate) mod refused;
pub(crate) mod stores;
pub(crate) mod variables;
pub(crate) mod wasi;
mod wasi_keyvalue;

use wasmtime::component::Linker;
use wasmtime_wasi::WasiView;
use wasmtime_wasi_http::WasiHttpView;

use self::http::HttpView;
use self::stores::KeyValueView;
use self::variables::VariablesView;

/// Adds every interface that this host implements.
pub(crate) fn add_to_linker<T>(linker: &mut Linker<T>) -> wasmtime::Result<()>
where
    T: WasiView + WasiHttpView + HttpView + KeyValueView + VariablesView + 'static,
{
    wasi::add_to_linker(linker)?;
    http::add_to_linker(linker)?;
    key_value::add_to_linker(linker)?;
    wasi_keyvalue::add_to_linker(linker)?;
    variables::add_to_linker(linker)
}
