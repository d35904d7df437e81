//! The media component as the host runs it: compiled before it is measured, in a store of its own, fed by a stream.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use anyhow::{Result, anyhow};
use bytes::Bytes;
use harness::wasi::{State, linker};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use wasmtime::component::{Component as WasmComponent, Source, StreamConsumer, StreamReader, StreamResult};
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi::WasiCtx;

mod bindings {
    wasmtime::component::bindgen!({
        inline: "package recorder:bench; world bench { export recorder:media/remux@0.1.0; }",
        path: ["../wit/media"],
    });
}

use bindings::exports::recorder::media::remux::ChunkArrival;

/// One instance, used for chunk after chunk.
pub(crate) struct Component {
    store: Store<State>,
    remux: bindings::Bench,
    runtime: Runtime,
}

impl Component {
    pub(crate) fn load(root: &Path) -> Result<Self> {
        let mut config = wasmtime::Config::new();
        config.wasm_component_model_async(true);
        // The host does the same: it must be able to end a function that never yields.
        config.epoch_interruption(true);
        let engine = Engine::new(&config)?;
        let file = root.join("target/wasm32-wasip2/release/recorder_media_component.wasm");
        let component = WasmComponent::from_file(&engine, file)?;
        let linker = linker(&engine)?;
        let mut store = Store::new(&engine, State::new(WasiCtx::default()));
        store.set_epoch_deadline(1);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let remux = runtime.block_on(bindings::Bench::instantiate_async(&mut store, &component, &linker))?;
        Ok(Self { store, remux, runtime })
    }

    /// Remuxes the chunks of one session.
    pub(crate) fn record(&mut self, chunks: &[Bytes], sink: Sink) -> Result<()> {
        let Self { store, remux, runtime } = self;
        runtime.block_on(async {
            let mut state = Vec::new();
            for chunk in chunks {
                let chunk = chunk.clone();
                let (sender, drained) = oneshot::channel();
                let remuxed = store
                    .run_concurrent(async |accessor| -> wasmtime::Result<_> {
                        let input = accessor.with(|access| StreamReader::new(access, chunk))?;
                        let remux = remux.recorder_media_remux();
                        let remuxed = remux
                            .call_flv_to_ts(accessor, input, state, ChunkArrival::Unknown, 32 << 20)
                            .await?;
                        let (slice, output) = match remuxed {
                            Ok(remuxed) => remuxed,
                            Err(error) => return Ok(Err(anyhow!("{error:?}"))),
                        };
                        accessor.with(|access| output.pipe(access, Drain::new(sink, sender)?))?;
                        let bytes = drained.await.unwrap_or(0);
                        Ok(if bytes == slice.size {
                            Ok(slice.state)
                        } else {
                            Err(anyhow!("{bytes} bytes came of {}", slice.size))
                        })
                    })
                    .await??;
                state = remuxed?;
            }
            Ok(())
        })
    }
}

/// Where the component's output goes.
#[derive(Clone, Copy)]
pub(crate) enum Sink {
    /// Written from the component's memory to the null device, as ffmpeg writes from its own memory.
    Null,
    /// Copied into a block of the host, as the host does with a body that it sends on.
    Copy,
}

/// Takes a stream, and counts it.
struct Drain {
    null: Option<File>,
    block: Vec<u8>,
    bytes: u64,
    done: Option<oneshot::Sender<u64>>,
}

impl Drain {
    fn new(sink: Sink, done: oneshot::Sender<u64>) -> std::io::Result<Self> {
        let null = match sink {
            Sink::Null => Some(File::create("/dev/null")?),
            Sink::Copy => None,
        };
        Ok(Self { null, block: Vec::new(), bytes: 0, done: Some(done) })
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        if let Some(done) = self.done.take() {
            let _ = done.send(self.bytes);
        }
    }
}

impl StreamConsumer<State> for Drain {
    type Item = u8;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        store: StoreContextMut<'_, State>,
        source: Source<'_, u8>,
        _: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let mut source = source.as_direct(store);
        let bytes = source.remaining();
        let count = bytes.len();
        if let Some(null) = &mut self.null {
            null.write_all(bytes)?;
        } else {
            self.block.clear();
            self.block.extend_from_slice(bytes);
        }
        self.bytes += count as u64;
        source.mark_read(count);
        Poll::Ready(Ok(StreamResult::Completed))
    }
}
