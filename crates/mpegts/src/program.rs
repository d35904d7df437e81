//! What the program consists of.

use media::{AudioCodec, AudioConfig, VideoCodec};

/// PID of the program map table.
pub const PMT_PID: u16 = 0x1000;

/// PID of the video track.
pub const VIDEO_PID: u16 = 0x100;

/// PID of the audio track.
pub const AUDIO_PID: u16 = 0x101;

/// An audio track's stream type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudioStream {
    /// AAC behind ADTS headers.
    Adts,
    /// MPEG audio at the sample rates of MPEG-1.
    Mpeg1,
    /// MPEG audio at lower sample rates.
    Mpeg2,
}

impl AudioStream {
    /// The stream type of a configuration.
    #[must_use]
    pub fn of(config: &AudioConfig) -> Self {
        match config.codec {
            AudioCodec::Aac => Self::Adts,
            AudioCodec::Mp3 if config.sample_rate_hz >= 32_000 => Self::Mpeg1,
            AudioCodec::Mp3 => Self::Mpeg2,
        }
    }

    /// `stream_type` (13818-1 table 2-34).
    #[must_use]
    pub fn stream_type(self) -> u8 {
        match self {
            Self::Adts => 0x0f,
            Self::Mpeg1 => 0x03,
            Self::Mpeg2 => 0x04,
        }
    }
}

/// The tracks that the program map table lists.
///
/// A track once listed stays listed for the session: a pause is no change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// The video track's codec.
    pub video: Option<VideoCodec>,
    /// The audio track's stream type.
    pub audio: Option<AudioStream>,
    /// `profile_and_level_indication` of an MPEG-4 part 2 track, as its descriptor says it; 0 before one was seen.
    pub mpeg4_profile_and_level: u8,
}

impl Program {
    /// The track that carries the program clock reference: video where there is one.
    pub(crate) fn pcr_pid(&self) -> u16 {
        if self.video.is_some() { VIDEO_PID } else { AUDIO_PID }
    }
}

/// `stream_type` of a video codec (13818-1 table 2-34).
pub(crate) fn video_stream_type(codec: VideoCodec) -> u8 {
    match codec {
        VideoCodec::H264 => 0x1b,
        VideoCodec::Hevc => 0x24,
        VideoCodec::Mpeg4 => 0x10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mpeg_audio_has_a_stream_type_by_its_sample_rate() {
        let stream_type = |codec, sample_rate_hz| {
            let config = AudioConfig {
                codec,
                sample_rate_hz,
                channels: None,
                frame_duration_90khz: 2_160,
                aac: None,
                has_adts_headers: true,
            };
            AudioStream::of(&config).stream_type()
        };
        // MPEG-1 has 32, 44.1 and 48 kHz, MPEG-2 the halves of these.
        assert_eq!([48_000, 44_100, 32_000].map(|rate| stream_type(AudioCodec::Mp3, rate)), [3; 3]);
        assert_eq!([24_000, 22_050, 16_000].map(|rate| stream_type(AudioCodec::Mp3, rate)), [4; 3]);
        assert_eq!([48_000, 24_000].map(|rate| stream_type(AudioCodec::Aac, rate)), [15; 2]);
    }
}
