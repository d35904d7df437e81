//! Between what gateways and the remuxer say and what the catalog knows.

use protocol::LossReason;
use shared::catalog::{self, AudioCodec, PictureSize, Slice, Tracks, VideoCodec};
use shared::media;

/// Why a chunk will never come.
#[must_use]
pub fn loss_reason(reason: LossReason) -> catalog::LossReason {
    match reason {
        LossReason::Refused => catalog::LossReason::Refused,
        LossReason::Shed => catalog::LossReason::Shed,
        LossReason::Damaged => catalog::LossReason::Damaged,
        LossReason::Acknowledged => catalog::LossReason::Acknowledged,
    }
}

/// A slice as the catalog knows it.
#[must_use]
pub fn slice(remuxed: &media::Slice, names_taken: u32) -> Slice {
    let video = remuxed.video.as_ref();
    Slice {
        size: remuxed.size,
        start90khz: remuxed.start90khz,
        duration90khz: remuxed.duration90khz,
        paused90khz: remuxed.paused90khz,
        independent: remuxed.independent,
        discontinuity: remuxed.discontinuity,
        names_taken,
        tracks: Tracks {
            video: video.and_then(|track| video_codec(&track.codec)),
            audio: remuxed.audio.as_ref().and_then(|track| audio_codec(&track.codec)),
            size: video
                .and_then(|track| track.size)
                .map(|size| PictureSize { width: size.width, height: size.height }),
        },
    }
}

fn video_codec(name: &str) -> Option<VideoCodec> {
    Some(match name {
        "h264" => VideoCodec::H264,
        "hevc" => VideoCodec::Hevc,
        "mpeg4" => VideoCodec::Mpeg4,
        _ => return None,
    })
}

fn audio_codec(name: &str) -> Option<AudioCodec> {
    Some(match name {
        "aac" => AudioCodec::Aac,
        "mp3" => AudioCodec::Mp3,
        _ => return None,
    })
}
