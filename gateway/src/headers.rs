//! What every chunk begins with: metadata and the configuration of each track.

mod summary;

use std::hash::RandomState;

use flv::{
    AudioCodec, AudioTagHeader, StreamMetadata, TAG_HEADER_SIZE, TagClass, TagKind, VideoCodec,
    VideoTagHeader,
};
use rtmp::Media;

use crate::cut::Frame;
use summary::Summary;

/// Longest configuration or metadata that is repeated in every chunk.
pub(crate) const MAX_HEADER_BYTES: usize = 256 << 10;

/// The number of the track that is recorded, of those of video as of those of audio: E-RTMP v2 has it for the default one.
const RECORDED_TRACK: u8 = 0;

/// Bytes of the length before each NAL unit where no record says it: what encoders write.
const LENGTH_SIZE: u8 = 4;

/// What a tag is to the recorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Coded media of a recorded track.
    Frame(Frame, Codec),
    /// Coded media of another track: passed through, and nothing goes by it.
    OtherFrame,
    /// Holds from now on: metadata, or a configuration of a recorded track.
    Header(Slot),
    /// Anything else: passed through.
    Other,
}

/// The codec of a frame, with the number of its track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    Video(u8, VideoCodec),
    Audio(u8, AudioCodec),
}

impl Codec {
    /// A short name, such as `h264`.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Video(_, codec) => codec.name(),
            Self::Audio(_, codec) => codec.name(),
        }
    }

    /// Whether the remuxer records its track.
    fn is_recorded(self) -> bool {
        let (Self::Video(track, _) | Self::Audio(track, _)) = self;
        track == RECORDED_TRACK
    }

    /// Where the configuration of the track is held.
    pub(crate) fn slot(self) -> Slot {
        match self {
            Self::Video(track, _) => Slot::Video(track),
            Self::Audio(track, _) => Slot::Audio(track),
        }
    }
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

/// What a media message is; one whose header cannot be read is passed through. One of several tracks is what its part of
/// the recorded track is.
pub(crate) fn classify(media: &Media<'_>) -> Class {
    let (class, codec) = class_and_codec(media.kind, media.body);
    if codec.is_some_and(|codec| !codec.is_recorded()) {
        return if class.is_frame() { Class::OtherFrame } else { Class::Other };
    }
    let frame = |frame| codec.map_or(Class::Other, |codec| Class::Frame(frame, codec));
    let is_video = media.kind == TagKind::Video;
    match class {
        TagClass::KeyFrame => frame(Frame::Key),
        TagClass::InterFrame => frame(Frame::Inter),
        TagClass::AudioFrame => frame(Frame::Audio),
        TagClass::SequenceHeader { track } if is_video => Class::Header(Slot::Video(track)),
        TagClass::SequenceHeader { track } => Class::Header(Slot::Audio(track)),
        TagClass::TrackMetadata { track } if is_video => Class::Header(Slot::VideoMetadata(track)),
        TagClass::TrackMetadata { track } => Class::Header(Slot::AudioLayout(track)),
        TagClass::StreamMetadata => Class::Header(Slot::Metadata),
        TagClass::SequenceEnd | TagClass::Command | TagClass::Script | TagClass::Unknown => Class::Other,
    }
}

/// The codec of an audio or video message, whatever else it carries.
pub(crate) fn codec(media: &Media<'_>) -> Option<Codec> {
    class_and_codec(media.kind, media.body).1
}

/// The class of a tag, and the codec of an audio or video tag whatever else it carries.
fn class_and_codec(kind: TagKind, body: &[u8]) -> (TagClass, Option<Codec>) {
    #[cfg(test)]
    tests::READ.with(|read| read.set(read.get() + body.len()));
    match kind {
        TagKind::Video => VideoTagHeader::parse(body).map_or((TagClass::Unknown, None), |video| {
            (video.class(), Some(Codec::Video(video.track, video.codec)))
        }),
        TagKind::Audio => AudioTagHeader::parse(body).map_or((TagClass::Unknown, None), |audio| {
            (audio.class(), Some(Codec::Audio(audio.track, audio.codec)))
        }),
        TagKind::Script => (TagClass::of(kind, body), None),
    }
}

/// What metadata announces; nothing where it is longer than any encoder's, since reading takes many times its size.
pub(crate) fn metadata(body: &[u8]) -> StreamMetadata {
    let is_sensible = body.len() <= MAX_HEADER_BYTES;
    is_sensible.then(|| StreamMetadata::parse(body)).flatten().unwrap_or_default()
}

/// What a new header means for those that hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing can be decoded by it, or it is longer than any that is repeated: what holds goes on to hold.
    Unusable,
    /// It says what was known.
    Repeated,
    /// It is the first of its kind, or no configuration.
    Added,
    /// A configuration that differs from the one before it.
    Replaced,
}

/// The headers that hold now, in the order of [`Slot`]: of the stream and of the recorded tracks, since chunks repeat them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Headers {
    held: Vec<Held>,
    /// Width and height of the pictures of the track that is recorded, as far as it is known: by its configuration, or by a
    /// keyframe since.
    picture_size: Option<(u32, u32)>,
    /// By which configurations are compared.
    hashes: RandomState,
}

/// A header that holds.
#[derive(Clone, Debug)]
struct Held {
    slot: Slot,
    kind: TagKind,
    body: Vec<u8>,
    /// What it says, where it is a configuration.
    configuration: Option<Summary>,
}

/// The video track that is recorded.
const RECORDED: Slot = Slot::Video(RECORDED_TRACK);

impl Headers {
    /// Takes a header. Configurations are compared by what they say, not by their bytes. Those that hold are not read again,
    /// so that the work is that of reading this one.
    pub(crate) fn set(&mut self, slot: Slot, media: &Media<'_>) -> Change {
        let &Media { kind, body, .. } = media;
        let found = self.held.binary_search_by_key(&slot, |held| held.slot);
        let held = found.ok().map(|at| &self.held[at]);
        let is_configuration = matches!(slot, Slot::Video(_) | Slot::Audio(_));
        let is_usable = is_configuration && body.len() <= MAX_HEADER_BYTES;
        let configuration = is_usable.then(|| Summary::read(kind, body, &self.hashes)).flatten();
        let change = match configuration {
            Some(new) => new.change_from(held.and_then(|held| held.configuration)),
            None if is_configuration => Change::Unusable,
            None if held.is_some_and(|held| held.body == body) => Change::Repeated,
            None => Change::Added,
        };
        let is_kept = matches!(change, Change::Added | Change::Replaced) && body.len() <= MAX_HEADER_BYTES;
        match found {
            Ok(at) if is_kept => {
                self.held[at].body = body.to_vec();
                self.held[at].configuration = configuration;
            }
            Err(at) if is_kept => {
                self.held.insert(at, Held { slot, kind, body: body.to_vec(), configuration });
            }
            _ => {}
        }
        if is_kept && slot == RECORDED {
            self.picture_size = configuration.and_then(|configuration| configuration.picture_size);
        }
        change
    }

    /// Takes a keyframe: whether it says by parameter sets of its own that pictures have another size from it on. Sets that
    /// differ in anything else are no other configuration, since encoders renew them with each keyframe.
    pub(crate) fn changes_size(&mut self, media: &Media<'_>) -> bool {
        let Ok(video) = VideoTagHeader::parse(media.body) else { return false };
        if Slot::Video(video.track) != RECORDED {
            return false;
        }
        let Some(size) = video.picture_size(self.length_size(RECORDED)) else { return false };
        self.picture_size.replace(size).is_some_and(|before| before != size)
    }

    /// A frame of a codec came: the configuration of another codec holds for its track no longer.
    pub(crate) fn forget_other(&mut self, codec: Codec) {
        self.held.retain(|held| {
            held.slot != codec.slot() || held.configuration.is_some_and(|held| held.codec == codec)
        });
        if codec.slot() == RECORDED {
            self.picture_size = self.picture_size.filter(|_| self.held(RECORDED).is_some());
        }
    }

    /// Whether a frame begins a picture, where that can be told: a chunk that began with another slice of the
    /// picture before would part it.
    pub(crate) fn begins_picture(&self, media: &Media<'_>) -> bool {
        let Ok(video) = VideoTagHeader::parse(media.body) else { return true };
        video.begins_picture(self.length_size(Slot::Video(video.track)))
    }

    /// Bytes of the length before each NAL unit of a video track.
    fn length_size(&self, slot: Slot) -> u8 {
        let configuration = self.held(slot).and_then(|held| held.configuration);
        configuration.map_or(LENGTH_SIZE, |configuration| configuration.length_size)
    }

    fn held(&self, slot: Slot) -> Option<&Held> {
        self.held.iter().find(|held| held.slot == slot)
    }

    /// Bytes of a tag for each header.
    pub(crate) fn bytes(&self) -> u64 {
        self.held.iter().map(|held| (TAG_HEADER_SIZE + held.body.len() + 4) as u64).sum()
    }

    /// The FLV file header and a tag for each header.
    pub(crate) fn write(&self, timestamp_ms: u32, out: &mut Vec<u8>) {
        let has = |kind| self.held.iter().any(|held| held.kind == kind);
        flv::write_header(out, has(TagKind::Audio), has(TagKind::Video));
        for Held { kind, body, .. } in &self.held {
            flv::write_tag(out, *kind, timestamp_ms, body)
                .expect("a header should be shorter than 2^24 bytes");
        }
    }
}

#[cfg(test)]
mod tests;
