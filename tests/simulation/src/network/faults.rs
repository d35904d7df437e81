//! Which faults operations and calls meet, and how often.

use std::rc::Rc;

use shared::testing::World;
use store::memory::{Outcome, Random, Seen};

use crate::call::Kind;
use crate::chances::{Chances, point};
use crate::hosts::WORK_BUCKET;

/// How often operations and calls meet faults.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rates {
    /// One operation of a tick or a heartbeat in so many meets a fault, and more of other calls'; 0: none does.
    pub operations: u32,
    /// So many of a thousand calls are made twice.
    pub doubled: u32,
    /// So many of a thousand calls reach their host late.
    pub delayed: u32,
}

/// What an operation meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing.
    None,
    /// The call dies before it.
    DeathBefore,
    /// The call dies after it.
    DeathAfter,
    /// It is refused.
    Refused,
    /// It is applied, and its caller is told of a failure.
    ReplyLost,
    /// The call rests after it.
    Rest,
}

impl Rates {
    /// Whether a call dies behind a write that leaves something half done, which is oftener than behind others.
    pub(super) fn draws_half(self, random: &mut Random) -> bool {
        self.operations > 0 && random.below((self.operations as usize / 8).max(20)) == 0
    }

    pub(super) fn draw(self, kind: Kind, random: &mut Random) -> Fault {
        // Ticks and heartbeats have by far the most operations.
        let one_in = match kind {
            Kind::Tick | Kind::Beat | Kind::Deliver => self.operations,
            _ => self.operations / 6,
        };
        if one_in == 0 || random.below(one_in as usize) > 0 {
            return Fault::None;
        }
        match random.below(6) {
            0 => Fault::DeathBefore,
            1 => Fault::DeathAfter,
            2 => Fault::Refused,
            3 => Fault::ReplyLost,
            _ => Fault::Rest,
        }
    }
}

/// Whether a call that dies behind these operations may leave something half done: most are about timers and heartbeats.
pub(super) fn leaves_half(seen: &[Seen]) -> bool {
    seen.iter().any(|seen| seen.writes && !is_of_all(&seen.name))
}

/// Has one create in four in the work bucket refused, or its reply lost: each of them decides a race.
pub fn fail_decisions(world: &World, chances: Rc<Chances>) {
    world.buckets.fail(move |name, writes| {
        if !name.starts_with(WORK_BUCKET) || !writes {
            return Outcome::Applied;
        }
        let here = point(&[chances.operation.get()]);
        chances.operation.set(here);
        let outcome = match chances.random(here).below(12) {
            0 => Outcome::Refused,
            1..=2 => Outcome::ReplyLost,
            _ => return Outcome::Applied,
        };
        if chances.happens(here) { outcome } else { Outcome::Applied }
    });
}

/// What a fault is called in the counts.
pub(super) fn name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Applied => "applied",
        Outcome::Refused => "refusal of",
        Outcome::ReplyLost => "reply lost of",
    }
}

/// What a key or an object is about: the first word of a key, the folder of an object in the work bucket.
pub(super) fn family(name: &str) -> String {
    let Some(object) = name.strip_prefix(WORK_BUCKET) else {
        let is_object = name.contains('/');
        let first = name.split('.').next().unwrap_or_default();
        return if is_object { "object of a user's bucket".into() } else { format!("key {first}") };
    };
    let folder = object.rsplit_once('/').map_or(object, |(folder, _)| folder);
    let words: Vec<&str> = folder.split('/').filter(|word| !word.contains('-') && word.len() < 32).collect();
    format!("object {}", words.join("/"))
}

/// Whether every call touches it, so that meeting there says nothing.
pub(super) fn is_of_all(name: &str) -> bool {
    name.starts_with("t.") || name.starts_with("m.")
}
