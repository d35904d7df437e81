//! The tick at which guests that compute for long let others run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use wasmtime::Engine;

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
