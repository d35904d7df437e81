//! The real remuxer.

use remux::{Chunk, Policy};

use crate::Media;
use crate::media::{AudioTrack, Error, LeftOut, PictureSize, Repair, Slice, VideoTrack};

use super::World;

impl Media for World {
    async fn flv_to_ts(
        &self,
        chunk: Vec<u8>,
        state: Vec<u8>,
        arrival_ms: Option<u64>,
        max_bytes: u64,
    ) -> Result<(Slice, Vec<u8>), Error> {
        if chunk.len() as u64 > max_bytes {
            return Err(Error::TooLarge(max_bytes));
        }
        let policy = Policy { max_bytes, ..Policy::default() };
        let (slice, mut muxer) =
            remux::remux(Chunk { bytes: &chunk, arrival_ms }, &state, &policy).map_err(error)?;
        let mut transport_stream = Vec::with_capacity(slice.size as usize);
        muxer.write(&mut transport_stream);
        Ok((convert(slice), transport_stream))
    }
}

fn convert(slice: remux::Slice) -> Slice {
    Slice {
        consumed: slice.consumed,
        size: slice.size,
        start90khz: slice.start_90khz,
        duration90khz: slice.duration_90khz,
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
