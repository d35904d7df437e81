//! One page of a list: keys, and what keys have in common up to a delimiter.

use std::io;
use std::path::PathBuf;

use crate::place::{hex, unhex};
use crate::walk::{Bound, Keys};

/// What is listed.
pub(crate) struct Query {
    pub(crate) prefix: String,
    /// Keys that are equal up to this, after the prefix, count as one. Not empty.
    pub(crate) delimiter: Option<String>,
    pub(crate) limit: usize,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) objects: Vec<(String, PathBuf)>,
    pub(crate) prefixes: Vec<String>,
    /// Where the next page begins, if there is one.
    pub(crate) next: Option<Bound>,
}

impl Page {
    pub(crate) fn read(mut keys: Keys, query: &Query) -> io::Result<Self> {
        let mut page = Self::default();
        let mut last = None;
        while query.limit > 0
            && let Some((key, path)) = keys.next()?
        {
            if page.objects.len() + page.prefixes.len() == query.limit {
                page.next = last;
                break;
            }
            let bound = if let Some(prefix) = query.common_prefix(&key) {
                page.prefixes.push(prefix.to_owned());
                Bound::Past(prefix.to_owned())
            } else {
                page.objects.push((key.clone(), path));
                Bound::After(key)
            };
            keys.seek(bound.clone());
            last = Some(bound);
        }
        Ok(page)
    }
}

impl Query {
    pub(crate) fn common_prefix<'a>(&self, key: &'a str) -> Option<&'a str> {
        let delimiter = self.delimiter.as_ref()?;
        let at = key[self.prefix.len()..].find(delimiter.as_str())?;
        Some(&key[..self.prefix.len() + at + delimiter.len()])
    }

    /// Where a list begins that is to begin after `marker`: past all that a prefix stands for, where it is one.
    pub(crate) fn after(&self, marker: &str) -> Bound {
        let is_prefix = marker.starts_with(&self.prefix)
            && self.common_prefix(marker).is_some_and(|found| found == marker);
        if is_prefix { Bound::Past(marker.into()) } else { Bound::After(marker.into()) }
    }
}

impl Bound {
    /// As a token that clients hand back.
    pub(crate) fn token(&self) -> String {
        match self {
            Self::After(key) => format!("k{}", hex(key.as_bytes())),
            Self::Past(prefix) => format!("p{}", hex(prefix.as_bytes())),
        }
    }

    /// By a token.
    pub(crate) fn of_token(token: &str) -> Option<Self> {
        let (kind, rest) = token.split_at_checked(1)?;
        let text = String::from_utf8(unhex(rest)?).ok()?;
        match kind {
            "k" => Some(Self::After(text)),
            "p" => Some(Self::Past(text)),
            _ => None,
        }
    }

    /// The key or prefix that was listed last.
    pub(crate) fn text(&self) -> &str {
        let (Self::After(text) | Self::Past(text)) = self;
        text
    }
}
