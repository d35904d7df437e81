//! The real remuxer.

use std::ops::Range;

use record_files::{Container, File, RecordFile};
use remux::{Chunk, Policy};

use crate::media::{AudioTrack, ChunkArrival, Error, LeftOut, PictureSize, Repair, Slice, VideoTrack};
use crate::{Files, Media, files};

use super::World;

impl Media for World {
    async fn flv_to_ts(
        &self,
        chunk: Vec<u8>,
        state: Vec<u8>,
        arrival: ChunkArrival,
        max_bytes: u64,
    ) -> Result<(Slice, Vec<u8>), Error> {
        let (slice, transport_stream, _, _) = self.flv_to_samples(chunk, state, arrival, max_bytes).await?;
        Ok((slice, transport_stream))
    }

    async fn flv_to_samples(
        &self,
        chunk: Vec<u8>,
        state: Vec<u8>,
        arrival: ChunkArrival,
        max_bytes: u64,
    ) -> Result<(Slice, Vec<u8>, u64, Vec<u8>), Error> {
        if chunk.len() as u64 > max_bytes {
            return Err(Error::TooLarge(max_bytes));
        }
        let policy = Policy { max_bytes, ..Policy::default() };
        let arrival = match arrival {
            ChunkArrival::Unknown => remux::ChunkArrival::Unknown,
            ChunkArrival::At(ms) => remux::ChunkArrival::At(ms),
            ChunkArrival::AfterPause => remux::ChunkArrival::AfterPause,
        };
        let chunk = Chunk { bytes: &chunk, arrival };
        let (slice, mut muxer, mut samples) =
            remux::remux_with_samples(chunk, &state, &policy).map_err(error)?;
        let mut transport_stream = Vec::with_capacity(slice.size as usize);
        muxer.write(&mut transport_stream);
        let mut media = Vec::new();
        if slice.size > 0 {
            let table = samples.table();
            media.extend((table.len() as u32).to_le_bytes());
            media.extend(samples.size().to_le_bytes());
            media.extend_from_slice(table);
            media.reserve_exact(samples.size() as usize);
            samples.write(&muxer, &mut media);
        }
        Ok((convert(slice), transport_stream, media.len() as u64, media))
    }
}

impl Files for World {
    type RecordFile = RecordFile;

    async fn lay_out(
        &self,
        container: files::Container,
        created_s: u64,
        chunks: Vec<files::Chunk>,
    ) -> Result<(files::Layout, RecordFile), files::Error> {
        let container = match container {
            files::Container::Mp4 => Container::Mp4,
            files::Container::Flv => Container::Flv,
        };
        let chunks =
            chunks.into_iter().map(|files::Chunk { table, gap_ms }| record_files::Chunk { table, gap_ms });
        let file = RecordFile::lay_out(container, created_s, chunks.collect()).map_err(file_error)?;
        let File { size, duration_90khz, left_out } = file.file();
        Ok((files::Layout { size, duration90khz: duration_90khz, left_out }, file))
    }

    async fn media(&self, file: &RecordFile, bytes: Range<u64>) -> Range<u64> {
        file.media(bytes)
    }

    async fn write(&self, file: &RecordFile, bytes: Range<u64>, media: Vec<u8>) -> Vec<u8> {
        let mut writer = file.writer(bytes);
        let (mut file, mut rest) = (Vec::new(), &media[..]);
        while let Some(piece) = writer.head() {
            file.extend(piece);
        }
        while let Some(needed) = writer.needed() {
            let Some((next, after)) = rest.split_at_checked(needed as usize) else { break };
            file.extend(writer.take(next.to_vec()).expect("what the layout has admitted can be written"));
            rest = after;
        }
        file
    }
}

fn file_error(error: record_files::Error) -> files::Error {
    match error {
        record_files::Error::Empty => files::Error::Empty,
        error => files::Error::Malformed(error.to_string()),
    }
}

fn convert(slice: remux::Slice) -> Slice {
    Slice {
        consumed: slice.consumed,
        size: slice.size,
        start90khz: slice.start_90khz,
        duration90khz: slice.duration_90khz,
        paused90khz: slice.paused_90khz,
        independent: slice.independent,
        discontinuity: slice.discontinuity,
        video: slice.video.map(|track| VideoTrack {
            codec: track.codec.into(),
            size: track.size.map(|size| PictureSize { width: size.width, height: size.height }),
            access_units: track.access_units,
        }),
        audio: slice.audio.map(|track| AudioTrack {
            codec: track.codec.into(),
            sample_rate_hz: track.sample_rate_hz,
            channels: track.channels,
            frames: track.frames,
        }),
        repairs: slice
            .repairs
            .iter()
            .map(|(kind, count)| Repair { kind: kind.name().into(), count })
            .collect(),
        left_out: slice
            .left_out
            .into_iter()
            .map(|track| LeftOut {
                kind: track.kind.name().into(),
                name: track.name,
                messages: track.messages,
            })
            .collect(),
        state: slice.state,
    }
}

fn error(error: remux::Error) -> Error {
    match error {
        remux::Error::TooLarge { limit, .. } => Error::TooLarge(limit),
        remux::Error::State(error) => Error::BadState(error.to_string()),
        error => Error::Malformed(error.to_string()),
    }
}
