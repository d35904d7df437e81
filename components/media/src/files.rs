//! Record files, as their media comes.

use futures_channel::oneshot;
use record_files::{Chunk, Container, Error, File, Writer, chunks};
use spin_sdk::wit_bindgen::{self, StreamReader, StreamResult, StreamWriter};

use crate::exports::recorder::media::files as contract;
use crate::{Component, wit_stream};

impl contract::Guest for Component {
    async fn lay_out(
        container: contract::Container,
        created_s: u64,
        tables: Vec<contract::Chunk>,
        first: u64,
    ) -> Result<contract::Layout, contract::Error> {
        let chunks = parse(&tables)?;
        let writer = Writer::part(convert(container), created_s, &chunks, first..u64::MAX).map_err(error)?;
        let File { size, duration_90khz, left_out } = writer.file();
        let media_first = writer.media_first();
        Ok(contract::Layout { size, duration90khz: duration_90khz, left_out, media_first })
    }

    async fn write(
        container: contract::Container,
        created_s: u64,
        tables: Vec<contract::Chunk>,
        first: u64,
        size: u64,
        media: StreamReader<u8>,
    ) -> Result<StreamReader<u8>, contract::Error> {
        let (output, reader) = wit_stream::new();
        let (sender, outcome) = oneshot::channel();
        wit_bindgen::spawn(async move {
            // The writer borrows from the tables, so one task owns both.
            let chunks = match parse(&tables) {
                Ok(chunks) => chunks,
                Err(error) => return drop(sender.send(Err(error))),
            };
            let bytes = first..first.saturating_add(size);
            match Writer::part(convert(container), created_s, &chunks, bytes) {
                Ok(writer) => {
                    if sender.send(Ok(())).is_ok() {
                        write_file(writer, media, output).await;
                    }
                }
                Err(refused) => drop(sender.send(Err(error(refused)))),
            }
        });
        outcome.await.expect("the task should send before it ends").map(|()| reader)
    }
}

fn parse(tables: &[contract::Chunk]) -> Result<Vec<Chunk<'_>>, contract::Error> {
    chunks(tables.iter().map(|chunk| (&chunk.table[..], chunk.gap_ms))).map_err(error)
}

/// Writes the file until the media ends or nobody reads.
async fn write_file(mut writer: Writer<'_>, media: StreamReader<u8>, mut output: StreamWriter<u8>) {
    let mut media = Source { stream: media, ahead: Vec::new() };
    while let Some(piece) = writer.head() {
        if !output.write_all(piece).await.is_empty() {
            return;
        }
    }
    while let Some(needed) = writer.needed() {
        let Some(bytes) = media.read(needed as usize).await else { return };
        // What the layout has admitted can be written.
        let Ok(bytes) = writer.take(bytes) else { return };
        if !output.write_all(bytes).await.is_empty() {
            return;
        }
    }
}

/// A stream that is read in blocks.
struct Source {
    stream: StreamReader<u8>,
    /// What was read of the next block.
    ahead: Vec<u8>,
}

impl Source {
    /// So many bytes; `None` where the stream ends before.
    async fn read(&mut self, size: usize) -> Option<Vec<u8>> {
        let mut bytes = std::mem::take(&mut self.ahead);
        while bytes.len() < size {
            bytes.reserve_exact(size - bytes.len());
            let (status, filled) = self.stream.read(bytes).await;
            bytes = filled;
            if matches!(status, StreamResult::Dropped) && bytes.len() < size {
                return None;
            }
        }
        self.ahead = bytes.split_off(size);
        Some(bytes)
    }
}

fn convert(container: contract::Container) -> Container {
    match container {
        contract::Container::Mp4 => Container::Mp4,
        contract::Container::Flv => Container::Flv,
    }
}

fn error(error: Error) -> contract::Error {
    match error {
        Error::Empty => contract::Error::Empty,
        error => contract::Error::Malformed(error.to_string()),
    }
}
