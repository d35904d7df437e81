//! Steps of a publisher's clock: timestamps that jump while frames come as before.

/// How far a step ahead may be for a pause of the push: time in which nothing was said. Unit: ms.
const LONGEST_PAUSE_MS: u32 = 10_000;

/// Where clocks step, after the push's begin: with a keyframe that begins a chunk, with one that may be within a chunk, and
/// where there are frames between keyframes, with a picture and with sound. Unit: ms.
const AT_MS: [u64; 4] = [15_000, 17_000, 17_300, 17_700];

/// Where a clock goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum To {
    Ahead(u32),
    Back(u32),
    Zero,
}

const AHEAD: [To; 2] = [To::Ahead(7_000), To::Ahead(3_600_000)];
const BACK: [To; 3] = [To::Back(1_300), To::Back(40_000), To::Zero];

/// A step of a publisher's clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// Frames from here on are stamped by the clock that has stepped. Unit: ms after the push's begin.
    pub(super) at_ms: u64,
    to: To,
}

impl Step {
    /// What some bits say: two of them where it is, the others how far it goes.
    pub(super) fn of(is_ahead: bool, bits: u32) -> Self {
        let at_ms = AT_MS[(bits & 3) as usize];
        let to = bits as usize >> 2;
        Self { at_ms, to: if is_ahead { AHEAD[to % AHEAD.len()] } else { BACK[to % BACK.len()] } }
    }

    /// The timestamp of what comes then, by a clock that began at `origin_ms`. Unit: ms.
    pub(super) fn timestamp_ms(self, origin_ms: u32, at_ms: u64) -> u32 {
        let unstepped_ms = origin_ms.wrapping_add(at_ms as u32);
        match self.to {
            _ if at_ms < self.at_ms => unstepped_ms,
            To::Ahead(by_ms) => unstepped_ms.wrapping_add(by_ms),
            To::Back(by_ms) => unstepped_ms.wrapping_sub(by_ms),
            To::Zero => (at_ms - self.at_ms) as u32,
        }
    }

    /// What a recording keeps of it, as time in which the push paused. Any other step goes, and media goes on at its pace.
    /// Unit: ms.
    pub(super) fn kept_ms(self) -> u64 {
        match self.to {
            To::Ahead(by_ms) if by_ms <= LONGEST_PAUSE_MS => by_ms.into(),
            _ => 0,
        }
    }

    /// What it is, where the first frame after it is a keyframe or not.
    pub(super) fn name(self, is_key: bool) -> String {
        let to = match self.to {
            To::Ahead(7_000) => "7 s ahead",
            To::Ahead(_) => "an hour ahead",
            To::Back(40_000) => "back by 40 s",
            To::Back(_) => "back by a second",
            To::Zero => "back to 0",
        };
        let place = if is_key { "at a keyframe" } else { "between keyframes" };
        format!("a publisher's clock that steps {to} {place}")
    }
}
