//! What pushes are made of: codecs, frames and the times that their publishers count from.

use super::another::{ANOTHER_MS, Another};
use super::codecs::{self, Codec, Picture, Sets, Sound};
use super::frame;
use super::pushed::{Coded, Pushed, Tag};
use super::quirk::Quirk;
use super::slots::{Slot, Slots, Track};
use super::steps::Step;

/// When pictures come that are longer than a PES packet of sound may be, where some frames are long, and until when other
/// frames take several packets of a transport stream. Unit: ms after the push's begin.
pub(super) const LARGEST_MS: [u64; 2] = [5_000, 15_000];
pub(super) const LARGE_UNTIL_MS: u64 = 10_000;

/// Bytes of those, of other pictures, and of sound.
const LARGEST: usize = 70_000;
const LARGE: usize = 700;
const LARGE_SOUND: usize = 300;

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
    pub(super) pictures_to_ms: u64,
    pub(super) apart_ms: u32,
    pub(super) changed_ms: Option<u64>,
    pub(super) another: Option<Another>,
    pub(super) quirk: Option<Quirk>,
    pub(super) is_large: bool,
    pub(super) gop_ms: u64,
    pub(super) step: Option<Step>,
}

impl Shape {
    /// What its pictures are coded by at a moment.
    #[must_use]
    pub fn codec(self, at_ms: u64) -> Codec {
        self.another_at(at_ms).map_or(self.codec, |another| another.codec(self.codec))
    }

    /// What its sound is coded by at a moment.
    #[must_use]
    pub fn sound(self, at_ms: u64) -> Sound {
        let sound = self.sound.unwrap_or(Sound::Aac);
        self.another_at(at_ms).map_or(sound, |another| another.sound(sound))
    }

    /// The parameter sets that hold at a moment.
    #[must_use]
    pub fn sets(self, at_ms: u64) -> Sets {
        if self.another_at(at_ms) == Some(Another::Size) {
            Sets::Smaller
        } else if self.changed_ms.is_some_and(|changed_ms| at_ms >= changed_ms) {
            Sets::Later
        } else {
            Sets::First
        }
    }

    /// Whether a track becomes another one at a moment, so that its chunk ends.
    #[must_use]
    pub fn becomes_another(self, at_ms: u64) -> bool {
        self.another.is_some() && at_ms == ANOTHER_MS
    }

    fn another_at(self, at_ms: u64) -> Option<Another> {
        self.another.filter(|_| at_ms >= ANOTHER_MS)
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

    /// Whether decoding can begin at a moment: with a keyframe, or with sound where pictures have ended.
    #[must_use]
    pub fn is_key(self, at_ms: u64) -> bool {
        at_ms.is_multiple_of(self.gop_ms) || at_ms >= self.pictures_to_ms
    }

    /// The tags that come before the frames of a second.
    #[must_use]
    pub fn headers(self, at_ms: u64) -> Vec<Tag> {
        let tag = |track, body| Tag { track, timestamp_ms: self.stamp_ms(track, at_ms), body };
        let sets = if self.has_sets_in_stream(at_ms) { Vec::new() } else { self.parameter_sets(at_ms) };
        let video = || codecs::video_header(self.codec(at_ms), &sets);
        let video = self.has_pictures().then(|| tag(Track::Video, video()));
        let audio = codecs::audio_header(self.sound(at_ms));
        let audio = audio.filter(|_| self.has_sound() && self.quirk != Some(Quirk::Adts));
        video.into_iter().chain(audio.map(|header| tag(Track::Audio, header.to_vec()))).collect()
    }

    fn empty_headers(self, at_ms: u64) -> Vec<Tag> {
        let tag = |track, body| Tag { track, timestamp_ms: self.stamp_ms(track, at_ms), body };
        let video =
            self.has_pictures().then(|| tag(Track::Video, codecs::empty_video_header(self.codec(at_ms))));
        let audio = self.has_sound().then(|| tag(Track::Audio, codecs::EMPTY_AUDIO_HEADER.to_vec()));
        video.into_iter().chain(audio).collect()
    }

    pub(super) fn has_sets_in_stream(self, at_ms: u64) -> bool {
        self.quirk == Some(Quirk::SetsInStream) && self.codec(at_ms) == Codec::Avc
    }

    fn parameter_sets(self, at_ms: u64) -> Vec<&'static [u8]> {
        codecs::parameter_sets(self.codec(at_ms), self.sets(at_ms))
    }

    /// The tags from one second up to another, behind those headers.
    #[must_use]
    pub fn tags(self, from_ms: u64, to_ms: u64) -> Vec<Tag> {
        let frame = |(at_ms, slot): (u64, &Slot)| {
            let Coded { track, is_key, bytes } = self.coded_at(at_ms, slot);
            let body = match track {
                Track::Video => {
                    let has_sets = is_key && self.has_sets_in_stream(at_ms);
                    let mut units = if has_sets { self.parameter_sets(at_ms) } else { Vec::new() };
                    units.push(&bytes);
                    codecs::video_body(self.codec(at_ms), is_key, slot.composition_ms, &units, self.quirk)
                }
                Track::Audio => codecs::audio_body(self.sound(at_ms), &bytes, self.quirk),
            };
            Tag { track, timestamp_ms: self.stamp_ms(track, at_ms), body }
        };
        let second = |at_ms: u64| {
            let is_changed = self.changed_ms == Some(at_ms) || self.becomes_another(at_ms);
            let headers = match self.quirk {
                _ if is_changed => self.headers(at_ms),
                Some(Quirk::EmptyHeaders) if self.is_key(at_ms) => self.empty_headers(at_ms),
                _ => Vec::new(),
            };
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
            Some(Picture::Key) if !is_key => codecs::begin(self.codec(at_ms), Picture::Reference),
            Some(picture) => codecs::begin(self.codec(at_ms), picture),
            None => codecs::audio_begin(self.sound(at_ms)).to_vec(),
        };
        frame::write((self.mark, at_ms), &mut bytes);
        if slot.picture.is_none() && self.sound(at_ms) == Sound::Mp3 {
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
                is_apart: self.has_clocks_apart() && slot.picture.is_none(),
                pace_ms: if self.second.len() == 1 { 1_000 } else { 600 },
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

    /// Whether sound is stamped by another clock than the pictures.
    #[must_use]
    pub fn has_clocks_apart(self) -> bool {
        self.apart_ms > 0
    }

    /// When the first frame comes from a moment on.
    pub(super) fn first_from(self, at_ms: u64) -> Option<u64> {
        let second_ms = at_ms / 1_000 * 1_000;
        let mut slots = self.slots(second_ms, second_ms + 2_000);
        slots.find(|(slot_ms, _)| *slot_ms >= at_ms).map(|(slot_ms, _)| slot_ms)
    }

    /// Frames of sound last for another time where sound has become another: they are counted out in two parts.
    fn slots(self, from_ms: u64, to_ms: u64) -> impl Iterator<Item = (u64, &'static Slot)> {
        let slots = move |from_ms: u64, to_ms: u64| {
            let frame_ms = self.sound.map(|_| self.sound(from_ms).frame_ms());
            Slots::new(self.second, frame_ms, (from_ms, to_ms))
        };
        let parts_ms = if self.another.is_some() { ANOTHER_MS.clamp(from_ms, to_ms) } else { to_ms };
        let sounds = self.sound_from_ms..self.sound_to_ms;
        let is_there = move |(at_ms, slot): &(u64, &Slot)| {
            (if slot.picture.is_some() { *at_ms < self.pictures_to_ms } else { sounds.contains(at_ms) })
                && self.another.is_none_or(|another| another.has(slot.track(), *at_ms))
        };
        slots(from_ms, parts_ms).chain(slots(parts_ms, to_ms)).filter(is_there)
    }

    fn stamp_ms(self, track: Track, at_ms: u64) -> u32 {
        let origin_ms = self.origin_ms.wrapping_add(if track == Track::Audio { self.apart_ms } else { 0 });
        match self.step {
            Some(step) => step.timestamp_ms(origin_ms, at_ms),
            None => origin_ms.wrapping_add(at_ms as u32),
        }
    }
}
