//! Objects of users, which nobody may change or delete once they are there.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use shared::testing::{Object, World};
use store::memory::Seen;

use crate::hosts::WORK_BUCKET;

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
        let objects = world.buckets.objects.borrow();
        let is_users = |seen: &&Seen| {
            seen.writes && seen.name.starts_with("http") && !seen.name.starts_with(WORK_BUCKET)
        };
        for seen in seen.iter().filter(is_users) {
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

fn hash(object: &Object) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&object.bytes, &object.tag).hash(&mut hasher);
    hasher.finish()
}
