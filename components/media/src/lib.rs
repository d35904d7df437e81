//! `recorder:media/remux`: adapts the crate `remux` to its WIT package, and nothing else.
//!
//! The component inherits no capability. Even a chunk that took it over could reach nothing.

mod convert;

use futures_channel::oneshot;
use remux::{Chunk, Policy, Slice};
use spin_sdk::wit_bindgen::{self, StreamReader, StreamResult, StreamWriter};

wit_bindgen::generate!({
    inline: "package recorder:media-component; world media-provider { export recorder:media/remux@0.1.0; }",
    path: ["../../wit/media"],
    runtime_path: "spin_sdk::wit_bindgen::rt",
    generate_all,
});

use exports::recorder::media::remux as contract;

/// Bytes read and written at a time; writing takes whole transport stream packets: 188 × 1394 < 256 KiB.
const READ_SIZE: usize = 256 * 1024;
const BLOCK_SIZE: usize = 188 * 1394;

/// Room for a chunk of ordinary length (16 s at 4 Mb/s), so that its buffer rarely grows and moves.
const FIRST_CAPACITY: u64 = 8 << 20;

struct Component;

impl contract::Guest for Component {
    async fn flv_to_ts(
        chunk: StreamReader<u8>,
        state: Vec<u8>,
        arrival_ms: Option<u64>,
        max_bytes: u64,
    ) -> Result<(contract::Slice, StreamReader<u8>), contract::Error> {
        let chunk = read_bounded(chunk, max_bytes).await?;
        let (output, reader) = wit_stream::new();
        // The muxer borrows from the chunk, so one task owns both. It hands out the slice before it writes.
        let (slice_sender, slice) = oneshot::channel();
        wit_bindgen::spawn(async move {
            let policy = Policy { max_bytes, ..Policy::default() };
            match remux::remux(Chunk { bytes: &chunk, arrival_ms }, &state, &policy) {
                Ok((slice, muxer)) => {
                    if slice_sender.send(Ok(slice)).is_ok() {
                        write_all(muxer, output).await;
                    }
                }
                Err(error) => drop(slice_sender.send(Err(error))),
            }
        });
        let slice: Result<Slice, remux::Error> = slice.await.expect("the task should send before it ends");
        slice.map(|slice| (convert::slice(slice), reader)).map_err(convert::error)
    }
}

/// Reads the stream to its end, or to the first byte past `max_bytes`.
async fn read_bounded(mut chunk: StreamReader<u8>, max_bytes: u64) -> Result<Vec<u8>, contract::Error> {
    let mut bytes = Vec::new();
    let mut room = max_bytes.min(FIRST_CAPACITY) as usize;
    loop {
        // Other chunks may be in this instance's memory. If too little is left, this chunk is refused and sent
        // again; an abort would end the other chunks too.
        bytes.try_reserve(room).map_err(|_| contract::Error::OutOfMemory(bytes.len() as u64))?;
        room = READ_SIZE;
        let (status, filled) = chunk.read(bytes).await;
        bytes = filled;
        if bytes.len() as u64 > max_bytes {
            return Err(contract::Error::TooLarge(max_bytes));
        }
        if matches!(status, StreamResult::Dropped) {
            return Ok(bytes);
        }
    }
}

/// Writes the slice in blocks, until it ends or nobody reads.
async fn write_all(mut muxer: mpegts::Muxer<'_>, mut output: StreamWriter<u8>) {
    let mut block = Vec::new();
    loop {
        // `write_all` gives the buffer back empty with its capacity, so this allocates only once.
        block.reserve(BLOCK_SIZE);
        muxer.write(&mut block);
        if block.is_empty() {
            return;
        }
        block = output.write_all(block).await;
        // Bytes that come back were not read: the reader is gone.
        if !block.is_empty() {
            return;
        }
    }
}

export!(Component);
