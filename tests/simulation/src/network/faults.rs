//! Which faults operations and calls meet, and how often.

use store::memory::{Outcome, Random};

/// How often operations and calls meet faults.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rates {
    /// One operation in so many meets a fault; 0: none does.
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
    pub(super) fn draw(self, random: &mut Random) -> Fault {
        if self.operations == 0 || random.below(self.operations as usize) > 0 {
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
    let Some(object) = name.strip_prefix("http://work/work/") else {
        let is_object = name.contains('/');
        let first = name.split('.').next().unwrap_or_default();
        return if is_object { "object of a user's bucket".into() } else { format!("key {first}") };
    };
    let folder = object.rsplit_once('/').map_or(object, |(folder, _)| folder);
    let words: Vec<&str> = folder.split('/').filter(|word| !word.contains('-')).collect();
    format!("object {}", words.join("/"))
}

/// Whether every call touches it, so that meeting there says nothing.
pub(super) fn is_of_all(name: &str) -> bool {
    name.starts_with("t.") || name.starts_with("m.")
}
