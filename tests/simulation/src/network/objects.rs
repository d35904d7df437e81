//! Objects of users, which nobody may change or delete once they are there.

use std::collections::BTreeMap;

use shared::testing::{Object, World};
use store::memory::Seen;

use crate::chances::{mix, point_of};
use crate::hosts::is_users_object;
use crate::media::frames_of_slice;

/// What users' objects were when they were first seen.
#[derive(Debug, Default)]
pub struct Objects {
    seen: BTreeMap<String, u64>,
    wrong: Option<String>,
}

impl Objects {
    /// What was found wrong first.
    #[must_use]
    pub fn wrong(&self) -> Option<&String> {
        self.wrong.as_ref()
    }

    /// Looks at the objects that operations have written.
    pub(super) fn look(&mut self, world: &World, seen: &[Seen]) {
        let mut objects = world.buckets.objects.borrow_mut();
        for seen in seen.iter().filter(|seen| seen.writes && is_users_object(&seen.name)) {
            if let Some(keeps) = world.buckets.keeps.get()
                && !self.seen.contains_key(&seen.name)
                && let Some(object) = objects.get_mut(&seen.name)
                && let Some(kept) = keeps(&seen.name, object)
            {
                object.bytes = kept;
            }
            let now = objects.get(&seen.name).map(hash);
            match (self.seen.get(&seen.name), now) {
                (None, Some(now)) => drop(self.seen.insert(seen.name.clone(), now)),
                (Some(before), now) if now != Some(*before) => {
                    self.wrong.get_or_insert_with(|| format!("{} was changed or deleted", seen.name));
                }
                _ => {}
            }
        }
    }

    /// An object that is not any more what it was.
    #[must_use]
    pub fn changed(&self, world: &World) -> Option<String> {
        let objects = world.buckets.objects.borrow();
        let is_as_before = |(name, before): &(&String, &u64)| objects.get(*name).map(hash) == Some(**before);
        self.seen.iter().find(|object| !is_as_before(object)).map(|(name, _)| name.clone())
    }
}

/// Of a TS slice its frames, and behind them the hash of all that it held. Between pictures up to a second apart a slice has
/// some 5,000 bytes of clock references and tables, which are gigabytes in a long history.
pub(crate) fn only_frames(name: &str, object: &Object) -> Option<Vec<u8>> {
    let frames = name.ends_with(".ts").then(|| frames_of_slice(&object.bytes)).flatten()?;
    Some([frames, hash(object).to_be_bytes().to_vec()].concat())
}

/// Of what an object holds and its tag, eight bytes at a time: objects are large beside all else that a history hashes.
fn hash(object: &Object) -> u64 {
    let (words, rest) = object.bytes.as_chunks();
    let begin = point_of(&object.tag) ^ object.bytes.len() as u64;
    let held = words.iter().fold(begin, |hash, word| mix(hash ^ u64::from_le_bytes(*word)));
    rest.iter().fold(held, |hash, byte| mix(hash ^ u64::from(*byte)))
}
