//! What the mark of a push says: all that the push is made of.

use super::another::Another;
use super::codecs::{Codec, Sound};
use super::quirk::Quirk;
use super::shape::Shape;
use super::slots::{MANY, NONE, ONE, PICTURES, Track};
use super::steps::Step;

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

/// These are [`LONGEST_GOP_MS`].
const HAS_LONGEST_GOPS: u32 = 1 << 31;

/// Which of [`ORIGINS_MS`] times are counted from.
const ORIGIN: u32 = 7 << ORIGIN_AT;
const ORIGIN_AT: u32 = 8;

/// Something is odd where all bits are set.
const IS_ODD: u32 = 3 << 14;

/// What is odd, and how.
const KIND: u32 = 7 << KIND_AT;
const KIND_AT: u32 = 11;
const HOW_AT: u32 = 16;

/// When late sound begins. Unit: ms after the push's begin.
const LATE_MS: u64 = 8_000;

/// From a keyframe to the next one: longer than chunks are, where nothing else is said. Unit: ms.
const LONG_GOP_MS: u64 = 15_000;

/// The same where chunks are longer than that. Unit: ms.
const LONGEST_GOP_MS: u64 = 150_000;

/// When parameter sets change. Unit: ms after the push's begin.
const CHANGED_MS: u64 = 12_000;

/// When a track ends before the other one, after the push's begin: between chunks, or within one. Unit: ms.
const ENDS_MS: [u64; 2] = [20_000, 18_500];

/// How far the clock of sound is ahead of that of the pictures: seconds, or days. Unit: ms.
const APART_MS: [u32; 2] = [3_500, 21 * 86_400_000];

/// What is odd about a push.
#[derive(Clone, Copy, Debug)]
enum Odd {
    /// Its clock steps.
    Step(Step),
    /// It has sound and nothing else.
    SoundAlone(Sound, Option<Step>),
    /// A track ends before the other one.
    Ends(Track, u64),
    /// Its sound is stamped by another clock than its pictures.
    Apart(u32),
    /// Some of its frames are long.
    Large,
    /// Its sound has no pauses, and frames so short that several go together.
    Short,
    /// A track becomes another one.
    Another(Another),
    /// Its pictures are of MPEG-4.
    Mpeg4,
    /// Its encoder has a habit.
    Quirk(Quirk),
}

impl Odd {
    fn of(mark: u32) -> Option<Self> {
        let how = mark >> HOW_AT;
        let one_of = |bit: u32| (how >> bit & 1) as usize;
        (mark & IS_ODD == IS_ODD).then(|| match (mark & KIND) >> KIND_AT {
            0 => Self::Step(Step::of(true, how)),
            1 => Self::Step(Step::of(false, how)),
            2 => {
                let step = (one_of(1) == 1).then(|| Step::of(one_of(2) == 1, how >> 3));
                Self::SoundAlone([Sound::Aac, Sound::Mp3][one_of(0)], step)
            }
            3 if one_of(1) == 0 => Self::Ends(Track::Audio, ENDS_MS[one_of(0)]),
            3 if one_of(2) == 0 => Self::Ends(Track::Video, ENDS_MS[one_of(0)]),
            3 => Self::Apart(APART_MS[one_of(0)]),
            4 => Self::Large,
            5 => Self::Short,
            6 => Self::Another(Another::ALL[(how & 3) as usize]),
            _ if one_of(0) == 0 => Self::Mpeg4,
            _ => Self::Quirk(Quirk::of(how >> 1)),
        })
    }
}

impl Shape {
    /// The bits of a mark that say whether something is odd, and what.
    pub(crate) const ODD: u32 = IS_ODD | KIND | 0xffff << HOW_AT;

    /// What the mark of a push says. The mark 0 is one picture of AVC a second, each a keyframe, from 0 on.
    #[must_use]
    pub fn of(mark: u32) -> Self {
        let odd = Odd::of(mark);
        let has_many = mark & HAS_MANY != 0;
        let (pictures, sound) = match odd {
            Some(Odd::SoundAlone(sound, _)) => (&NONE[..], Some(sound)),
            Some(Odd::Another(another)) if another.is_of_sound() => (&PICTURES[..], Some(Sound::Aac)),
            _ if !has_many => (&ONE[..], None),
            None => (&MANY[..], None),
            Some(Odd::Short) => (&PICTURES[..], Some(Sound::ShortAac)),
            Some(_) => (&PICTURES[..], Some(Sound::Aac)),
        };
        let another = match odd {
            Some(Odd::Another(another)) => Some(another),
            _ => None,
        };
        // Sets that stand with keyframes alone change with these.
        let may_change = !pictures.is_empty() && !matches!(odd, Some(Odd::Quirk(Quirk::SetsInStream)));
        let ends_ms = |track| match odd {
            Some(Odd::Ends(ends, ends_ms)) if ends == track => ends_ms,
            _ => u64::MAX,
        };
        let has_long_gops = mark & HAS_LONG_GOPS == HAS_LONG_GOPS && !pictures.is_empty();
        Self {
            mark,
            codec: match odd {
                Some(Odd::Mpeg4) => Codec::Mpeg4,
                _ if mark & IS_HEVC == 0 => Codec::Avc,
                _ => Codec::Hevc,
            },
            origin_ms: ORIGINS_MS[((mark & ORIGIN) >> ORIGIN_AT) as usize],
            second: pictures,
            sound,
            sound_from_ms: if mark & SOUNDS_LATE == 0 || pictures.is_empty() { 0 } else { LATE_MS },
            sound_to_ms: ends_ms(Track::Audio),
            pictures_to_ms: if sound.is_some() { ends_ms(Track::Video) } else { u64::MAX },
            changed_ms: (mark & CHANGES != 0 && may_change).then_some(CHANGED_MS),
            apart_ms: match odd {
                Some(Odd::Apart(apart_ms)) => apart_ms,
                _ => 0,
            },
            another,
            quirk: match odd {
                Some(Odd::Quirk(quirk)) => Some(quirk),
                _ => None,
            },
            is_large: matches!(odd, Some(Odd::Large)),
            gop_ms: match mark & HAS_LONGEST_GOPS {
                _ if !has_long_gops => 1_000,
                0 => LONG_GOP_MS,
                _ => LONGEST_GOP_MS,
            },
            step: match odd {
                Some(Odd::Step(step)) => Some(step),
                Some(Odd::SoundAlone(_, step)) => step,
                _ => None,
            },
        }
    }

    /// The mark of a push as it is judged where chunks are so long: among short ones, keyframes are 15 s apart at
    /// most.
    #[must_use]
    pub fn for_chunks(mark: u32, chunk_ms: u64) -> u32 {
        if chunk_ms < LONG_GOP_MS { mark & !HAS_LONGEST_GOPS } else { mark }
    }

    /// The mark of a push that is made as that of the mark 0 is.
    #[must_use]
    pub fn plainest(mark: u32) -> u32 {
        mark & !(IS_HEVC | HAS_MANY | SOUNDS_LATE | CHANGES | HAS_LONG_GOPS | ORIGIN | IS_ODD)
    }

    /// The mark of a push that has one picture a second and nothing else, each of which is a keyframe.
    #[must_use]
    pub fn of_keyframes(mark: u32) -> u32 {
        let odd = if matches!(Odd::of(mark), Some(Odd::Step(_))) { 0 } else { IS_ODD };
        mark & !(HAS_MANY | HAS_LONG_GOPS | odd)
    }
}
