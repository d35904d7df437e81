//! `recorder:media`: adapts the crates `remux` and `record-files` to their WIT package, and nothing else.
//!
//! The component inherits no capability. Even a chunk that took it over could reach nothing.

mod convert;
mod files;

use futures_channel::oneshot;
use remux::{Chunk, Policy, Slice};
use spin_sdk::wit_bindgen::{self, StreamReader, StreamResult, StreamWriter};

wit_bindgen::generate!({
    inline: "package recorder:media-component; world media-provider { export recorder:media/files@0.1.0; export recorder:media/remux@0.1.0; }",
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
        arrival: contract::ChunkArrival,
        max_bytes: u64,
    ) -> Result<(contract::Slice, StreamReader<u8>), contract::Error> {
        let chunk = read_bounded(chunk, max_bytes).await?;
        let (output, reader) = wit_stream::new();
        // The muxer borrows from the chunk, so one task owns both. It hands out the slice before it writes.
        let (slice_sender, slice) = oneshot::channel();
        wit_bindgen::spawn(async move {
            let policy = Policy { max_bytes, ..Policy::default() };
            match remux::remux(Chunk { bytes: &chunk, arrival: convert::arrival(arrival) }, &state, &policy) {
                Ok((slice, mut muxer)) => {
                    if slice_sender.send(Ok(slice)).is_ok() {
                        write_all(output, |block| muxer.write(block)).await;
                    }
                }
                Err(error) => drop(slice_sender.send(Err(error))),
            }
        });
        let slice: Result<Slice, remux::Error> = slice.await.expect("the task should send before it ends");
        slice.map(|slice| (convert::slice(slice), reader)).map_err(convert::error)
    }

    async fn flv_to_samples(
        chunk: StreamReader<u8>,
        state: Vec<u8>,
        arrival: contract::ChunkArrival,
        max_bytes: u64,
    ) -> Result<(contract::Slice, StreamReader<u8>, u64, StreamReader<u8>), contract::Error> {
        let chunk = read_bounded(chunk, max_bytes).await?;
        let (output, reader) = wit_stream::new();
        let (mut samples_output, samples_reader) = wit_stream::new();
        let (sender, remuxed) = oneshot::channel();
        wit_bindgen::spawn(async move {
            let policy = Policy { max_bytes, ..Policy::default() };
            match remux::remux_with_samples(
                Chunk { bytes: &chunk, arrival: convert::arrival(arrival) },
                &state,
                &policy,
            ) {
                Ok((slice, mut muxer, mut samples)) => {
                    let table = samples.table();
                    let sizes = ((table.len() as u32).to_le_bytes(), samples.size().to_le_bytes());
                    let head = [&sizes.0[..], &sizes.1, table].concat();
                    let size = if slice.size > 0 { head.len() as u64 + samples.size() } else { 0 };
                    if sender.send(Ok((slice, size))).is_err() {
                        return;
                    }
                    write_all(output, |block| muxer.write(block)).await;
                    if size > 0 && samples_output.write_all(head).await.is_empty() {
                        write_all(samples_output, |block| samples.write(&muxer, block)).await;
                    }
                }
                Err(error) => drop(sender.send(Err(error))),
            }
        });
        let remuxed: Result<(Slice, u64), remux::Error> =
            remuxed.await.expect("the task should send before it ends");
        let (slice, size) = remuxed.map_err(convert::error)?;
        Ok((convert::slice(slice), reader, size, samples_reader))
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

/// Writes what `fill` puts into a block's capacity, until it puts nothing or nobody reads.
async fn write_all(mut output: StreamWriter<u8>, mut fill: impl FnMut(&mut Vec<u8>)) {
    let mut block = Vec::new();
    loop {
        // `write_all` gives the buffer back empty with its capacity, so this allocates only once.
        block.reserve(BLOCK_SIZE);
        fill(&mut block);
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
