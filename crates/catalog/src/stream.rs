//! Names of streams, and how keys hold them.

use serde::{Deserialize, Serialize};

/// A stream: its streaming domain, its application and its own name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StreamName {
    /// The streaming domain.
    pub domain: String,
    /// The application.
    pub app: String,
    /// The stream's own name.
    pub stream: String,
}

impl StreamName {
    /// The stream in a key: 32 hexadecimal digits, whatever characters the names have and however long they are.
    #[must_use]
    pub fn key(&self) -> String {
        hash(&[&self.domain, &self.app, &self.stream])
    }
}

/// 32 hexadecimal digits that stand for some names.
pub(crate) fn hash(names: &[&str]) -> String {
    hex::encode(&naming::digest(names)[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_join_to_the_same_text_have_different_keys() {
        let name = |domain: &str, app: &str, stream: &str| StreamName {
            domain: domain.into(),
            app: app.into(),
            stream: stream.into(),
        };
        let keys = [name("a", "b", "cd"), name("a", "bc", "d"), name("ab", "c", "d"), name("a", "", "bcd")]
            .map(|name| name.key());
        for (at, key) in keys.iter().enumerate() {
            assert_eq!(key.len(), 32);
            assert!(!keys[..at].contains(key), "{keys:?}");
        }
    }
}
