//! References from a playlist to its segments.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// RFC 3986 §2.3: unreserved characters stay. A colon is encoded, for in a first segment it would end a scheme
/// (§4.2), and so is every delimiter that some player might read as one.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The reference that leads from one object of a bucket to another one.
///
/// Both are object names, not encoded; the reference is percent-encoded and never absolute, so that a
/// recording plays from any host that serves the bucket.
#[must_use]
pub fn relative_uri(from: &str, to: &str) -> String {
    let folders: Vec<&str> = from.split('/').collect();
    let target: Vec<&str> = to.split('/').collect();
    let most = (folders.len() - 1).min(target.len() - 1);
    let shared = (0..most).take_while(|&i| folders[i] == target[i]).count();
    let up = "../".repeat(folders.len() - 1 - shared);
    format!("{up}{}", utf8_percent_encode(&target[shared..].join("/"), SEGMENT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from: &str, to: &str, expected: &str) {
        assert_eq!(relative_uri(from, to), expected, "{from} to {to}");
    }

    #[test]
    fn references_lead_from_the_playlist_to_the_segment() {
        check("record/live/x/0_a_b.m3u8", "record/live/x/17_0.ts", "17_0.ts");
        check("index/x.m3u8", "record/live/17_0.ts", "../record/live/17_0.ts");
        check("x.m3u8", "record/17_0.ts", "record/17_0.ts");
        check("a/b/x.m3u8", "17_0.ts", "../../17_0.ts");
        check("a/a.m3u8", "a/a/17.ts", "a/17.ts");
        // An object's name may begin another one's.
        check("a/b", "a/b/17.ts", "b/17.ts");
        check("a/b/x.m3u8", "a/b", "../b");
        check("a/b", "a/b", "b");
    }

    #[test]
    fn awkward_names_are_encoded() {
        check("x.m3u8", "2017-03-08-23:09:46 直?.ts", "2017-03-08-23%3A09%3A46%20%E7%9B%B4%3F.ts");
    }
}
