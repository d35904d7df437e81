//! Access keys for buckets, by patterns of endpoint and bucket.

use std::fmt;

use percent_encoding::percent_decode_str;

use crate::pattern::Pattern;
use crate::{Bucket, Credentials, Error};

/// Keys for buckets: `host/bucket=id:secret` or `host/bucket=id:secret:token`, separated by commas, spaces or lines.
///
/// A host has its port where the endpoint has one; `*` in the host and in the bucket stands for any characters, or
/// none. Whatever separates stands percent-encoded within an id, a secret or a token: `%2C`, `%3A`, `%20`, and `%25`
/// for `%` itself.
///
/// An entry whose key is wrong is told of only where its pattern is the one that counts: a mistake in one user's key
/// stops no other's recordings.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct BucketKeys(Vec<Entry>);

/// Shows no pattern either: the rest of a secret that a comma or a line cuts in two can look like one.
impl fmt::Debug for BucketKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("BucketKeys").field("entries", &self.0.len()).finish_non_exhaustive()
    }
}

#[derive(Clone, PartialEq, Eq)]
struct Entry {
    /// Its place, from 1.
    place: usize,
    pattern: Pattern,
    key: Result<Credentials, Error>,
}

impl BucketKeys {
    /// Reads keys; no text is no key.
    ///
    /// # Errors
    /// [`Error::KeyPattern`] for an entry without a pattern: it could be any bucket's.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut entries: Vec<Entry> = Vec::new();
        let texts = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty());
        for (place, text) in (1..).zip(texts) {
            let refuse = |problem| Error::KeyPattern { entry: place, problem };
            let (pattern, key) =
                text.split_once('=').ok_or_else(|| refuse("is not of the form host/bucket=id:secret"))?;
            let pattern = Pattern::parse(pattern).map_err(refuse)?;
            if let Some(earlier) = entries.iter_mut().find(|entry| entry.pattern == pattern) {
                let pattern = pattern.text().into();
                earlier.key = Err(Error::KeyRepeated { first: earlier.place, second: place, pattern });
                continue;
            }
            let key = parse_key(key).map_err(|problem| Error::KeyValue {
                entry: place,
                pattern: pattern.text().into(),
                problem,
            });
            entries.push(Entry { place, pattern, key });
        }
        Ok(Self(entries))
    }

    /// The key of the most specific pattern that the bucket is of, if it is of any.
    ///
    /// A bucket itself comes before patterns of buckets, and then a host itself before patterns of hosts. Then come
    /// the most characters beside `*` in the bucket, and then in the host; then the fewest `*`, and at last the
    /// text that sorts first.
    ///
    /// # Errors
    /// [`Error::KeyValue`] or [`Error::KeyRepeated`] where that pattern's key is wrong. A less specific pattern does
    /// not take its place: its key was not meant for the bucket.
    pub fn find(&self, bucket: &Bucket) -> Result<Option<&Credentials>, Error> {
        let matching = self.0.iter().filter(|entry| entry.pattern.matches(bucket));
        let found = matching.max_by(|a, b| a.pattern.cmp(&b.pattern));
        found.map(|entry| entry.key.as_ref().map_err(Clone::clone)).transpose()
    }
}

fn parse_key(text: &str) -> Result<Credentials, &'static str> {
    let mut parts = text.split(':');
    let mut part = |absent| parts.next().filter(|part| !part.is_empty()).ok_or(absent);
    let id = decode(part("has no id")?)?;
    let secret = decode(part("has no secret")?)?;
    let token = parts.next().map(decode).transpose()?;
    if parts.next().is_some() {
        return Err("has more than an id, a secret and a token: a colon in one of them is written as %3A");
    }
    // Both stand in headers.
    let is_visible = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_visible(&id) {
        return Err("has an id with a character that no id can have");
    }
    if secret.chars().any(char::is_control) {
        return Err("has a secret with a character that no secret can have");
    }
    if token.as_deref().is_some_and(|token| !is_visible(token)) {
        return Err("has an empty token, or one with a character that no token can have");
    }
    Ok(Credentials { id, secret, token })
}

/// RFC 3986, 2.1: a percent sign and two hexadecimal digits. Anything else after the sign is refused: it shows that a
/// secret was not encoded.
fn decode(text: &str) -> Result<String, &'static str> {
    let is_encoded = |after: &str| after.len() >= 2 && after.bytes().take(2).all(|b| b.is_ascii_hexdigit());
    if !text.split('%').skip(1).all(is_encoded) {
        return Err("has a % without two hexadecimal digits after it: a % is written as %25");
    }
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| "has percent-encoded bytes that are not UTF-8")
}

#[cfg(test)]
mod tests;
