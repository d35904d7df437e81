//! `wasi-run FILE.wasm [ARGUMENT…]`: runs a command component, as `cargo test` does with tests built for Wasm.
//!
//! It gives the component its arguments, its output and clocks, and no files.

use std::process::ExitCode;

use anyhow::{Context, Result};
use harness::wasi::State;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::p2::bindings::sync::Command;

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let file = arguments.first().context("usage: wasi-run FILE.wasm [ARGUMENT...]")?;
    let engine = Engine::default();
    let component = Component::from_file(&engine, file)?;
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    let wasi = WasiCtx::builder().args(&arguments).inherit_stdout().inherit_stderr().build();
    let mut store = Store::new(&engine, State::new(wasi));
    let command = Command::instantiate(&mut store, &component, &linker)?;
    let outcome = command.wasi_cli_run().call_run(&mut store)?;
    Ok(if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
