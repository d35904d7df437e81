//! Tracks that become others within a push.

use super::codecs::{Codec, Sound};
use super::slots::Track;

/// From when on pictures are others, after the push's begin: with a keyframe, and where a chunk would not end for that.
/// Unit: ms.
pub(super) const ANOTHER_MS: u64 = 15_000;

/// From when on sound is another, where nothing of the sound before is left. Unit: ms.
const SOUND_MS: u64 = 15_125;

/// What of a push becomes another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Another {
    /// Pictures of AVC become such of HEVC, or the other way round.
    Codec,
    /// Pictures become smaller.
    Size,
    /// Sound of AAC becomes such of MP3.
    SoundCodec,
    /// Sound has twice as many samples a second.
    Rate,
}

impl Another {
    pub(super) const ALL: [Self; 4] = [Self::Codec, Self::Size, Self::SoundCodec, Self::Rate];

    pub(super) fn is_of_sound(self) -> bool {
        matches!(self, Self::SoundCodec | Self::Rate)
    }

    /// What pictures are coded by then, that were coded so before.
    pub(super) fn codec(self, before: Codec) -> Codec {
        match (self, before) {
            (Self::Codec, Codec::Avc) => Codec::Hevc,
            (Self::Codec, Codec::Hevc) => Codec::Avc,
            _ => before,
        }
    }

    /// What sound is coded by then.
    pub(super) fn sound(self, before: Sound) -> Sound {
        match self {
            Self::SoundCodec => Sound::Mp3,
            Self::Rate => Sound::ShortAac,
            Self::Codec | Self::Size => before,
        }
    }

    /// Whether a frame that would come at a moment does.
    pub(super) fn has(self, track: Track, at_ms: u64) -> bool {
        track == Track::Video || !self.is_of_sound() || !(ANOTHER_MS..SOUND_MS).contains(&at_ms)
    }

    /// What it is.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Codec => "pictures that become those of another codec",
            Self::Size => "pictures that become smaller",
            Self::SoundCodec => "sound that becomes that of another codec",
            Self::Rate => "sound that changes its rate",
        }
    }
}
