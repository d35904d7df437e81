//! Where an object's file lies.
//!
//! A key is a path below the bucket's folder, so that people find files by name. Keys that a folder cannot hold, or
//! that stand in the way of others (`a` beside `a/b`), lie under a hidden folder, named by their bytes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Longest name of a file or folder, in bytes.
const MAX_SEGMENT_BYTES: usize = 255;

/// How many characters of a hidden name one folder holds.
const PIECE_CHARS: usize = 200;

/// What the last piece of a hidden name ends in: no folder on the way is named so.
const OBJECT: &str = ".object";

/// Where a key lies below the bucket's folder; nothing where a folder cannot hold such a name.
pub(crate) fn named(folder: &Path, key: &str) -> Option<PathBuf> {
    let fits = |segment: &str| {
        !matches!(segment, "" | "." | "..") && segment.len() <= MAX_SEGMENT_BYTES && !segment.contains('\0')
    };
    key.split('/').all(fits).then(|| folder.join(key))
}

/// Where a key lies below the bucket's hidden folder: any key does.
pub(crate) fn hidden(folder: &Path, key: &str) -> PathBuf {
    let name = hex(key.as_bytes());
    let mut path = folder.to_owned();
    let mut rest = name.as_str();
    while rest.len() > PIECE_CHARS {
        let (piece, others) = rest.split_at(PIECE_CHARS);
        path.push(piece);
        rest = others;
    }
    path.push(format!("{rest}{OBJECT}"));
    path
}

/// The keys below a bucket's hidden folder, in order, with their files.
pub(crate) fn hidden_keys(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    collect(folder, "", &mut found)?;
    found.sort_unstable();
    Ok(found)
}

fn collect(folder: &Path, before: &str, found: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if let Some(last) = name.strip_suffix(OBJECT) {
            let key = unhex(&format!("{before}{last}")).and_then(|key| String::from_utf8(key).ok());
            found.extend(key.map(|key| (key, entry.path())));
        } else if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{before}{name}"), found)?;
        }
    }
    Ok(())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |at: u8| char::from(at).to_digit(16);
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match *pair {
            [high, low] => u8::try_from(digit(high)? << 4 | digit(low)?).ok(),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_keys_are_paths() {
        let folder = Path::new("/buckets/b");
        let long = "x".repeat(255);
        for key in ["a", "live/room/1.ts", "直播/a+b %.ts", ".hidden", "...", "a\nb", long.as_str()] {
            assert_eq!(named(folder, key), Some(folder.join(key)), "{key:?}");
        }
        for key in ["", "/a", "a/", "a//b", ".", "../a", "a/./b", "a\0", &"x".repeat(256)] {
            assert_eq!(named(folder, key), None, "{key:?}");
        }
    }

    #[test]
    fn hidden_names_are_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut keys = vec!["a/".to_owned(), "..".into(), "直//".into(), "x".into()];
        keys.extend([99, 100, 101, 200, 1024].map(|length| "k".repeat(length)));
        for key in &keys {
            let path = hidden(folder.path(), key);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, key).unwrap();
        }
        let found = hidden_keys(folder.path()).unwrap();
        keys.sort_unstable();
        assert_eq!(found.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>(), keys);
        assert!(found.iter().all(|(key, path)| fs::read_to_string(path).unwrap() == *key));
        assert!(hidden_keys(&folder.path().join("absent")).unwrap().is_empty());
    }

    #[test]
    fn only_hex_is_read_as_hex() {
        assert_eq!(unhex(&hex(&[0, 15, 160, 255])), Some(vec![0, 15, 160, 255]));
        for text in ["a", "zz", "+1"] {
            assert_eq!(unhex(text), None, "{text}");
        }
    }
}
