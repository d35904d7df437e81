//! What every chunk begins with: metadata and the configuration of each track.

use flv::{AudioPacket, AudioTagHeader, TagKind, VideoPacket, VideoTagHeader};
use rtmp::Media;

use crate::cut::Frame;

/// Longest configuration or metadata that is repeated in every chunk.
const MAX_HEADER_BYTES: usize = 256 << 10;

/// Most configurations of one push: E-RTMP v2 allows many tracks, encoders have a few.
const MAX_HEADERS: usize = 16;

/// What a tag is to the recorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Coded media.
    Frame(Frame),
    /// Holds from now on: metadata or a configuration.
    Header(Slot),
    /// Anything else: passed through.
    Other,
}

/// What a header is of: a later one of the same slot replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Slot {
    /// `onMetaData`.
    Metadata,
    /// Configuration of a video track.
    Video(u8),
    /// Metadata of a video track, such as its colours (E-RTMP v2).
    VideoMetadata(u8),
    /// Configuration of an audio track.
    Audio(u8),
    /// Channel layout of an audio track (E-RTMP v2).
    AudioLayout(u8),
}

impl Slot {
    /// Whether frames of before and after a change need different chunks.
    fn is_configuration(self) -> bool {
        matches!(self, Self::Video(_) | Self::Audio(_))
    }
}

/// What a media message is; one whose header cannot be read is passed through.
pub(crate) fn classify(media: &Media<'_>) -> Class {
    match media.kind {
        TagKind::Video => {
            VideoTagHeader::parse(media.body).map_or(Class::Other, |video| match video.packet {
                VideoPacket::SequenceHeader => Class::Header(Slot::Video(video.track)),
                VideoPacket::Frame if video.is_keyframe() => Class::Frame(Frame::Key),
                VideoPacket::Frame => Class::Frame(Frame::Inter),
                VideoPacket::Metadata => Class::Header(Slot::VideoMetadata(video.track)),
                VideoPacket::SequenceEnd | VideoPacket::Command | VideoPacket::Other(_) => Class::Other,
            })
        }
        TagKind::Audio => {
            AudioTagHeader::parse(media.body).map_or(Class::Other, |audio| match audio.packet {
                AudioPacket::SequenceHeader => Class::Header(Slot::Audio(audio.track)),
                AudioPacket::Frame => Class::Frame(Frame::Audio),
                AudioPacket::MultichannelConfig => Class::Header(Slot::AudioLayout(audio.track)),
                AudioPacket::SequenceEnd | AudioPacket::Other(_) => Class::Other,
            })
        }
        TagKind::Script if is_metadata(media.body) => Class::Header(Slot::Metadata),
        TagKind::Script => Class::Other,
    }
}

fn is_metadata(body: &[u8]) -> bool {
    body.starts_with(b"\x02\x00\x0aonMetaData")
}

/// What a new header means for the chunk that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It says what was known.
    Repeated,
    /// It belongs into the open chunk.
    Added,
    /// The next frame needs another chunk.
    Cuts,
}

/// The headers that hold now, in the order of [`Slot`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Headers {
    held: Vec<(Slot, TagKind, Vec<u8>)>,
}

impl Headers {
    pub(crate) fn set(&mut self, slot: Slot, media: &Media<'_>) -> Change {
        let kind = media.kind;
        match self.held.binary_search_by_key(&slot, |(slot, ..)| *slot) {
            Ok(at) if self.held[at].2 == media.body => Change::Repeated,
            Ok(at) if media.body.len() <= MAX_HEADER_BYTES => {
                self.held[at].2 = media.body.to_vec();
                if slot.is_configuration() { Change::Cuts } else { Change::Added }
            }
            Err(at) if media.body.len() <= MAX_HEADER_BYTES && self.held.len() < MAX_HEADERS => {
                self.held.insert(at, (slot, kind, media.body.to_vec()));
                Change::Added
            }
            _ => Change::Added,
        }
    }

    /// The FLV file header and a tag for each header.
    pub(crate) fn write(&self, timestamp_ms: u32, out: &mut Vec<u8>) {
        let has = |kind| self.held.iter().any(|(_, held, _)| *held == kind);
        flv::write_header(out, has(TagKind::Audio), has(TagKind::Video));
        for (_, kind, body) in &self.held {
            flv::write_tag(out, *kind, timestamp_ms, body)
                .expect("a header should be shorter than 2^24 bytes");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: TagKind, body: &[u8], expected: Class) {
        assert_eq!(classify(&Media { kind, timestamp_ms: 0, body }), expected, "{body:02x?}");
    }

    #[test]
    fn legacy_and_enhanced_tags_are_told_apart() {
        check(TagKind::Video, &[0x17, 0, 0, 0, 0, 1], Class::Header(Slot::Video(0)));
        check(TagKind::Video, &[0x17, 1, 0, 0, 0, 1], Class::Frame(Frame::Key));
        check(TagKind::Video, &[0x27, 1, 0, 0, 0, 1], Class::Frame(Frame::Inter));
        check(TagKind::Video, &[0x17, 2, 0, 0, 0], Class::Other);
        check(TagKind::Video, b"\x90hvc1\x01", Class::Header(Slot::Video(0)));
        check(TagKind::Video, b"\x91hvc1\0\0\0\x01", Class::Frame(Frame::Key));
        check(TagKind::Video, b"\xa3hvc1\x01", Class::Frame(Frame::Inter));
        check(TagKind::Video, b"\x94hvc1\x02", Class::Header(Slot::VideoMetadata(0)));
        check(TagKind::Video, b"\x91av01\x01", Class::Frame(Frame::Key));
        check(TagKind::Audio, &[0xaf, 0, 0x12, 0x10], Class::Header(Slot::Audio(0)));
        check(TagKind::Audio, &[0xaf, 1, 1], Class::Frame(Frame::Audio));
        check(TagKind::Audio, &[0x2f, 1], Class::Frame(Frame::Audio));
        check(TagKind::Audio, b"\x90Opus\x01", Class::Header(Slot::Audio(0)));
        check(TagKind::Audio, b"\x91Opus\x01", Class::Frame(Frame::Audio));
        check(TagKind::Script, b"\x02\0\x0aonMetaData\x08", Class::Header(Slot::Metadata));
        check(TagKind::Script, b"\x02\0\x0aonTextData\x08", Class::Other);
        check(TagKind::Video, &[0x17], Class::Other);
    }

    #[test]
    fn only_a_changed_configuration_cuts() {
        let mut headers = Headers::default();
        let video = |body| Media { kind: TagKind::Video, timestamp_ms: 0, body };
        assert_eq!(headers.set(Slot::Video(0), &video(&[1])), Change::Added);
        assert_eq!(headers.set(Slot::Video(0), &video(&[1])), Change::Repeated);
        assert_eq!(headers.set(Slot::Video(0), &video(&[2])), Change::Cuts);
        assert_eq!(headers.set(Slot::Video(1), &video(&[2])), Change::Added);
        assert_eq!(headers.set(Slot::VideoMetadata(0), &video(&[1])), Change::Added);
        assert_eq!(headers.set(Slot::VideoMetadata(0), &video(&[2])), Change::Added);
    }
}
