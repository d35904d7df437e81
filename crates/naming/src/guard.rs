//! The guard that every object name passes before anything is written under it.

use crate::{Error, MAX_OBJECT_NAME_BYTES};

/// Whether a name can be an object's name in every S3-compatible store without being read as a path that leads
/// elsewhere.
///
/// No empty, `.` or `..` segment (so no leading, trailing or doubled slash), no control character, no backslash.
///
/// # Errors
/// The first rule that the name breaks.
pub fn check_object_name(name: &str) -> Result<(), Error> {
    if name.len() > MAX_OBJECT_NAME_BYTES {
        return Err(Error::NameTooLong { bytes: name.len() });
    }
    if let Some((at, found)) = name.char_indices().find(|(_, c)| c.is_control() || *c == '\\') {
        return Err(Error::Character { name: name.into(), found, at });
    }
    let mut at = 0;
    for segment in name.split('/') {
        if matches!(segment, "" | "." | "..") {
            return Err(Error::Segment { name: name.into(), segment: segment.into(), at });
        }
        at += segment.len() + 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in
            ["", "/a", "a/", "a//b", ".", "..", "a/../b", "a/.", "./a", "a\\b", "a\nb", "a\0", "\u{85}"]
        {
            assert!(check_object_name(name).is_err(), "{name:?}");
        }
        assert_eq!(
            check_object_name("a/../b"),
            Err(Error::Segment { name: "a/../b".into(), segment: "..".into(), at: 2 })
        );
    }

    #[test]
    fn any_other_text_is_a_name() {
        for name in ["a", "...", "a/..b/c..", "直播/s 1~x.ts", "a:b?c#d&e%2f"] {
            assert_eq!(check_object_name(name), Ok(()), "{name:?}");
        }
    }

    #[test]
    fn the_longest_name_has_1023_bytes() {
        assert_eq!(check_object_name(&"x".repeat(1023)), Ok(()));
        assert_eq!(check_object_name(&"x".repeat(1024)), Err(Error::NameTooLong { bytes: 1024 }));
    }
}
