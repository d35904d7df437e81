//! Schedules drawn from a seed.

use super::{Outcome, Step};

/// A small deterministic generator (xorshift64*): the seed is the whole schedule.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The generator of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below a bound.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        // Fewer than 32 bits remain, which fit any usize.
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }

    /// Any actor goes on.
    pub fn fair(&mut self) -> impl FnMut(usize) -> Step {
        |under_way| Step::Run(self.below(under_way))
    }

    /// Mostly the same actor goes on, so that others are left far behind.
    pub fn lopsided(&mut self) -> impl FnMut(usize) -> Step {
        let mut favourite = 0;
        move |under_way| {
            if self.below(12) == 0 {
                favourite = self.below(under_way);
            }
            Step::Run(favourite.min(under_way - 1))
        }
    }

    /// Any actor goes on, and one operation in `rate` is its actor's crash: before or after it is applied.
    pub fn deadly(&mut self, rate: usize) -> impl FnMut(usize) -> Step {
        move |under_way| {
            let at = self.below(under_way);
            if self.below(rate) > 0 {
                Step::Run(at)
            } else if self.below(2) == 0 {
                Step::CrashBefore(at)
            } else {
                Step::CrashAfter(at)
            }
        }
    }

    /// Any actor goes on, and one operation in `rate` meets a fault: its actor crashes before or after it, or the
    /// operation is refused, or its reply is lost.
    pub fn faulty(&mut self, rate: usize) -> impl FnMut(usize) -> Step {
        move |under_way| {
            let at = self.below(under_way);
            if self.below(rate) > 0 {
                return Step::Run(at);
            }
            match self.below(4) {
                0 => Step::CrashBefore(at),
                1 => Step::CrashAfter(at),
                2 => Step::Fail(at, Outcome::Refused),
                _ => Step::Fail(at, Outcome::ReplyLost),
            }
        }
    }
}
