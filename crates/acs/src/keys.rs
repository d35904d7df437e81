//! The access keys that the server knows, and what each may do.

use std::{collections::BTreeSet, fmt};

use crate::{Error, error::excerpt};

/// One access key.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey {
    id: String,
    secret: String,
    active: bool,
    read_only: bool,
    /// Empty: every domain.
    domains: BTreeSet<String>,
    /// Patterns of the buckets that the key may name.
    buckets: Vec<String>,
}

impl AccessKey {
    /// The id, which is not secret.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    /// Whether the key may change anything.
    #[must_use]
    pub fn may_write(&self) -> bool {
        !self.read_only
    }

    /// Whether the key may touch a domain. Names of domains are compared without case (RFC 1035 §2.3.3).
    #[must_use]
    pub fn may_use_domain(&self, domain: &str) -> bool {
        self.domains.is_empty() || self.domains.contains(&domain.to_ascii_lowercase())
    }

    /// The patterns of the buckets that the key may name; `None` where it may name all. A key that is limited to
    /// domains may name none but those.
    #[must_use]
    pub fn buckets(&self) -> Option<&[String]> {
        let is_limited = !(self.domains.is_empty() && self.buckets.is_empty());
        is_limited.then_some(&self.buckets)
    }
}

impl fmt::Debug for AccessKey {
    /// Shows everything but the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey")
            .field("id", &self.id)
            .field("active", &self.active)
            .field("read_only", &self.read_only)
            .field("domains", &self.domains)
            .field("buckets", &self.buckets)
            .finish_non_exhaustive()
    }
}

/// The access keys that the server knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    keys: Vec<AccessKey>,
}

impl Keys {
    /// Reads the configuration.
    ///
    /// ```text
    /// keys   = [ entry *( separator entry ) ]
    /// entry  = id ":" secret *( ":" option )
    /// option = "ro" | "off" | "domain=" name | "bucket=" pattern
    /// ```
    ///
    /// A separator is a comma, white space, or several of them. Ids, secrets and names hold no colon, comma or
    /// white space. `ro` allows only actions that change nothing, `off` refuses the key as inactive, and each
    /// `domain=` adds to the domains that the key is limited to; without one it may use all. Each `bucket=` adds to the
    /// buckets that it may name, as `host/bucket` with `*` for any characters, a colon written as `%3A`; without one a
    /// key that is limited to domains may name none, and any other may name all.
    /// No entry at all is no key: every request is refused.
    ///
    /// # Errors
    /// [`Error::Configuration`] for an entry that does not follow the grammar, or an id that comes twice.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut keys: Vec<AccessKey> = Vec::new();
        let entries = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty());
        for (index, entry) in entries.enumerate() {
            let refuse = |problem: &str| Error::Configuration { entry: index + 1, problem: problem.into() };
            let mut fields = entry.split(':');
            let id = fields.next().filter(|id| !id.is_empty()).ok_or_else(|| refuse("has no id"))?;
            let secret =
                fields.next().filter(|secret| !secret.is_empty()).ok_or_else(|| refuse("has no secret"))?;
            if keys.iter().any(|key| key.id == id) {
                return Err(refuse("repeats the id of an earlier one"));
            }
            let mut key = AccessKey {
                id: id.into(),
                secret: secret.into(),
                active: true,
                read_only: false,
                domains: BTreeSet::new(),
                buckets: Vec::new(),
            };
            for option in fields {
                match option.split_once('=') {
                    None if option == "ro" => key.read_only = true,
                    None if option == "off" => key.active = false,
                    Some(("domain", name)) if !name.is_empty() => {
                        key.domains.insert(name.to_ascii_lowercase());
                    }
                    Some(("bucket", pattern)) if !pattern.is_empty() => {
                        key.buckets.push(pattern.replace("%3A", ":").replace("%3a", ":"));
                    }
                    _ => {
                        let known =
                            "has an option that is none of ro, off, domain=<name>, bucket=<host/bucket>";
                        return Err(refuse(known));
                    }
                }
            }
            keys.push(key);
        }
        Ok(Self { keys })
    }

    /// All of them, as they were read.
    pub fn iter(&self) -> impl Iterator<Item = &AccessKey> {
        self.keys.iter()
    }

    /// The active key of an id.
    ///
    /// # Errors
    /// [`Error::UnknownKey`] or [`Error::InactiveKey`].
    pub fn find(&self, id: &str) -> Result<&AccessKey, Error> {
        let key =
            self.keys.iter().find(|key| key.id == id).ok_or_else(|| Error::UnknownKey { id: excerpt(id) })?;
        key.active.then_some(key).ok_or_else(|| Error::InactiveKey { id: id.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_separated_by_commas_or_white_space() {
        let keys = Keys::parse(" a:1,b:2\n\tc:3:ro , d:4:domain=Live.example.com:domain=x:ro:off,").unwrap();
        assert_eq!(keys.keys.len(), 4);
        assert!(keys.find("a").unwrap().may_write());
        assert!(keys.find("a").unwrap().may_use_domain("anything"));
        assert!(!keys.find("c").unwrap().may_write());
        assert_eq!(keys.find("d"), Err(Error::InactiveKey { id: "d".into() }));
        assert_eq!(keys.find(""), Err(Error::UnknownKey { id: "".into() }));
    }

    #[test]
    fn a_limited_key_reaches_only_its_domains() {
        let keys = Keys::parse("d:4:domain=Live.example.com:domain=x").unwrap();
        let key = keys.find("d").unwrap();
        assert!(key.may_use_domain("live.EXAMPLE.com") && key.may_use_domain("x"));
        assert!(!key.may_use_domain("example.com") && !key.may_use_domain("") && !key.may_use_domain("xx"));
    }

    #[test]
    fn a_limited_key_may_name_only_its_buckets() {
        let text =
            "a:1,b:2:domain=x,c:3:domain=x:bucket=*.b.com/x-*:bucket=127.0.0.1%3A9000/y,d:4:bucket=e/f";
        let keys = Keys::parse(text).unwrap();
        let buckets = |id| keys.find(id).unwrap().buckets();
        assert_eq!(buckets("a"), None);
        assert_eq!(buckets("b"), Some(&[][..]));
        assert_eq!(buckets("c"), Some(&["*.b.com/x-*".to_owned(), "127.0.0.1:9000/y".to_owned()][..]));
        assert_eq!(buckets("d"), Some(&["e/f".to_owned()][..]));
    }

    #[test]
    fn no_entry_is_no_key() {
        assert_eq!(Keys::parse(" , "), Ok(Keys::default()));
    }

    #[test]
    fn a_wrong_entry_is_named_by_number_and_not_shown() {
        for (text, entry) in [
            ("a", 1),
            ("a:1,:2", 2),
            ("a:", 1),
            ("a:1,a:2", 2),
            ("a:1:rw", 1),
            ("a:1:domain=", 1),
            ("a:1:bucket=", 1),
            ("a:1:bucket=127.0.0.1:9000/y", 1),
            ("a:s3cret:", 1),
        ] {
            let error = Keys::parse(text).unwrap_err();
            assert!(
                matches!(error, Error::Configuration { entry: found, .. } if found == entry),
                "{text}: {error}"
            );
            assert!(!error.to_string().contains("s3cret"));
        }
    }

    #[test]
    fn keys_are_told_by_their_ids_in_the_order_in_which_they_were_given() {
        let keys = Keys::parse("b:1,a:2:off,c:3").unwrap();
        assert_eq!(keys.iter().map(AccessKey::id).collect::<Vec<_>>(), ["b", "a", "c"]);
        assert_eq!(keys.find("c").map(AccessKey::id), Ok("c"));
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let shown = format!("{:?}", Keys::parse("the-id:s3cret").unwrap());
        assert!(shown.contains("the-id") && !shown.contains("s3cret"), "{shown}");
    }
}
