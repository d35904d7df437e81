//! `wasi-run FILE.wasm [ARGUMENT…]`: runs a command component, as `cargo test` does with tests built for Wasm.
//!
//! It gives the component its arguments, its output and clocks, and no files.

use std::process::ExitCode;

use anyhow::{Context, Result};
use harness::wasi::{State, linker};
use wasmtime::component::Component;
use wasmtime::{Engine, Store};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::p2::bindings::Command;

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let file = arguments.first().context("usage: wasi-run FILE.wasm [ARGUMENT...]")?;
    let engine = Engine::default();
    let component = Component::from_file(&engine, file)?;
    let linker = linker(&engine)?;
    let wasi = WasiCtx::builder().args(&arguments).inherit_stdout().inherit_stderr().build();
    let mut store = Store::new(&engine, State::new(wasi));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        let command = Command::instantiate_async(&mut store, &component, &linker).await?;
        command.wasi_cli_run().call_run(&mut store).await
    })?;
    Ok(if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
