//! The keys of a bucket in the order of their bytes, read from folders as far as they are asked for.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::vec::IntoIter;

use crate::place;

/// After which keys a list begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// Keys greater than this one.
    After(String),
    /// Keys greater than every key with this prefix.
    Past(String),
}

impl Bound {
    pub(crate) fn admits(&self, key: &str) -> bool {
        match self {
            Self::After(bound) => key > bound.as_str(),
            Self::Past(prefix) => key > prefix.as_str() && !key.starts_with(prefix.as_str()),
        }
    }

    /// Whether a key that begins with `folder` can be admitted.
    fn admits_below(&self, folder: &str) -> bool {
        match self {
            Self::After(bound) => folder > bound.as_str() || bound.starts_with(folder),
            Self::Past(prefix) => {
                !folder.starts_with(prefix.as_str())
                    && (folder > prefix.as_str() || prefix.starts_with(folder))
            }
        }
    }
}

/// The keys of one bucket.
pub(crate) struct Keys {
    prefix: String,
    bound: Bound,
    /// The folders that are open, each with the keys and folders (which end in `/`) that are left in it.
    open: Vec<(PathBuf, IntoIter<String>)>,
    /// The next named key, if it is known.
    named: Option<(String, PathBuf)>,
    hidden: std::iter::Peekable<IntoIter<(String, PathBuf)>>,
}

impl Keys {
    /// Those with a prefix, beyond a bound, of a bucket with these folders.
    pub(crate) fn new(folder: &Path, hidden: &Path, prefix: &str, bound: Bound) -> io::Result<Self> {
        let mut keys = Self {
            prefix: prefix.to_owned(),
            bound,
            open: Vec::new(),
            named: None,
            hidden: place::hidden_keys(hidden)?.into_iter().peekable(),
        };
        // The list begins in the folder that the prefix names; where no folder can have that name, nothing is there.
        match prefix.rsplit_once('/') {
            None => keys.enter(folder.to_owned(), "")?,
            Some((start, _)) => {
                if let Some(below) = place::named(folder, start) {
                    keys.enter(below, &format!("{start}/"))?;
                }
            }
        }
        Ok(keys)
    }

    /// Goes on beyond another bound, which is not before what was answered last.
    pub(crate) fn seek(&mut self, bound: Bound) {
        self.bound = bound;
        self.named.take_if(|(key, _)| !self.bound.admits(key));
    }

    /// The next key and its file.
    pub(crate) fn next(&mut self) -> io::Result<Option<(String, PathBuf)>> {
        if self.named.is_none() {
            self.named = self.next_named()?;
        }
        let (prefix, bound) = (&self.prefix, &self.bound);
        let passed = |(key, _): &(String, PathBuf)| !bound.admits(key) || !key.starts_with(prefix.as_str());
        while self.hidden.next_if(passed).is_some() {}
        let next = match (&self.named, self.hidden.peek()) {
            (Some((named, _)), Some((hidden, _))) if hidden < named => self.hidden.next(),
            (None, _) => self.hidden.next(),
            _ => self.named.take(),
        };
        if let Some((key, _)) = &next {
            self.bound = Bound::After(key.clone());
        }
        Ok(next)
    }

    fn next_named(&mut self) -> io::Result<Option<(String, PathBuf)>> {
        while let Some((folder, names)) = self.open.last_mut() {
            let Some(key) = names.next() else {
                self.open.pop();
                continue;
            };
            let name = |key: &str| key.rsplit('/').next().unwrap_or_default().to_owned();
            if let Some(below) = key.strip_suffix('/') {
                let leads = key.starts_with(&self.prefix) || self.prefix.starts_with(&key);
                if leads && self.bound.admits_below(&key) {
                    let folder = folder.join(name(below));
                    self.enter(folder, &key)?;
                }
            } else if key.starts_with(&self.prefix) && self.bound.admits(&key) {
                let path = folder.join(name(&key));
                return Ok(Some((key, path)));
            }
        }
        Ok(None)
    }

    /// Reads a folder: its entries by what their keys begin with. One that is gone is empty.
    fn enter(&mut self, folder: PathBuf, before: &str) -> io::Result<()> {
        let entries = match fs::read_dir(&folder) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(());
            }
            entries => entries?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            let name = entry.file_name();
            match name.to_str() {
                Some(name) if kind.is_file() => names.push(format!("{before}{name}")),
                Some(name) if kind.is_dir() => names.push(format!("{before}{name}/")),
                _ => {}
            }
        }
        names.sort_unstable();
        self.open.push((folder, names.into_iter()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(named: &[&str], hidden: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let paths = named.iter().map(|key| root.path().join("named").join(key));
        for path in paths.chain(hidden.iter().map(|key| place::hidden(&root.path().join("hidden"), key))) {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        root
    }

    fn list(root: &tempfile::TempDir, prefix: &str, bound: Bound) -> Vec<String> {
        let (named, hidden) = (root.path().join("named"), root.path().join("hidden"));
        let mut keys = Keys::new(&named, &hidden, prefix, bound).unwrap();
        std::iter::from_fn(|| keys.next().unwrap().map(|(key, _)| key)).collect()
    }

    /// Every prefix and bound that can be made of the keys, against the plain sorted list.
    #[test]
    fn keys_come_in_the_order_of_their_bytes_from_any_bound() {
        let named = ["a-b", "a/b", "a/c/d", "a/c.d", "a0", "b/直/1", "b/直.1", "Z", "b/x/y/z"];
        let hidden = ["a", "a/", "a//b", "a/c", "/x", "b/..", "zz/"];
        let root = bucket(&named, &hidden);
        let mut all: Vec<&str> = named.iter().chain(&hidden).copied().collect();
        all.sort_unstable();
        let mut parts: Vec<&str> = vec![""];
        for key in &all {
            parts.extend(key.char_indices().map(|(at, c)| &key[..at + c.len_utf8()]));
        }
        for prefix in &parts {
            for bound in &parts {
                let expect = |admits: &dyn Fn(&str) -> bool| -> Vec<&str> {
                    all.iter().copied().filter(|key| key.starts_with(prefix) && admits(key)).collect()
                };
                let after = expect(&|key| key > *bound);
                assert_eq!(list(&root, prefix, Bound::After((*bound).into())), after, "{prefix:?} {bound:?}");
                if !bound.is_empty() {
                    let past = expect(&|key| key > *bound && !key.starts_with(bound));
                    assert_eq!(
                        list(&root, prefix, Bound::Past((*bound).into())),
                        past,
                        "{prefix:?} {bound:?}"
                    );
                }
            }
        }
    }
}
