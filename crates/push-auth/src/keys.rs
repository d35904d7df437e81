//! The keys of the domains.

use std::{collections::BTreeMap, fmt};

use subtle::Choice;

use crate::{Error, auth_key::AuthKey};

/// In place of a domain: every domain that has no key of its own.
pub const ANY_DOMAIN: &str = "*";

/// By which keys the push URLs of each domain are signed.
///
/// A domain may have several keys, all of which hold: so a key is changed without a moment in which pushes are refused.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PushKeys {
    by_domain: BTreeMap<String, Vec<String>>,
    validity_s: u64,
}

impl PushKeys {
    /// No keys yet, for URLs that hold for `validity_s` seconds after the time that they say.
    #[must_use]
    pub fn new(validity_s: u64) -> Self {
        Self { by_domain: BTreeMap::new(), validity_s }
    }

    /// Adds a key of a domain, whose case does not count, or of [`ANY_DOMAIN`].
    ///
    /// # Errors
    /// [`Error::EmptyKey`]: anybody could sign with that.
    pub fn add(&mut self, domain: &str, key: &str) -> Result<(), Error> {
        if domain.is_empty() || key.is_empty() {
            return Err(Error::EmptyKey);
        }
        self.by_domain.entry(domain.to_ascii_lowercase()).or_default().push(key.to_owned());
        Ok(())
    }

    /// Whether no domain has a key. Then [`check`](Self::check) refuses everybody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_domain.is_empty()
    }

    /// Whether a push may begin at `now_s`, in Unix seconds.
    ///
    /// `uris` are the ways to write the path of the push URL, one of which has to be signed.
    ///
    /// # Errors
    /// Why it may not. That a URL has expired is told only of one that was right.
    pub fn check(
        &self,
        domain: &str,
        uris: &[impl AsRef<str>],
        auth_key: Option<&str>,
        now_s: u64,
    ) -> Result<(), Error> {
        let of = |domain: &str| self.by_domain.get(domain);
        let Some(keys) = of(&domain.to_ascii_lowercase()).or_else(|| of(ANY_DOMAIN)) else {
            return Err(Error::NoKey { domain: domain.to_owned() });
        };
        let auth_key = AuthKey::parse(auth_key.ok_or(Error::Missing)?)?;
        // Every key is tried, so that the time taken does not tell which one was right.
        let mut is_right = Choice::from(0);
        for key in keys {
            for uri in uris {
                is_right |= auth_key.is_of(uri.as_ref(), key);
            }
        }
        if !bool::from(is_right) {
            return Err(Error::Wrong);
        }
        match now_s.saturating_sub(auth_key.time_s.saturating_add(self.validity_s)) {
            0 => Ok(()),
            ago_s => Err(Error::Expired { ago_s }),
        }
    }
}

impl fmt::Debug for PushKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let domains: Vec<_> = self.by_domain.keys().collect();
        f.debug_struct("PushKeys").field("domains", &domains).field("validity_s", &self.validity_s).finish()
    }
}

#[cfg(test)]
mod tests;
