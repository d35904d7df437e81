//! What pushes are made of: codecs, frames and the times that their publishers count from.

use super::frame::{self, Frame};

/// A track of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Track {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

impl Track {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Video, Self::Audio];
}

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

/// A frame and its presentation time after its push's begin. Unit: ms.
pub type Timed = (Frame, u64);

/// What a picture needs to be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Picture {
    /// Nothing.
    Key,
    /// Pictures before it, and others need it.
    Reference,
    /// Pictures on both sides of it, and none needs it.
    NonReference,
}

/// A frame of each second.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Its decoding time in the second. Unit: ms.
    after_ms: u64,
    /// Its presentation time less its decoding time. Unit: ms.
    composition_ms: u32,
    /// None: sound.
    picture: Option<Picture>,
}

/// One picture a second.
const ONE: [Place; 1] = [Place { after_ms: 0, composition_ms: 0, picture: Some(Picture::Key) }];

/// Three pictures a second, one of which is shown before the one that it needs, and sound between them.
const MANY: [Place; 5] = [
    Place { after_ms: 0, composition_ms: 100, picture: Some(Picture::Key) },
    Place { after_ms: 150, composition_ms: 0, picture: None },
    Place { after_ms: 300, composition_ms: 600, picture: Some(Picture::Reference) },
    Place { after_ms: 600, composition_ms: 0, picture: Some(Picture::NonReference) },
    Place { after_ms: 700, composition_ms: 0, picture: None },
];

/// What publishers' first frames are at: 0; shortly before 24, 31 and 32 bits are full; and before the 33 bits of a transport
/// stream's clock of 90 kHz would be. Unit: ms.
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
    [(1 << 24, "2^24 ms"), (1 << 31, "2^31 ms"), (1 << 32, "2^32 ms"), ((1 << 33) / 90, "2^33 / 90 kHz")];

/// `avcC` of a baseline stream of 64 by 64 samples (14496-15 §5.3.3.1.2), up to its PPS.
const AVC: [u8; 21] = [
    1, 0x42, 0xc0, 0x0a, 0xff, 0xe1, 0, 10, // one SPS of 10 bytes
    0x67, 0x42, 0xc0, 0x0a, 0xda, 0x11, 0x1a, 0x10, 0x10, 0x08, // SPS
    1, 0, 5, // one PPS of 5 bytes
];

/// The PPS of a stream, and the one that comes later.
const AVC_PPS: [[u8; 5]; 2] = [[0x68, 0xce, 0x0f, 0x2c, 0x80], [0x68, 0xce, 0x0f, 0x2c, 0x88]];

/// `hvcC` without its parameter sets (14496-15 §8.3.3.1.2): lengths of four bytes, three arrays.
const HEVC: [u8; 23] =
    [1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 0x3c, 0xf0, 0, 0xfc, 0xfd, 0xf8, 0xf8, 0, 0, 0x0f, 3];

/// VPS and SPS of a stream of 320 by 180 samples in the Main profile.
const HEVC_SETS: [&[u8]; 2] = [
    &[0x40, 0x01, 0x0c],
    &[
        0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00,
        0x3c, 0xa0, 0x0a, 0x08, 0x0b, 0x9f, 0x79, 0x65, 0x66, 0x92, 0x4c, 0xaf, 0x01, 0x68, 0x08, 0x00, 0x00,
        0x03, 0x00, 0x08, 0x00, 0x00, 0x03, 0x00, 0xc8, 0x40,
    ],
];

/// The PPS of a stream, and the one that comes later.
const HEVC_PPS: [[u8; 3]; 2] = [[0x44, 0x01, 0xc0], [0x44, 0x01, 0xc1]];

/// Pictures are of HEVC, where the bit is set in what a push's frames are told apart by.
const IS_HEVC: u32 = 1 << 2;

/// A second has more than a picture.
const HAS_MANY: u32 = 1 << 3;

/// Where there is sound, it comes from [`LATE_MS`] on.
const SOUNDS_LATE: u32 = 1 << 4;

/// Parameter sets are others from [`CHANGED_MS`] on.
const CHANGES: u32 = 1 << 5;

/// Keyframes are [`LONG_GOP_MS`] apart.
const HAS_LONG_GOPS: u32 = 1 << 6;

/// Which of [`ORIGINS_MS`] times are counted from.
const ORIGIN: u32 = 7 << ORIGIN_AT;
const ORIGIN_AT: u32 = 8;

/// Unit: ms after the push's begin.
const LATE_MS: u64 = 8_000;

/// From a keyframe to the next one: longer than chunks are, where nothing else is said. Unit: ms.
const LONG_GOP_MS: u64 = 15_000;

/// Unit: ms after the push's begin.
const CHANGED_MS: u64 = 12_000;

/// What a push is made of.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    push: u32,
    is_hevc: bool,
    origin_ms: u32,
    second: &'static [Place],
    sound_from_ms: u64,
    changed_ms: Option<u64>,
    gop_ms: u64,
}

impl Shape {
    /// What the frames' push says: that of the push 0 is one picture of AVC a second, from 0 on.
    #[must_use]
    pub fn of(push: u32) -> Self {
        Self {
            push,
            is_hevc: push & IS_HEVC != 0,
            origin_ms: ORIGINS_MS[((push & ORIGIN) >> ORIGIN_AT) as usize],
            second: if push & HAS_MANY == 0 { &ONE } else { &MANY },
            sound_from_ms: if push & SOUNDS_LATE == 0 { 0 } else { LATE_MS },
            changed_ms: (push & CHANGES != 0).then_some(CHANGED_MS),
            gop_ms: if push & HAS_LONG_GOPS == 0 { 1_000 } else { LONG_GOP_MS },
        }
    }

    /// The name of a push that is made as the push 0 is.
    #[must_use]
    pub fn as_the_least(push: u32) -> u32 {
        push & !(IS_HEVC | HAS_MANY | SOUNDS_LATE | CHANGES | HAS_LONG_GOPS | ORIGIN)
    }

    /// The name of a push that has one picture a second, each of which is a keyframe.
    #[must_use]
    pub fn of_keyframes(push: u32) -> u32 {
        push & !(HAS_MANY | HAS_LONG_GOPS)
    }

    /// Whether its pictures are of HEVC, and not of AVC.
    #[must_use]
    pub fn is_hevc(self) -> bool {
        self.is_hevc
    }

    /// Whether frames of a track come from one second up to another.
    #[must_use]
    pub fn has(self, track: Track, from_ms: u64, to_ms: u64) -> bool {
        self.places(from_ms, to_ms).any(|(_, place)| place.track() == track)
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

    /// What recording it from one moment up to another has tried.
    pub fn tries(self, from_ms: u64, to_ms: u64) -> impl Iterator<Item = String> {
        let origin_ms = u64::from(self.origin_ms);
        let passes = move |at_ms: u64| (from_ms + origin_ms..to_ms + origin_ms).contains(&at_ms);
        let passed = PASSED.iter().filter(move |(at_ms, _)| passes(*at_ms));
        let codec = if self.is_hevc { "pictures of HEVC" } else { "pictures of AVC" };
        let sound = self.has(Track::Audio, from_ms, to_ms);
        let sound = sound.then_some("sound, and pictures in another order");
        let late = (sound.is_some() && from_ms < self.sound_from_ms).then_some("sound that comes late");
        let is_changed = self.changed_ms.is_some_and(|at_ms| (from_ms + 1..to_ms).contains(&at_ms));
        let changed = is_changed.then_some("parameter sets that change");
        let media = [Some(codec), sound, late, changed].into_iter().flatten().map(str::to_owned);
        media.chain(passed.map(|(_, what)| format!("a publisher's clock that passes {what}")))
    }

    /// The parameter set that pictures at a moment need, of those that change.
    #[must_use]
    pub fn parameter_set(self, at_ms: u64) -> &'static [u8] {
        let at = usize::from(self.changed_ms.is_some_and(|changed_ms| at_ms >= changed_ms));
        if self.is_hevc { &HEVC_PPS[at] } else { &AVC_PPS[at] }
    }

    /// The tags that come before the frames of a second.
    #[must_use]
    pub fn headers(self, at_ms: u64) -> Vec<Tag> {
        let tag = |track, body| Tag { track, timestamp_ms: self.timestamp_ms(at_ms), body };
        let mut tags = vec![tag(Track::Video, self.video_header(at_ms))];
        if self.has_sound() {
            // AAC; AudioSpecificConfig (14496-3 §1.6.2.1): AAC-LC, 8 kHz, one channel.
            tags.push(tag(Track::Audio, vec![0xaf, 0, 0x15, 0x88]));
        }
        tags
    }

    /// The tags from one second up to another, behind those headers.
    #[must_use]
    pub fn tags(self, from_ms: u64, to_ms: u64) -> Vec<Tag> {
        let frame = |(at_ms, place): (u64, &Place)| Tag {
            track: place.track(),
            timestamp_ms: self.timestamp_ms(at_ms),
            body: match place.picture {
                Some(Picture::Key) if !self.is_key(at_ms) => {
                    self.video(Picture::Reference, place.composition_ms, at_ms)
                }
                Some(picture) => self.video(picture, place.composition_ms, at_ms),
                None => self.audio(at_ms),
            },
        };
        let second = |at_ms: u64| {
            let headers = if self.changed_ms == Some(at_ms) { self.headers(at_ms) } else { Vec::new() };
            headers.into_iter().chain(self.places(at_ms, at_ms + 1_000).map(frame))
        };
        (from_ms..to_ms).step_by(1_000).flat_map(second).collect()
    }

    /// Whether there is sound, now or later.
    #[must_use]
    pub fn has_sound(self) -> bool {
        self.second.iter().any(|place| place.track() == Track::Audio)
    }

    /// The frames of a track from one second up to another, in decoding order.
    #[must_use]
    pub fn frames(self, track: Track, from_ms: u64, to_ms: u64) -> Vec<Timed> {
        let of_track = self.places(from_ms, to_ms).filter(|(_, place)| place.track() == track);
        of_track.map(|(at_ms, place)| ((self.push, at_ms), at_ms + u64::from(place.composition_ms))).collect()
    }

    fn places(self, from_ms: u64, to_ms: u64) -> impl Iterator<Item = (u64, &'static Place)> {
        let seconds = (from_ms..to_ms).step_by(1_000);
        let places = seconds
            .flat_map(move |at_ms| self.second.iter().map(move |place| (at_ms + place.after_ms, place)));
        places.filter(move |(at_ms, place)| place.picture.is_some() || *at_ms >= self.sound_from_ms)
    }

    fn timestamp_ms(self, at_ms: u64) -> u32 {
        self.origin_ms.wrapping_add(at_ms as u32)
    }

    fn video_header(self, at_ms: u64) -> Vec<u8> {
        let last_set = self.parameter_set(at_ms);
        if !self.is_hevc {
            return [&[0x17, 0, 0, 0, 0][..], &AVC, last_set].concat();
        }
        let mut body = [&[0x90][..], b"hvc1", &HEVC].concat();
        for set in HEVC_SETS.into_iter().chain([last_set]) {
            body.extend([0x80 | set[0] >> 1, 0, 1, 0, set.len() as u8]);
            body.extend(set);
        }
        body
    }

    fn video(self, picture: Picture, composition_ms: u32, at_ms: u64) -> Vec<u8> {
        // IDR and non-IDR slices (14496-10 table 7-1), or IDR_W_RADL, TRAIL_R and TRAIL_N (23008-2 table 7-1).
        let mut unit: Vec<u8> = match (self.is_hevc, picture) {
            (false, Picture::Key) => vec![0x65],
            (false, Picture::Reference) => vec![0x41, 0xe0],
            (false, Picture::NonReference) => vec![0x01, 0xa8],
            (true, Picture::Key) => vec![0x26, 1],
            (true, Picture::Reference) => vec![0x02, 1],
            (true, Picture::NonReference) => vec![0x00, 1],
        };
        frame::write((self.push, at_ms), &mut unit);
        let frame_type = if picture == Picture::Key { 1 } else { 2 };
        let mut body = if self.is_hevc {
            // Enhanced RTMP: coded frames with a composition time.
            [&[0x81 | frame_type << 4][..], b"hvc1"].concat()
        } else {
            vec![frame_type << 4 | 7, 1]
        };
        body.extend(&composition_ms.to_be_bytes()[1..]);
        body.extend((unit.len() as u32).to_be_bytes());
        body.extend(unit);
        body
    }

    fn audio(self, at_ms: u64) -> Vec<u8> {
        let mut body = vec![0xaf, 1, 0x21];
        frame::write((self.push, at_ms), &mut body);
        body
    }
}

impl Place {
    fn track(&self) -> Track {
        if self.picture.is_some() { Track::Video } else { Track::Audio }
    }
}

/// Checks that a picture is found behind the parameter set that it needs, or with it.
///
/// # Errors
/// What is there instead, in words.
pub fn check_parameters(frame: Frame, there: &[u8]) -> Result<(), String> {
    let needed = Shape::of(frame.0).parameter_set(frame.1);
    let is_there = memchr::memmem::find(there, needed).is_some();
    is_there.then_some(()).ok_or_else(|| format!("{frame:?} needs {needed:02x?} and has {there:02x?}"))
}

/// Whether a frame is of a track.
pub(super) fn is_of(track: Track, (_, at_ms): Frame) -> bool {
    let of_sound = MANY.iter().filter(|place| place.picture.is_none());
    let is_sound = of_sound.map(|place| place.after_ms).any(|after_ms| after_ms == at_ms % 1_000);
    is_sound == (track == Track::Audio)
}
