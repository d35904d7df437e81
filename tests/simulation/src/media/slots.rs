//! When frames come.

use super::codecs::Picture;

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

/// A frame of each second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    /// Its decoding time in the second. Unit: ms.
    after_ms: u64,
    /// Its presentation time less its decoding time. Unit: ms.
    pub(super) composition_ms: u32,
    /// None: sound.
    pub(super) picture: Option<Picture>,
}

impl Slot {
    pub(super) fn track(&self) -> Track {
        if self.picture.is_some() { Track::Video } else { Track::Audio }
    }
}

const fn picture(after_ms: u64, composition_ms: u32, picture: Picture) -> Slot {
    Slot { after_ms, composition_ms, picture: Some(picture) }
}

const fn sound(after_ms: u64) -> Slot {
    Slot { after_ms, composition_ms: 0, picture: None }
}

/// No pictures.
pub(super) const NONE: [Slot; 0] = [];

/// One picture a second.
pub(super) const ONE: [Slot; 1] = [picture(0, 0, Picture::Key)];

/// Three pictures a second, one of which is shown before the one that it needs, and sound between them.
pub(super) const MANY: [Slot; 5] = [
    picture(0, 100, Picture::Key),
    sound(150),
    picture(300, 600, Picture::Reference),
    picture(600, 0, Picture::NonReference),
    sound(700),
];

/// The same pictures without sound.
pub(super) const PICTURES: [Slot; 3] = [
    picture(0, 100, Picture::Key),
    picture(300, 600, Picture::Reference),
    picture(600, 0, Picture::NonReference),
];

/// Sound without a pause: a frame follows the one before as soon as that is over.
const SOUND: Slot = sound(0);

/// When the first frame of sound without a pause comes: frames last for even times, so none comes with a picture. Unit: ms.
const SOUND_FIRST_MS: u64 = 21;

/// Frames from one second up to another, in decoding order.
#[derive(Clone, Debug)]
pub(super) struct Slots {
    slots: &'static [Slot],
    /// The next one of them.
    next: usize,
    /// The second that it is of.
    second_ms: u64,
    to_ms: u64,
    /// When the next frame of sound without a pause comes, and how long each lasts. Unit: ms.
    sound_ms: Option<(u64, u64)>,
}

impl Slots {
    /// Frames of each second, and sound without a pause, whose frames last so long.
    pub(super) fn new(slots: &'static [Slot], frame_ms: Option<u64>, (from_ms, to_ms): (u64, u64)) -> Self {
        let first_ms =
            |frame_ms| SOUND_FIRST_MS + from_ms.saturating_sub(SOUND_FIRST_MS).next_multiple_of(frame_ms);
        let sound_ms = frame_ms.map(|frame_ms| (first_ms(frame_ms), frame_ms));
        Self { slots, next: 0, second_ms: from_ms, to_ms, sound_ms }
    }
}

impl Iterator for Slots {
    type Item = (u64, &'static Slot);

    fn next(&mut self) -> Option<Self::Item> {
        let listed = self.slots.get(self.next).map(|slot| (self.second_ms + slot.after_ms, slot));
        let listed = listed.filter(|(at_ms, _)| *at_ms < self.to_ms);
        if let Some((sound_ms, frame_ms)) = &mut self.sound_ms
            && *sound_ms < listed.map_or(self.to_ms, |(at_ms, _)| at_ms)
        {
            return Some((std::mem::replace(sound_ms, *sound_ms + *frame_ms), &SOUND));
        }
        let found = listed?;
        self.next += 1;
        if self.next == self.slots.len() {
            self.next = 0;
            self.second_ms += 1_000;
        }
        Some(found)
    }
}
