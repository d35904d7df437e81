//! Which codecs are recorded: one video and one audio track of those that a transport stream can carry.

use flv::{AudioTagHeader, VideoTagHeader};
use media::{AudioCodec, VideoCodec};

/// The codec of a video message; `None` if its track is not recorded.
pub(crate) fn video_codec(message: &VideoTagHeader<'_>) -> Option<VideoCodec> {
    match message.codec {
        _ if message.track != 0 => None,
        flv::VideoCodec::Avc => Some(VideoCodec::H264),
        flv::VideoCodec::Hevc => Some(VideoCodec::Hevc),
        flv::VideoCodec::Mpeg4 => Some(VideoCodec::Mpeg4),
        flv::VideoCodec::Legacy(_) | flv::VideoCodec::Enhanced(_) => None,
    }
}

/// The codec of an audio message; `None` if its track is not recorded.
pub(crate) fn audio_codec(message: &AudioTagHeader<'_>) -> Option<AudioCodec> {
    match message.codec {
        _ if message.track != 0 => None,
        flv::AudioCodec::Aac => Some(AudioCodec::Aac),
        flv::AudioCodec::Mp3 => Some(AudioCodec::Mp3),
        flv::AudioCodec::Legacy(_) | flv::AudioCodec::Enhanced(_) => None,
    }
}
