//! The layout of the keys.
//!
//! A name is a hash, so that a key's length and characters suit every backend whatever the names of domains,
//! applications and streams are; the records themselves carry the names.
//!
//! | key | holds |
//! | --- | --- |
//! | `rule/{triple}/…`, `notify/{domain}/…` | a [register](crate::register) |
//! | `…/tickets` | counter: attempts to change the register |
//! | `…/{ticket}` | the value that this attempt proposes |
//! | `…/{ticket}/fate` | counter: whether the attempt was committed |
//! | `rules/{domain}/slots` | counter: slots handed out in the domain's [index](crate::index) |
//! | `rules/{domain}/page/{page}` | counter: slots of this page that may be in use |
//! | `rules/{domain}/slot/{slot}` | application and stream of the rule in this slot |

use sha2::{Digest, Sha256};

use crate::types::Triple;

/// The register of a triple's rule.
#[must_use]
pub fn rule(triple: &Triple) -> String {
    format!("rule/{}", name(&[&triple.domain.to_ascii_lowercase(), &triple.app, &triple.stream]))
}

/// The register of a domain's notify config.
#[must_use]
pub fn notify(domain: &str) -> String {
    format!("notify/{}", name(&[&domain.to_ascii_lowercase()]))
}

/// The index of a domain's rules.
#[must_use]
pub fn index(domain: &str) -> String {
    format!("rules/{}", name(&[&domain.to_ascii_lowercase()]))
}

fn name(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(&hash.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_only_join_alike_have_keys_of_their_own() {
        let triple =
            |d: &str, a: &str, s: &str| rule(&Triple { domain: d.into(), app: a.into(), stream: s.into() });
        assert_ne!(triple("d", "ab", "c"), triple("d", "a", "bc"));
        assert_ne!(triple("d", "a", "b"), triple("d", "a", "B"));
        assert_eq!(triple("Live.Example.com", "a", "b"), triple("live.example.com", "a", "b"));
    }
}
