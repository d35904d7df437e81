//! What is known of the tracks of a push.

use super::Recorder;
use crate::{cut::Track, headers::Codec, spool::Codecs};

/// The codecs of a push, and which track needs another chunk.
#[derive(Debug, Default)]
pub(super) struct Tracks {
    video: State,
    audio: State,
    codecs: Codecs,
    unusable: u64,
}

#[derive(Debug, Default)]
struct State {
    codec: Option<Codec>,
    /// Whether its next frame needs another chunk than its last one.
    is_changed: bool,
}

impl Tracks {
    /// Takes the codec of a frame or a header; `true` if it is not the one before.
    pub(super) fn take_codec(&mut self, track: Track, codec: Codec) -> bool {
        let is_other = self.state(track).codec.replace(codec) != Some(codec);
        if is_other {
            match track {
                Track::Video => self.codecs.video = codec.name(),
                Track::Audio => self.codecs.audio = codec.name(),
            }
        }
        is_other
    }

    pub(super) fn set_video_kbps(&mut self, kbps: u32) {
        self.codecs.video_kbps = kbps;
    }

    /// The codecs, and whether both are known.
    pub(super) fn codecs(&self) -> (&Codecs, bool) {
        (&self.codecs, self.video.codec.is_some() && self.audio.codec.is_some())
    }

    /// Whether the track's next frame needs another chunk.
    pub(super) fn is_changed(&mut self, track: Track) -> bool {
        self.state(track).is_changed
    }

    /// A chunk began, with the headers that hold now.
    pub(super) fn begin(&mut self) {
        self.video.is_changed = false;
        self.audio.is_changed = false;
    }

    /// Counts a configuration that cannot be used.
    pub(super) fn count_unusable(&mut self) -> u64 {
        self.unusable += 1;
        self.unusable
    }

    fn state(&mut self, track: Track) -> &mut State {
        match track {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        }
    }
}

impl Recorder {
    /// The codec or the configuration of a track changes before its next frame: whether that needs another chunk. It does
    /// where the open one has frames of before, so that players are told of the change. Where chunks would end too often
    /// for that, the remuxer follows the change within the chunk.
    pub(super) fn change(&mut self, track: Track) -> bool {
        if self.open.is_none() || !self.cutter.has(track) {
            return false;
        }
        let needs_chunk = self.tracks.is_changed(track) || self.cutter.may_end(true);
        self.tracks.state(track).is_changed = needs_chunk;
        if !needs_chunk {
            // A chunk that began there would have the headers of after the change before frames of before it.
            self.entry = None;
        }
        needs_chunk
    }
}
