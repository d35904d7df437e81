//! What pushes are made of: codecs, frames and the times that their publishers count from.

use super::codecs::{self, Codec, Picture, Sound};
use super::frame::{self, Frame};
use super::slots::{Slot, Slots, Track};
use super::steps::Step;

/// A tag as it is pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// What it is of.
    pub track: Track,
    /// As the publisher counts, in 32 bits.
    pub timestamp_ms: u32,
    /// The body of the tag, or the payload of the message.
    pub body: Vec<u8>,
}

/// A frame as it is pushed. Times count from the push's begin, with pauses. Unit: ms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Which.
    pub frame: Frame,
    /// When it is decoded.
    pub decoded_ms: u64,
    /// When it is presented.
    pub presented_ms: u64,
    /// The publisher's clock has stepped, and that is no pause.
    pub is_stepped: bool,
    /// Whether the step before it is a pause is told by the next picture alone.
    pub is_open: bool,
}

/// What every container has to hold of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coded {
    /// What it is of.
    pub track: Track,
    /// Decoding can begin with it.
    pub is_key: bool,
    /// The NAL unit of a picture, or a frame of AAC.
    pub bytes: Vec<u8>,
}

/// When pictures come that are longer than a PES packet of sound may be, where some frames are long, and until when other
/// frames take several packets of a transport stream. Unit: ms after the push's begin.
const LARGEST_MS: [u64; 2] = [5_000, 15_000];
const LARGE_UNTIL_MS: u64 = 10_000;

/// Bytes of those, of other pictures, and of sound.
const LARGEST: usize = 70_000;
const LARGE: usize = 700;
const LARGE_SOUND: usize = 300;

/// What a clock may come to while something is recorded. Unit: ms.
const PASSED: [(u64, &str); 4] =
    [(1 << 24, "2^24 ms"), (1 << 31, "2^31 ms"), (1 << 32, "2^32 ms"), ((1 << 33) / 90, "26.5 h")];

/// What a push is made of: all of it stands in the mark that its frames are told apart by.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub(super) mark: u32,
    pub(super) codec: Codec,
    pub(super) origin_ms: u32,
    /// Its pictures, and sound that has pauses.
    pub(super) second: &'static [Slot],
    /// Sound that has none.
    pub(super) sound: Option<Sound>,
    pub(super) sound_from_ms: u64,
    pub(super) sound_to_ms: u64,
    pub(super) changed_ms: Option<u64>,
    pub(super) is_large: bool,
    pub(super) gop_ms: u64,
    pub(super) step: Option<Step>,
}

impl Shape {
    /// What its pictures are coded by.
    #[must_use]
    pub fn codec(self) -> Codec {
        self.codec
    }

    /// What its sound is coded by.
    #[must_use]
    pub fn sound(self) -> Sound {
        self.sound.unwrap_or(Sound::Aac)
    }

    /// Whether parameter sets are the later ones.
    #[must_use]
    pub fn is_changed(self, at_ms: u64) -> bool {
        self.changed_ms.is_some_and(|changed_ms| at_ms >= changed_ms)
    }

    /// Whether frames of a track come from one second up to another.
    #[must_use]
    pub fn has(self, track: Track, from_ms: u64, to_ms: u64) -> bool {
        self.slots(from_ms, to_ms).any(|(_, slot)| slot.track() == track)
    }

    /// From a keyframe to the next one. Unit: ms.
    #[must_use]
    pub fn gop_ms(self) -> u64 {
        self.gop_ms
    }

    /// Whether a keyframe comes at a moment.
    #[must_use]
    pub fn is_key(self, at_ms: u64) -> bool {
        at_ms.is_multiple_of(self.gop_ms)
    }

    /// What it has from one moment up to another that a recorder may stumble over.
    pub fn features(self, from_ms: u64, to_ms: u64) -> impl Iterator<Item = String> {
        let origin_ms = u64::from(self.origin_ms);
        let passes = move |at_ms: u64| (from_ms + origin_ms..to_ms + origin_ms).contains(&at_ms);
        let passed = PASSED.iter().filter(move |(at_ms, _)| passes(*at_ms));
        let is_there = |track| self.has(track, from_ms, to_ms);
        let codec = match self.codec {
            Codec::Avc => "pictures of AVC",
            Codec::Hevc => "pictures of HEVC",
        };
        let alone = match self.sound() {
            Sound::Aac | Sound::ShortAac => "sound of AAC alone",
            Sound::Mp3 => "sound of MP3 alone",
        };
        let (pictures, sound) = (is_there(Track::Video), is_there(Track::Audio));
        let both = pictures && sound;
        let ends = (from_ms..to_ms).contains(&self.sound_to_ms) || self.sound_to_ms == to_ms;
        let is_changed = self.changed_ms.is_some_and(|at_ms| (from_ms..to_ms).contains(&at_ms));
        let media = [
            (pictures, codec),
            (sound && !pictures, alone),
            (both, "sound, and pictures in another order"),
            (both && from_ms < self.sound_from_ms, "sound that comes late"),
            (both && ends, "sound that ends before the pictures"),
            (is_changed, "parameter sets that change"),
            (self.is_large && from_ms < LARGE_UNTIL_MS, "frames of several packets"),
            (
                self.is_large && LARGEST_MS.iter().any(|at_ms| (from_ms..to_ms).contains(at_ms)),
                "pictures of more than 64 KiB",
            ),
            (sound && self.sound() == Sound::ShortAac, "sound of several frames a PES packet"),
        ];
        let media = media.into_iter().filter(|(is_it, _)| *is_it).map(|(_, what)| what.to_owned());
        let step = self.step.filter(|step| (from_ms..to_ms).contains(&step.at_ms));
        let step =
            step.map(|step| step.name(self.first_from(step.at_ms).is_some_and(|at_ms| self.is_key(at_ms))));
        media.chain(passed.map(|(_, what)| format!("a publisher's clock that passes {what}"))).chain(step)
    }

    /// The tags that come before the frames of a second.
    #[must_use]
    pub fn headers(self, at_ms: u64) -> Vec<Tag> {
        let tag = |track, body| Tag { track, timestamp_ms: self.timestamp_ms(at_ms), body };
        let video = || codecs::video_header(self.codec, self.is_changed(at_ms));
        let video = self.has_pictures().then(|| tag(Track::Video, video()));
        let audio = codecs::audio_header(self.sound()).filter(|_| self.has_sound());
        video.into_iter().chain(audio.map(|header| tag(Track::Audio, header.to_vec()))).collect()
    }

    /// The tags from one second up to another, behind those headers.
    #[must_use]
    pub fn tags(self, from_ms: u64, to_ms: u64) -> Vec<Tag> {
        let frame = |(at_ms, slot): (u64, &Slot)| {
            let Coded { track, is_key, bytes } = self.coded_at(at_ms, slot);
            let body = match track {
                Track::Video => codecs::video_body(self.codec, is_key, slot.composition_ms, &bytes),
                Track::Audio => codecs::audio_body(self.sound(), &bytes),
            };
            Tag { track, timestamp_ms: self.timestamp_ms(at_ms), body }
        };
        let second = |at_ms: u64| {
            let headers = if self.changed_ms == Some(at_ms) { self.headers(at_ms) } else { Vec::new() };
            headers.into_iter().chain(self.slots(at_ms, at_ms + 1_000).map(frame))
        };
        (from_ms..to_ms).step_by(1_000).flat_map(second).collect()
    }

    /// A frame that is pushed.
    #[must_use]
    pub fn coded(self, at_ms: u64) -> Option<Coded> {
        let second_ms = at_ms / 1_000 * 1_000;
        let mut slots = self.slots(second_ms, second_ms + 1_000);
        slots.find(|(slot_ms, _)| *slot_ms == at_ms).map(|(_, slot)| self.coded_at(at_ms, slot))
    }

    fn coded_at(self, at_ms: u64, slot: &Slot) -> Coded {
        let is_key = slot.picture.is_none_or(|picture| picture == Picture::Key && self.is_key(at_ms));
        let mut bytes = match slot.picture {
            Some(Picture::Key) if !is_key => codecs::begin(self.codec, Picture::Reference),
            Some(picture) => codecs::begin(self.codec, picture),
            None => codecs::audio_begin(self.sound()).to_vec(),
        };
        frame::write((self.mark, at_ms), &mut bytes);
        if slot.picture.is_none() && self.sound() == Sound::Mp3 {
            bytes.resize(codecs::MP3_SIZE, 0);
        } else if self.is_large {
            let size = match slot.picture {
                Some(_) if LARGEST_MS.contains(&at_ms) => LARGEST,
                _ if at_ms >= LARGE_UNTIL_MS => 0,
                Some(_) => LARGE,
                None => LARGE_SOUND,
            };
            frame::enlarge(&mut bytes, size);
        }
        Coded { track: slot.track(), is_key, bytes }
    }

    /// Whether there is sound, now or later.
    #[must_use]
    pub fn has_sound(self) -> bool {
        self.sound.is_some() || self.second.iter().any(|slot| slot.track() == Track::Audio)
    }

    /// Whether there are pictures.
    #[must_use]
    pub fn has_pictures(self) -> bool {
        !self.second.is_empty()
    }

    /// The frames of a track from one second up to another, in decoding order.
    pub fn frames(self, track: Track, from_ms: u64, to_ms: u64) -> impl Iterator<Item = Pushed> {
        let of_track = self.slots(from_ms, to_ms).filter(move |(_, slot)| slot.track() == track);
        of_track.map(move |(at_ms, slot)| {
            let decoded_ms = self.due_ms(at_ms);
            Pushed {
                frame: (self.mark, at_ms),
                decoded_ms,
                presented_ms: decoded_ms + u64::from(slot.composition_ms),
                is_stepped: self.step.is_some_and(|step| step.kept_ms() == 0 && at_ms >= step.at_ms),
                is_open: self.is_open(at_ms, slot),
            }
        })
    }

    /// When what comes at a moment is due in a recording: then, or after a pause. Unit: ms.
    #[must_use]
    pub fn due_ms(self, at_ms: u64) -> u64 {
        at_ms + self.step.filter(|step| at_ms >= step.at_ms).map_or(0, Step::kept_ms)
    }

    /// Sound after a pause of which no picture tells before the next keyframe.
    fn is_open(self, at_ms: u64, slot: &Slot) -> bool {
        let Some(step) = self.step.filter(|step| step.kept_ms() > 0 && at_ms >= step.at_ms) else {
            return false;
        };
        let next_ms = step.at_ms.next_multiple_of(1_000);
        let has_picture = || {
            self.slots(next_ms - 1_000, next_ms)
                .any(|(at_ms, slot)| at_ms >= step.at_ms && slot.picture.is_some())
        };
        slot.picture.is_none()
            && self.has_pictures()
            && at_ms < next_ms
            && self.is_key(next_ms)
            && !has_picture()
    }

    /// When the first frame comes from a moment on.
    fn first_from(self, at_ms: u64) -> Option<u64> {
        let second_ms = at_ms / 1_000 * 1_000;
        let mut slots = self.slots(second_ms, second_ms + 2_000);
        slots.find(|(slot_ms, _)| *slot_ms >= at_ms).map(|(slot_ms, _)| slot_ms)
    }

    fn slots(self, from_ms: u64, to_ms: u64) -> impl Iterator<Item = (u64, &'static Slot)> {
        let slots = Slots::new(self.second, self.sound.map(Sound::frame_ms), (from_ms, to_ms));
        let sounds = self.sound_from_ms..self.sound_to_ms;
        slots.filter(move |(at_ms, slot)| slot.picture.is_some() || sounds.contains(at_ms))
    }

    fn timestamp_ms(self, at_ms: u64) -> u32 {
        match self.step {
            Some(step) => step.timestamp_ms(self.origin_ms, at_ms),
            None => self.origin_ms.wrapping_add(at_ms as u32),
        }
    }
}
