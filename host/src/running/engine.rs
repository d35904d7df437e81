//! The engine that compiles components, and the tick at which guests that compute for long let others run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use wasmtime::component::Component;
use wasmtime::{Config, Engine};

/// Makes the engine of a host.
pub(crate) fn engine() -> Result<Engine> {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    config.epoch_interruption(true);
    Ok(Engine::new(&config)?)
}

/// Compiles the component `bytes`.
///
/// Threads of its own do it: what a compiler leaves in an allocator's caches goes with the thread that they are of, and
/// those of rayon's common pool never end.
pub(crate) fn compile(engine: &Engine, bytes: &[u8]) -> Result<Component> {
    let threads = rayon::ThreadPoolBuilder::new().build()?;
    let compiled = threads.install(|| Component::from_binary(engine, bytes));
    compiled.map_err(|error| error.context("while compiling").into())
}

/// How often the epoch advances.
const PERIOD: Duration = Duration::from_millis(10);

/// Advances an engine's epoch while it lives.
///
/// A thread of its own: a task of the runtime would wait for the very guests that it is to interrupt.
pub(crate) struct EpochTicker {
    stop: Arc<AtomicBool>,
}

impl EpochTicker {
    pub(crate) fn start(engine: &Engine) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        std::thread::Builder::new().name("epoch ticker".into()).spawn({
            let (engine, stop) = (engine.weak(), stop.clone());
            move || {
                while !stop.load(Ordering::Relaxed) {
                    let Some(engine) = engine.upgrade() else { return };
                    engine.increment_epoch();
                    drop(engine);
                    std::thread::sleep(PERIOD);
                }
            }
        })?;
        Ok(Self { stop })
    }
}

impl Drop for EpochTicker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
