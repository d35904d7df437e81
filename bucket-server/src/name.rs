//! Names of buckets.

use anyhow::{Result, ensure};

/// Checks that `name` is a bucket's: 3 to 63 lowercase letters, digits, hyphens and dots, a letter or a
/// digit first and last, no two dots in a row.
///
/// # Errors
///
/// When it is not.
pub fn check_bucket_name(name: &str) -> Result<()> {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    ensure!(
        (3..=63).contains(&name.len())
            && name.chars().all(|c| alphanumeric(c) || c == '-' || c == '.')
            && name.starts_with(alphanumeric)
            && name.ends_with(alphanumeric)
            && !name.contains(".."),
        "{name:?} is not a bucket name: 3 to 63 lowercase letters, digits, hyphens and dots, a letter or a \
         digit first and last"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_names_follow_the_rules_of_s3() {
        for name in ["abc", "recordings", "a.b-c", "0ab", &"a".repeat(63)] {
            assert!(check_bucket_name(name).is_ok(), "{name}");
        }
        for name in ["", "ab", "Abc", "a_b", "-ab", "ab-", "a..b", ".ab", "a/b", "..", &"a".repeat(64)] {
            assert!(check_bucket_name(name).is_err(), "{name}");
        }
    }
}
