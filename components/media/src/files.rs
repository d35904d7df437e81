//! Record files, as their media comes.

use std::ops::Range;
use std::rc::Rc;

use record_files::{Chunk, Container, Error, File, RecordFile, Writer};
use spin_sdk::wit_bindgen::{self, StreamReader, StreamResult, StreamWriter};

use crate::exports::recorder::media::files as contract;
use crate::{Component, wit_stream};

impl contract::Guest for Component {
    type RecordFile = LaidOut;
}

/// A file that is laid out. What is being written of it keeps it, though it is dropped.
pub(crate) struct LaidOut(Rc<RecordFile>);

impl contract::GuestRecordFile for LaidOut {
    async fn lay_out(
        container: contract::Container,
        created_s: u64,
        chunks: Vec<contract::Chunk>,
    ) -> Result<(contract::Layout, contract::RecordFile), contract::Error> {
        let chunks = chunks.into_iter().map(|contract::Chunk { table, gap_ms }| Chunk { table, gap_ms });
        let file = RecordFile::lay_out(convert(container), created_s, chunks.collect()).map_err(error)?;
        let File { size, duration_90khz, left_out } = file.file();
        let layout = contract::Layout { size, duration90khz: duration_90khz, left_out };
        Ok((layout, contract::RecordFile::new(Self(Rc::new(file)))))
    }

    async fn media(&self, first: u64, size: u64) -> (u64, u64) {
        let media = self.0.media(bytes(first, size));
        (media.start, media.end - media.start)
    }

    async fn write(&self, first: u64, size: u64, media: StreamReader<u8>) -> StreamReader<u8> {
        let (output, reader) = wit_stream::new();
        let file = Rc::clone(&self.0);
        wit_bindgen::spawn(async move { write_file(file.writer(bytes(first, size)), media, output).await });
        reader
    }
}

fn bytes(first: u64, size: u64) -> Range<u64> {
    first..first.saturating_add(size)
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
