//! Which keys and values every backend takes.
//!
//! Spin's backend for Azure Cosmos DB refuses keys with `/ \ ? #`, and DynamoDB refuses items past 400 KB.
//! What stays within the limits here is taken by those two, by sqlite and by Redis.

use crate::Error;

/// A key has fewer bytes than this.
pub const KEY_BYTES: usize = 255;

/// A value has fewer bytes than this.
pub const VALUE_BYTES: usize = 256 << 10;

/// Checks that every backend takes a key.
///
/// # Errors
/// [`Error::Key`]: the key is empty, has [`KEY_BYTES`] bytes or more, or holds `/`, `\`, `?`, `#` or a control
/// character.
pub fn check_key(key: &str) -> Result<(), Error> {
    let refused = |c: char| matches!(c, '/' | '\\' | '?' | '#') || c.is_control();
    let problem = if key.is_empty() {
        "is empty"
    } else if key.len() >= KEY_BYTES {
        "has 255 bytes or more"
    } else if key.contains(refused) {
        "holds `/`, `\\`, `?`, `#` or a control character"
    } else {
        return Ok(());
    };
    Err(Error::Key { key: key.into(), problem })
}

/// Checks that every backend takes a value.
///
/// # Errors
/// [`Error::ValueTooLarge`]: the value has [`VALUE_BYTES`] bytes or more.
pub fn check_value(key: &str, value: &[u8]) -> Result<(), Error> {
    match value.len() {
        size if size >= VALUE_BYTES => {
            Err(Error::ValueTooLarge { key: key.into(), size, limit: VALUE_BYTES })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_exact() {
        for key in ["a", "rule.0f.1", "直播", "x".repeat(254).as_str()] {
            assert_eq!(check_key(key), Ok(()), "{key}");
        }
        for key in ["", "a/b", "a\\b", "a?", "#a", "a\n", "x".repeat(255).as_str()] {
            assert!(matches!(check_key(key), Err(Error::Key { .. })), "{key:?}");
        }
        assert_eq!(check_value("k", &vec![0; 262_143]), Ok(()));
        let error = check_value("k", &vec![0; 262_144]).unwrap_err();
        assert_eq!(error.to_string(), "value of \"k\" has 262144 bytes, fewer than 262144 are allowed");
    }
}
