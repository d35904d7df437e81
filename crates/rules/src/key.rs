//! The layout of the keys.
//!
//! A name is a hash, so that a key's length and characters suit every backend whatever the names of domains,
//! applications and streams are; the records themselves carry the names.
//!
//! | key | holds |
//! | --- | --- |
//! | `rule.{triple}.…`, `forbidden.{triple}.…`, `notify.{domain}.…` | a [register](crate::register) |
//! | `….tickets` | counter: attempts to change the register |
//! | `….{ticket}` | the value that this attempt proposes |
//! | `….{ticket}.fate` | counter: whether the attempt was committed |
//! | `rules.{domain}.slots` | counter: slots handed out in the domain's [directory](crate::directory) |
//! | `rules.{domain}.page.{page}` | counter: slots of this page that may be in use |
//! | `rules.{domain}.slot.{slot}` | application and stream of the rule in this slot |
//! | `forbids.{domain}.…` | the directory of its forbidden streams, likewise |
//! | `nonce.{id}` | counter: requests with this [nonce](crate::nonces) |
//! | `nonces.entries` | counter: entries of the log of nonces |
//! | `nonces.entry.{number}` | a nonce, and when it may be forgotten |
//! | `nonces.oldest` | number of the oldest entry; a hint that concurrent requests may set back |

use naming::digest;

use crate::Triple;

/// The register of a triple's rule.
#[must_use]
pub fn rule(triple: &Triple) -> String {
    format!("rule.{}", name(&[&triple.domain.to_ascii_lowercase(), &triple.app, &triple.stream]))
}

/// The register of what forbids a stream.
#[must_use]
pub fn forbidden(stream: &Triple) -> String {
    format!("forbidden.{}", name(&[&stream.domain.to_ascii_lowercase(), &stream.app, &stream.stream]))
}

/// The register of a domain's notify config.
#[must_use]
pub fn notify(domain: &str) -> String {
    format!("notify.{}", name(&[&domain.to_ascii_lowercase()]))
}

/// The directory of a domain's rules.
#[must_use]
pub fn directory(domain: &str) -> String {
    format!("rules.{}", name(&[&domain.to_ascii_lowercase()]))
}

/// The directory of a domain's forbidden streams.
#[must_use]
pub fn forbidden_directory(domain: &str) -> String {
    format!("forbids.{}", name(&[&domain.to_ascii_lowercase()]))
}

/// The counter of a nonce, among those of its access key.
#[must_use]
pub fn nonce(key_id: &str, nonce: &str) -> String {
    format!("nonce.{}", name(&[key_id, nonce]))
}

/// The counter of the log of nonces.
pub const NONCE_ENTRIES: &str = "nonces.entries";

/// The hint at the oldest entry of the log of nonces.
pub const OLDEST_NONCE: &str = "nonces.oldest";

/// An entry of the log of nonces.
#[must_use]
pub fn nonce_entry(number: u64) -> String {
    format!("nonces.entry.{number}")
}

/// 128 bits that name these parts and no others, in hex.
fn name(parts: &[&str]) -> String {
    hex::encode(&digest(parts)[..16])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_that_only_join_alike_have_keys_of_their_own() {
        let triple =
            |d: &str, a: &str, s: &str| rule(&Triple { domain: d.into(), app: a.into(), stream: s.into() });
        assert_ne!(triple("d", "ab", "c"), triple("d", "a", "bc"));
        assert_ne!(triple("d", "a", "b"), triple("d", "a", "B"));
        assert_eq!(triple("Live.Example.com", "a", "b"), triple("live.example.com", "a", "b"));
        assert_ne!(nonce("key", "1"), nonce("key1", ""));
    }

    #[test]
    fn each_domain_has_keys_of_its_own_and_no_case() {
        let of = |domain: &str| [notify(domain), directory(domain), forbidden_directory(domain)];
        let all: BTreeSet<_> = ["a.example.com", "b.example.com"].into_iter().flat_map(of).collect();
        assert_eq!(all.len(), 6, "{all:?}");
        assert_eq!(of("A.Example.com"), of("a.example.com"));
    }

    #[test]
    fn every_backend_takes_every_key_whatever_the_names_are() {
        let long = "直/\\?#".repeat(100);
        let triple = Triple { domain: long.clone(), app: long.clone(), stream: long.clone() };
        for key in [
            format!("{}.{}.fate", rule(&triple), u64::MAX),
            format!("{}.{}.fate", forbidden(&triple), u64::MAX),
            format!("{}.tickets", notify(&long)),
            format!("{}.slot.{}", directory(&long), u64::MAX),
            format!("{}.slot.{}", forbidden_directory(&long), u64::MAX),
            nonce(&long, &long),
            nonce_entry(u64::MAX),
            NONCE_ENTRIES.into(),
            OLDEST_NONCE.into(),
        ] {
            assert_eq!(store::limits::check_key(&key), Ok(()));
        }
    }
}
