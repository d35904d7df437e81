//! `wasi-run FILE.wasm [ARGUMENT…]`: runs a command component, as `cargo test` does with tests built for Wasm.
//!
//! It gives the component its arguments, its output and clocks, and no files. A component has one thread. So without
//! arguments the tests are dealt out to as many instances as there are processors, whose output is shown once all have ended.

use std::process::ExitCode;
use std::thread;

use anyhow::{Context, Result, ensure};
use harness::wasi::{State, linker};
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};
use wasmtime_wasi::p2::bindings::Command;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder};

/// Output of one instance that is kept. Unit: bytes.
const OUTPUT_MAX: usize = 64 << 20;

struct Runner {
    engine: Engine,
    component: Component,
    linker: Linker<State>,
    file: String,
}

impl Runner {
    fn run(&self, arguments: &[&str], wasi: &mut WasiCtxBuilder) -> Result<bool> {
        let wasi = wasi.arg(&self.file).args(arguments).inherit_stderr().build();
        let mut store = Store::new(&self.engine, State::new(wasi));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let outcome = runtime.block_on(async {
            let command = Command::instantiate_async(&mut store, &self.component, &self.linker).await?;
            command.wasi_cli_run().call_run(&mut store).await
        })?;
        Ok(outcome.is_ok())
    }

    /// Whether it ended well, and what it printed, also where a panic ended it.
    fn run_silently(&self, arguments: &[&str]) -> (Result<bool>, String) {
        let output = MemoryOutputPipe::new(OUTPUT_MAX);
        let ended_well = self.run(arguments, WasiCtx::builder().stdout(output.clone()));
        (ended_well, String::from_utf8_lossy(&output.contents()).into_owned())
    }

    /// Runs every test, in as many instances at once.
    fn run_dealt_out(&self, instances: usize) -> Result<bool> {
        let (is_listed, listed) = self.run_silently(&["--list", "--format", "terse"]);
        ensure!(is_listed?, "the tests of {} cannot be listed", self.file);
        let tests: Vec<&str> = listed.lines().filter_map(|line| line.strip_suffix(": test")).collect();
        let run = |first: usize| {
            let own = tests.iter().copied().skip(first).step_by(instances);
            let arguments: Vec<&str> = std::iter::once("--exact").chain(own).collect();
            // Without a name it would run all of them.
            if arguments.len() == 1 { (Ok(true), String::new()) } else { self.run_silently(&arguments) }
        };
        let outcomes: Vec<_> = thread::scope(|scope| {
            let run = &run;
            let running: Vec<_> = (0..instances).map(|first| scope.spawn(move || run(first))).collect();
            running
                .into_iter()
                .map(|instance| instance.join().expect("an instance should not panic"))
                .collect()
        });
        // A panic ends an instance in the midst of a line.
        outcomes.iter().for_each(|(_, output)| println!("{output}"));
        outcomes.into_iter().try_fold(true, |all_well, (ended_well, _)| Ok(all_well & ended_well?))
    }
}

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (file, arguments) = arguments.split_first().context("usage: wasi-run FILE.wasm [ARGUMENT...]")?;
    let engine = Engine::default();
    let component = Component::from_file(&engine, file)?;
    let linker = linker(&engine)?;
    let runner = Runner { engine, component, linker, file: file.clone() };
    let ended_well = if arguments.is_empty() {
        runner.run_dealt_out(thread::available_parallelism()?.get())?
    } else {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        runner.run(&arguments, WasiCtx::builder().inherit_stdout())?
    };
    Ok(if ended_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
