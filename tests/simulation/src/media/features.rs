//! What of a push a recorder may stumble over, in words: counts of these say what was simulated.

use super::another::ANOTHER_MS;
use super::codecs::{Codec, Sound};
use super::quirk::Quirk;
use super::shape::{LARGE_UNTIL_MS, LARGEST_MS, Shape};
use super::slots::Track;

/// What a clock may come to while something is recorded. Unit: ms.
const PASSED: [(u64, &str); 4] =
    [(1 << 24, "2^24 ms"), (1 << 31, "2^31 ms"), (1 << 32, "2^32 ms"), ((1 << 33) / 90, "26.5 h")];

impl Shape {
    /// What it has of that from one moment up to another.
    pub fn features(self, from_ms: u64, to_ms: u64) -> impl Iterator<Item = String> {
        let origin_ms = u64::from(self.origin_ms);
        let passes = move |at_ms: u64| (from_ms + origin_ms..to_ms + origin_ms).contains(&at_ms);
        let passed = PASSED.iter().filter(move |(at_ms, _)| passes(*at_ms));
        let is_there = |track| self.has(track, from_ms, to_ms);
        let codec = match self.codec(from_ms) {
            Codec::Avc => "pictures of AVC",
            Codec::Hevc => "pictures of HEVC",
            Codec::Mpeg4 => "pictures of MPEG-4",
        };
        let alone = match self.sound(from_ms) {
            Sound::Aac | Sound::ShortAac => "sound of AAC alone",
            Sound::Mp3 => "sound of MP3 alone",
        };
        let (pictures, sound) = (is_there(Track::Video), is_there(Track::Audio));
        let both = pictures && sound;
        let ends = |at_ms: u64| (from_ms..to_ms).contains(&at_ms) || at_ms == to_ms;
        let is_changed = self.changed_ms.is_some_and(|at_ms| (from_ms..to_ms).contains(&at_ms));
        let media = [
            (pictures, codec),
            (sound && !pictures, alone),
            (both, "sound, and pictures in another order"),
            (both && from_ms < self.sound_from_ms, "sound that comes late"),
            (both && ends(self.sound_to_ms), "sound that ends before the pictures"),
            (both && ends(self.pictures_to_ms), "pictures that end before the sound"),
            (is_changed, "parameter sets that change"),
            (both && self.has_clocks_apart(), "tracks whose clocks are apart"),
            (self.is_large && from_ms < LARGE_UNTIL_MS, "frames of several packets"),
            (
                self.is_large && LARGEST_MS.iter().any(|at_ms| (from_ms..to_ms).contains(at_ms)),
                "pictures of more than 64 KiB",
            ),
            (sound && self.sound(from_ms) == Sound::ShortAac, "sound of several frames a PES packet"),
        ];
        let media = media.into_iter().filter(|(is_it, _)| *is_it).map(|(_, what)| what.to_owned());
        let step = self.step.filter(|step| (from_ms..to_ms).contains(&step.at_ms));
        let step =
            step.map(|step| step.name(self.first_from(step.at_ms).is_some_and(|at_ms| self.is_key(at_ms))));
        let another = self.another.filter(|_| (from_ms..to_ms).contains(&ANOTHER_MS));
        let another = another.map(|another| another.name().to_owned());
        let passed = passed.map(|(_, what)| format!("a publisher's clock that passes {what}"));
        let is_seen = |quirk: &Quirk| match quirk {
            Quirk::SetsInStream => pictures && self.has_sets_in_stream(from_ms),
            Quirk::Adts => sound,
            Quirk::StartCodes | Quirk::StrayBytes | Quirk::EmptyHeaders => pictures,
        };
        let quirk = self.quirk.filter(is_seen).map(|quirk| quirk.name().to_owned());
        media.chain(passed).chain(step).chain(another).chain(quirk)
    }
}
