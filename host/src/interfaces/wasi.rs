//! WASI 0.2 and 0.3 as the standard library of a guest needs them: clocks, randomness and output.
//!
//! There is no environment. Files and sockets are refused by [`super::refused`]: the runtime's own implementation
//! of them, which could only refuse as well, is never linked.

use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::StdRng;
use wasmtime::component::Linker;
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::p2::bindings;
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiView};

use super::guest_log::{GuestLog, Stream};
use crate::clock::{Clock, RandomSource, WasiClock};

/// Makes the WASI state of one instance of `component`.
pub(crate) fn context(component: &Arc<str>, clock: &Arc<dyn Clock>, random: &dyn RandomSource) -> WasiCtx {
    let seed = random.seed();
    let mut generator = StdRng::from_seed(seed);
    let insecure_seed = rand::Rng::next_u64(&mut generator);
    let insecure = StdRng::from_rng(&mut generator);
    WasiCtxBuilder::new()
        .stdout(GuestLog::new(component.clone(), Stream::Stdout))
        .stderr(GuestLog::new(component.clone(), Stream::Stderr))
        .wall_clock(WasiClock(clock.clone()))
        .monotonic_clock(WasiClock(clock.clone()))
        .insecure_random_seed(insecure_seed.into())
        .insecure_random(insecure)
        .secure_random(generator)
        .allow_tcp(false)
        .allow_udp(false)
        .build()
}

pub(super) fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_proxy_interfaces_async(linker)?;
    bindings::random::insecure::add_to_linker::<T, WasiRandom>(linker, |t| t.ctx().ctx.random())?;
    bindings::random::insecure_seed::add_to_linker::<T, WasiRandom>(linker, |t| t.ctx().ctx.random())?;
    bindings::cli::environment::add_to_linker::<T, WasiCli>(linker, T::cli)?;
    bindings::cli::exit::add_to_linker::<T, WasiCli>(linker, T::cli)?;
    bindings::cli::terminal_input::add_to_linker::<T, WasiCli>(linker, T::cli)?;
    bindings::cli::terminal_output::add_to_linker::<T, WasiCli>(linker, T::cli)?;
    bindings::cli::terminal_stdin::add_to_linker::<T, WasiCli>(linker, T::cli)?;
    bindings::cli::terminal_stdout::add_to_linker::<T, WasiCli>(linker, T::cli)?;
    bindings::cli::terminal_stderr::add_to_linker::<T, WasiCli>(linker, T::cli)?;

    wasmtime_wasi::p3::cli::add_to_linker(linker)?;
    wasmtime_wasi::p3::clocks::add_to_linker(linker)?;
    wasmtime_wasi::p3::random::add_to_linker(linker)
}
