//! Between the contract's records and the core's.

use crate::contract;

pub(crate) fn slice(slice: remux::Slice) -> contract::Slice {
    contract::Slice {
        consumed: slice.consumed,
        size: slice.size,
        start90khz: slice.start_90khz,
        duration90khz: slice.duration_90khz,
        paused90khz: slice.paused_90khz,
        independent: slice.independent,
        discontinuity: slice.discontinuity,
        video: slice.video.map(|track| contract::VideoTrack {
            codec: track.codec.into(),
            size: track.size.map(|size| contract::PictureSize { width: size.width, height: size.height }),
            access_units: track.access_units,
        }),
        audio: slice.audio.map(|track| contract::AudioTrack {
            codec: track.codec.into(),
            sample_rate_hz: track.sample_rate_hz,
            channels: track.channels,
            frames: track.frames,
        }),
        repairs: slice
            .repairs
            .iter()
            .map(|(kind, count)| contract::Repair { kind: kind.name().into(), count })
            .collect(),
        left_out: slice
            .left_out
            .into_iter()
            .map(|left_out| contract::LeftOut {
                kind: left_out.kind.name().into(),
                name: left_out.name,
                messages: left_out.messages,
            })
            .collect(),
        state: slice.state,
    }
}

pub(crate) fn arrival(arrival: contract::ChunkArrival) -> remux::ChunkArrival {
    match arrival {
        contract::ChunkArrival::Unknown => remux::ChunkArrival::Unknown,
        contract::ChunkArrival::At(ms) => remux::ChunkArrival::At(ms),
        contract::ChunkArrival::AfterPause => remux::ChunkArrival::AfterPause,
    }
}

pub(crate) fn error(error: remux::Error) -> contract::Error {
    match error {
        remux::Error::TooLarge { limit, .. } => contract::Error::TooLarge(limit),
        remux::Error::State(error) => contract::Error::BadState(error.to_string()),
        error => contract::Error::Malformed(error.to_string()),
    }
}
