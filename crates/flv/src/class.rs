//! What a tag is to whoever stores, cuts or relays a stream, legacy and enhanced headers alike.

use crate::{AudioPacket, AudioTagHeader, FrameType, TagKind, VideoPacket, VideoTagHeader, script};

/// What a tag is to whoever stores, cuts or relays a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagClass {
    /// A codec's configuration record. It holds for its track from here on.
    SequenceHeader {
        /// The number of the audio or video track; 0 unless the message is multitrack.
        track: u8,
    },
    /// A coded video frame that a player can begin with, as the publisher says.
    KeyFrame,
    /// Any other coded video frame.
    InterFrame,
    /// Coded audio.
    AudioFrame,
    /// The coded sequence of a track ended.
    SequenceEnd,
    /// A command to the player, without media.
    Command,
    /// What a track's codec does not say: colours of video, channels of audio (E-RTMP v2). It holds for its track
    /// from here on.
    TrackMetadata {
        /// The number of the audio or video track; 0 unless the message is multitrack.
        track: u8,
    },
    /// `onMetaData`: describes the whole stream and holds from here on.
    StreamMetadata,
    /// Any other script data, such as `onTextData` and `onCuePoint`.
    Script,
    /// A body that ends inside its header, or a packet type without a known meaning.
    Unknown,
}

impl TagClass {
    /// The class of a tag of this kind.
    ///
    /// The first 64 bytes of a body are enough, unless the message is multitrack or has long `ModEx` prefixes: then
    /// a cut body is [`Unknown`](Self::Unknown).
    #[must_use]
    pub fn of(kind: TagKind, body: &[u8]) -> Self {
        match kind {
            TagKind::Video => VideoTagHeader::parse(body).map_or(Self::Unknown, |header| header.class()),
            TagKind::Audio => AudioTagHeader::parse(body).map_or(Self::Unknown, |header| header.class()),
            TagKind::Script if script::name(body) == Some(script::ON_META_DATA) => Self::StreamMetadata,
            TagKind::Script => Self::Script,
        }
    }

    /// Whether the tag carries coded media.
    #[must_use]
    pub fn is_frame(self) -> bool {
        matches!(self, Self::KeyFrame | Self::InterFrame | Self::AudioFrame)
    }
}

impl VideoTagHeader<'_> {
    /// The class of a tag with this header.
    #[must_use]
    pub fn class(&self) -> TagClass {
        match self.packet {
            VideoPacket::SequenceHeader => TagClass::SequenceHeader { track: self.track },
            VideoPacket::Frame if self.frame_type == FrameType::Key => TagClass::KeyFrame,
            VideoPacket::Frame => TagClass::InterFrame,
            VideoPacket::SequenceEnd => TagClass::SequenceEnd,
            VideoPacket::Metadata => TagClass::TrackMetadata { track: self.track },
            VideoPacket::Command => TagClass::Command,
            VideoPacket::Other(_) => TagClass::Unknown,
        }
    }
}

impl AudioTagHeader<'_> {
    /// The class of a tag with this header.
    #[must_use]
    pub fn class(&self) -> TagClass {
        match self.packet {
            AudioPacket::SequenceHeader => TagClass::SequenceHeader { track: self.track },
            AudioPacket::Frame => TagClass::AudioFrame,
            AudioPacket::SequenceEnd => TagClass::SequenceEnd,
            AudioPacket::MultichannelConfig => TagClass::TrackMetadata { track: self.track },
            AudioPacket::Other(_) => TagClass::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TagKind::{Audio, Script, Video};

    #[track_caller]
    fn check(kind: TagKind, body: &[u8], expected: TagClass) {
        assert_eq!(TagClass::of(kind, body), expected, "{body:02x?}");
    }

    #[test]
    fn legacy_and_enhanced_tags_are_told_apart() {
        check(Video, &[0x17, 0, 0, 0, 0, 1], TagClass::SequenceHeader { track: 0 });
        check(Video, &[0x17, 1, 0, 0, 0, 1], TagClass::KeyFrame);
        check(Video, &[0x27, 1, 0, 0, 0, 1], TagClass::InterFrame);
        check(Video, &[0x17, 2, 0, 0, 0], TagClass::SequenceEnd);
        check(Video, &[0x17, 4, 0, 0, 0], TagClass::Unknown);
        check(Video, &[0x57, 0], TagClass::Command);
        check(Video, &[0x5c, 0], TagClass::Command);
        check(Video, b"\xd1\x00", TagClass::Command);
        check(Video, b"\x90hvc1\x01", TagClass::SequenceHeader { track: 0 });
        check(Video, b"\x90hev1\x01", TagClass::SequenceHeader { track: 0 });
        check(Video, b"\x96\x00hvc1\x02\x01", TagClass::SequenceHeader { track: 2 });
        check(Video, b"\x91hvc1\0\0\0\x01", TagClass::KeyFrame);
        check(Video, b"\xa3hvc1\x01", TagClass::InterFrame);
        check(Video, b"\x94hvc1\x02", TagClass::TrackMetadata { track: 0 });
        check(Video, b"\x91av01\x01", TagClass::KeyFrame);
        check(Video, b"\x92av01", TagClass::SequenceEnd);
        check(Video, &[0x17], TagClass::Unknown);
        check(Audio, &[0xaf, 0, 0x12, 0x10], TagClass::SequenceHeader { track: 0 });
        check(Audio, &[0xaf, 1, 1], TagClass::AudioFrame);
        check(Audio, &[0x2f, 1], TagClass::AudioFrame);
        check(Audio, b"\x90Opus\x01", TagClass::SequenceHeader { track: 0 });
        check(Audio, b"\x91Opus\x01", TagClass::AudioFrame);
        check(Audio, b"\x94Opus\x01\x06", TagClass::TrackMetadata { track: 0 });
        check(Script, b"\x02\0\x0aonMetaData\x08", TagClass::StreamMetadata);
        check(Script, b"\x02\0\x0aonTextData\x08", TagClass::Script);
        check(Script, b"", TagClass::Script);
    }
}
