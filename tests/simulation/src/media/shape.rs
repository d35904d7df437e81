//! What pushes are made of: codecs, frames and the times that their publishers count from.

use super::codecs::{self, Codec, Picture};
use super::frame::{self, Frame};
use super::slots::{MANY, ONE, PICTURES, Slot, Slots, Track};
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

/// What publishers' first frames are at: 0; shortly before 24, 31 and 32 bits are full; and before 26.5 h, where
/// the same on a transport stream's clock would fill 33 bits. Unit: ms.
const ORIGINS_MS: [u32; 8] = [
    0,
    16_777_000,
    (1 << 24) - 20_000,
    (1 << 31) - 2_000,
    u32::MAX - 999,
    u32::MAX - 30_000,
    95_440_000,
    95_400_000,
];

/// What a clock may come to while something is recorded. Unit: ms.
const PASSED: [(u64, &str); 4] =
    [(1 << 24, "2^24 ms"), (1 << 31, "2^31 ms"), (1 << 32, "2^32 ms"), ((1 << 33) / 90, "26.5 h")];

/// Pictures are of HEVC, where the bit is set in a push's mark.
const IS_HEVC: u32 = 1 << 2;

/// A second has more than a picture.
const HAS_MANY: u32 = 1 << 3;

/// Where there is sound, it comes from [`LATE_MS`] on.
const SOUNDS_LATE: u32 = 1 << 4;

/// Parameter sets are others from [`CHANGED_MS`] on.
const CHANGES: u32 = 1 << 5;

/// Keyframes are [`LONG_GOP_MS`] apart where both bits are set: orders take long to hold then, and less can be judged of them.
const HAS_LONG_GOPS: u32 = 3 << 6;

/// Which of [`ORIGINS_MS`] times are counted from.
const ORIGIN: u32 = 7 << ORIGIN_AT;
const ORIGIN_AT: u32 = 8;

/// Something is odd where all bits are set.
const IS_ODD: u32 = 3 << 14;

/// What is odd, and how.
const KIND: u32 = 7 << KIND_AT;
const KIND_AT: u32 = 11;
const STEPS_AHEAD: u32 = 0;
const STEPS_BACK: u32 = 1;
const HOW_AT: u32 = 16;

/// How long a frame of sound lasts where it has no pauses: 1,024 samples at 8 kHz. Unit: ms.
const SOUND_FRAME_MS: u64 = 128;

/// When late sound begins. Unit: ms after the push's begin.
const LATE_MS: u64 = 8_000;

/// From a keyframe to the next one: longer than chunks are, where nothing else is said. Unit: ms.
const LONG_GOP_MS: u64 = 15_000;

/// When parameter sets change. Unit: ms after the push's begin.
const CHANGED_MS: u64 = 12_000;

/// What a push is made of: all of it stands in the mark that its frames are told apart by.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    mark: u32,
    codec: Codec,
    origin_ms: u32,
    second: &'static [Slot],
    /// How long a frame of sound lasts that has no pauses.
    sound_frame_ms: Option<u64>,
    sound_from_ms: u64,
    changed_ms: Option<u64>,
    gop_ms: u64,
    step: Option<Step>,
}

impl Shape {
    /// The bits of a mark that say whether something is odd, and what.
    pub(crate) const ODD: u32 = IS_ODD | KIND | 0xffff << HOW_AT;

    /// What the mark of a push says. The mark 0 is one picture of AVC a second, each a keyframe, from 0 on.
    #[must_use]
    pub fn of(mark: u32) -> Self {
        let kind = (mark & IS_ODD == IS_ODD).then_some((mark & KIND) >> KIND_AT);
        let has_many = mark & HAS_MANY != 0;
        Self {
            mark,
            codec: if mark & IS_HEVC == 0 { Codec::Avc } else { Codec::Hevc },
            origin_ms: ORIGINS_MS[((mark & ORIGIN) >> ORIGIN_AT) as usize],
            second: match kind {
                _ if !has_many => &ONE,
                None => &MANY,
                Some(_) => &PICTURES,
            },
            sound_frame_ms: (has_many && kind.is_some()).then_some(SOUND_FRAME_MS),
            sound_from_ms: if mark & SOUNDS_LATE == 0 { 0 } else { LATE_MS },
            changed_ms: (mark & CHANGES != 0).then_some(CHANGED_MS),
            gop_ms: if mark & HAS_LONG_GOPS == HAS_LONG_GOPS { LONG_GOP_MS } else { 1_000 },
            step: match kind {
                Some(kind @ (STEPS_AHEAD | STEPS_BACK)) => {
                    Some(Step::of(kind == STEPS_AHEAD, mark >> HOW_AT))
                }
                _ => None,
            },
        }
    }

    /// The mark of a push that is made as that of the mark 0 is.
    #[must_use]
    pub fn plainest(mark: u32) -> u32 {
        mark & !(IS_HEVC | HAS_MANY | SOUNDS_LATE | CHANGES | HAS_LONG_GOPS | ORIGIN | IS_ODD)
    }

    /// The mark of a push that has one picture a second, each of which is a keyframe.
    #[must_use]
    pub fn of_keyframes(mark: u32) -> u32 {
        mark & !(HAS_MANY | HAS_LONG_GOPS)
    }

    /// What its pictures are coded by.
    #[must_use]
    pub fn codec(self) -> Codec {
        self.codec
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
        let codec = match self.codec {
            Codec::Avc => "pictures of AVC",
            Codec::Hevc => "pictures of HEVC",
        };
        let sound = self.has(Track::Audio, from_ms, to_ms);
        let sound = sound.then_some("sound, and pictures in another order");
        let late = (sound.is_some() && from_ms < self.sound_from_ms).then_some("sound that comes late");
        let is_changed = self.changed_ms.is_some_and(|at_ms| (from_ms..to_ms).contains(&at_ms));
        let changed = is_changed.then_some("parameter sets that change");
        let media = [Some(codec), sound, late, changed].into_iter().flatten().map(str::to_owned);
        let step = self.step.filter(|step| (from_ms..to_ms).contains(&step.at_ms));
        let step =
            step.map(|step| step.name(self.first_from(step.at_ms).is_some_and(|at_ms| self.is_key(at_ms))));
        media.chain(passed.map(|(_, what)| format!("a publisher's clock that passes {what}"))).chain(step)
    }

    /// The tags that come before the frames of a second.
    #[must_use]
    pub fn headers(self, at_ms: u64) -> Vec<Tag> {
        let tag = |track, body| Tag { track, timestamp_ms: self.timestamp_ms(at_ms), body };
        let video = codecs::video_header(self.codec, self.is_changed(at_ms));
        let mut tags = vec![tag(Track::Video, video)];
        if self.has_sound() {
            tags.push(tag(Track::Audio, codecs::AUDIO_HEADER.to_vec()));
        }
        tags
    }

    /// The tags from one second up to another, behind those headers.
    #[must_use]
    pub fn tags(self, from_ms: u64, to_ms: u64) -> Vec<Tag> {
        let frame = |(at_ms, slot): (u64, &Slot)| {
            let Coded { track, is_key, bytes } = self.coded_at(at_ms, slot);
            let body = match track {
                Track::Video => codecs::video_body(self.codec, is_key, slot.composition_ms, &bytes),
                Track::Audio => codecs::audio_body(&bytes),
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
            None => codecs::AUDIO_BEGIN.to_vec(),
        };
        frame::write((self.mark, at_ms), &mut bytes);
        Coded { track: slot.track(), is_key, bytes }
    }

    /// Whether there is sound, now or later.
    #[must_use]
    pub fn has_sound(self) -> bool {
        self.sound_frame_ms.is_some() || self.second.iter().any(|slot| slot.track() == Track::Audio)
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
        slot.picture.is_none() && at_ms < next_ms && self.is_key(next_ms) && !has_picture()
    }

    /// When the first frame comes from a moment on.
    fn first_from(self, at_ms: u64) -> Option<u64> {
        let second_ms = at_ms / 1_000 * 1_000;
        let mut slots = self.slots(second_ms, second_ms + 2_000);
        slots.find(|(slot_ms, _)| *slot_ms >= at_ms).map(|(slot_ms, _)| slot_ms)
    }

    fn slots(self, from_ms: u64, to_ms: u64) -> impl Iterator<Item = (u64, &'static Slot)> {
        let slots = Slots::new(self.second, self.sound_frame_ms, (from_ms, to_ms));
        slots.filter(move |(at_ms, slot)| slot.picture.is_some() || *at_ms >= self.sound_from_ms)
    }

    fn timestamp_ms(self, at_ms: u64) -> u32 {
        match self.step {
            Some(step) => step.timestamp_ms(self.origin_ms, at_ms),
            None => self.origin_ms.wrapping_add(at_ms as u32),
        }
    }
}
