//! Which buckets keep an object against a second create, as far as it is known.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// How many buckets are remembered.
const MAX_KNOWN: usize = 1000;

/// Which buckets are known to keep an object that is there against a second create, and which to replace it.
#[derive(Debug, Default)]
pub struct Conditions(Mutex<BTreeMap<String, bool>>);

impl Conditions {
    /// Nothing is known yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// Whether a bucket keeps objects; `None` where it is not known.
    pub(crate) fn get(&self, bucket: &str) -> Option<bool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(bucket).copied()
    }

    /// Remembers it. One that has replaced an object is not believed again.
    pub(crate) fn learn(&self, bucket: String, keeps: bool) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        let believed = known.entry(bucket).or_insert(keeps);
        *believed &= keeps;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_that_has_replaced_an_object_is_not_believed_again() {
        let known = Conditions::new();
        assert_eq!(known.get("a"), None);
        for (keeps, believed) in [(true, true), (false, false), (true, false)] {
            known.learn("a".into(), keeps);
            assert_eq!(known.get("a"), Some(believed));
        }
        assert_eq!(known.get("b"), None);
    }
}
