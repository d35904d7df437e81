//! Sequence headers that come after the first frames of their track.
//!
//! Where what is known of a track is not enough for its frames yet, the first header that follows in the chunk is taken for them too.

use flv::{AudioTagHeader, Reader, TagKind, VideoTagHeader};

use crate::recorded::{audio_codec, video_codec};

/// What has been looked for in a chunk: each at most once, however many frames come before.
#[derive(Debug, Default)]
pub(crate) struct LateHeaders {
    video_sought: bool,
    audio_sought: bool,
}

impl LateHeaders {
    /// The first usable sequence header of the recorded video track in `rest`.
    pub(crate) fn video<'a>(&mut self, rest: &Reader<'a>) -> Option<VideoTagHeader<'a>> {
        if std::mem::replace(&mut self.video_sought, true) {
            return None;
        }
        let messages = bodies(rest, TagKind::Video).filter_map(|body| VideoTagHeader::parse(body).ok());
        let mut messages = messages.filter(|message| video_codec(message).is_some());
        messages.find(|message| message.configuration().is_some_and(|usable| usable.is_complete()))
    }

    /// The first usable sequence header of the recorded audio track in `rest`.
    pub(crate) fn audio<'a>(&mut self, rest: &Reader<'a>) -> Option<AudioTagHeader<'a>> {
        if std::mem::replace(&mut self.audio_sought, true) {
            return None;
        }
        let messages = bodies(rest, TagKind::Audio).filter_map(|body| AudioTagHeader::parse(body).ok());
        let mut messages = messages.filter(|message| audio_codec(message).is_some());
        messages.find(|message| message.configuration().is_some_and(|usable| usable.is_complete()))
    }
}

/// The bodies of the coming tags of one kind, up to what cannot be read.
fn bodies<'a>(rest: &Reader<'a>, kind: TagKind) -> impl Iterator<Item = &'a [u8]> {
    let tags = rest.clone().map_while(Result::ok);
    tags.filter(move |tag| tag.kind == kind).map(|tag| tag.body)
}
