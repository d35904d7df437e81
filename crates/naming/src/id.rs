//! Ids that follow from what they name, and their text.

use std::fmt::Write as _;

use chrono::NaiveDate;
use sha2::{Digest, Sha256};

use crate::Timezone;

/// SHA-256 over several parts, each preceded by its length in eight bytes, so that no two lists of parts are
/// hashed as the same bytes.
#[must_use]
pub fn digest<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        let part = part.as_ref();
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// A session's id: the UTC day of its begin, as `20261126`, a hyphen, and `random` in 32 hexadecimal digits.
#[must_use]
pub fn session_id(began_ms: u64, random: [u8; 16]) -> String {
    format!("{}-{:032x}", Timezone::UTC.local(began_ms).format("%Y%m%d"), u128::from_be_bytes(random))
}

/// The name of the object in the work bucket that holds a chunk's media, until record files are made of it.
#[must_use]
pub fn media_object(session: &str, seq: u64) -> String {
    format!("media/{session}/{seq}")
}

/// The name of the object in the work bucket that holds the media of several chunks of a recording's MP4 file, the first of
/// which it names, until the file is made of it.
#[must_use]
pub fn block_object(recording: &str, file: u32, (session, seq): (&str, u64), chunks: usize) -> String {
    format!("{}{session}.{seq}.{chunks}", blocks_of(recording, Some(file)))
}

/// What the names of the blocks of a recording, or of one of its MP4 files, begin with. Those of a file come after those of
/// the files before it.
#[must_use]
pub fn blocks_of(recording: &str, file: Option<u32>) -> String {
    file.map_or_else(|| format!("blocks/{recording}/"), |file| format!("blocks/{recording}/{file:010}/"))
}

/// The begin of the day that an id of [`session_id`] names, Unix milliseconds.
#[must_use]
pub fn session_day_ms(id: &str) -> Option<u64> {
    let (day, _) = id.split_once('-')?;
    let day = NaiveDate::parse_from_str(day, "%Y%m%d").ok()?;
    day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis().try_into().ok()
}

/// Sixteen bytes in the text form of a UUID (RFC 9562 §4), in lower case. The bytes are taken as they are: it is
/// the caller that sets a version and a variant, where anybody reads them.
#[must_use]
pub fn uuid(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        write!(text, "{byte:02x}").expect("writing into a string should not fail");
    }
    text
}

/// The text form of a UUID (RFC 9562 §4) whose first two bytes are the UTC day of a moment, counted from 1970, and whose
/// others are given: what it is the id of can be looked for by its day.
#[must_use]
pub fn dated_uuid(unix_ms: u64, mut bytes: [u8; 16]) -> String {
    [bytes[0], bytes[1]] = ((unix_ms / DAY_MS) as u16).to_be_bytes();
    uuid(bytes)
}

/// The day that an id of [`dated_uuid`] names, counted from 1970.
#[must_use]
pub fn day_of_id(id: &str) -> Option<u64> {
    u64::from_str_radix(id.get(..4)?, 16).ok()
}

/// The UTC day of a moment, as `2026-01-31`.
#[must_use]
pub fn utc_day(unix_ms: u64) -> String {
    Timezone::UTC.local(unix_ms).format("%Y-%m-%d").to_string()
}

/// The begin of the UTC day that a text of [`utc_day`] names, Unix milliseconds.
#[must_use]
pub fn utc_day_ms(text: &str) -> Option<u64> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis().try_into().ok()
}

const DAY_MS: u64 = 86_400_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_files_are_made_of_is_named_in_the_order_of_the_files() {
        assert_eq!(media_object("s", 7), "media/s/7");
        assert_eq!(block_object("r", 3, ("s", 7), 2), "blocks/r/0000000003/s.7.2");
        assert_eq!(blocks_of("r", None), "blocks/r/");
        assert!(block_object("r", 9, ("z", 0), 1) < blocks_of("r", Some(10)));
    }

    #[test]
    fn a_session_id_names_its_day() {
        let began_ms = 1_790_000_000_123;
        assert_eq!(session_day_ms(&session_id(began_ms, [3; 16])), Some(began_ms / DAY_MS * DAY_MS));
        for other in ["", "x", "20261301-a", "2026-1"] {
            assert_eq!(session_day_ms(other), None, "{other}");
        }
    }

    #[test]
    fn the_text_of_a_day_names_its_begin() {
        let day_ms = 20_483 * DAY_MS;
        for ms in [day_ms, day_ms + DAY_MS - 1] {
            assert_eq!(utc_day_ms(&utc_day(ms)), Some(day_ms));
        }
        assert_eq!(utc_day_ms("2026-02-30"), None);
    }

    #[test]
    fn a_dated_id_names_its_day() {
        let id = dated_uuid(1_790_000_000_123, [7; 16]);
        assert_eq!(id, "50ed0707-0707-0707-0707-070707070707".replacen("50ed", &id[..4], 1));
        assert_eq!(day_of_id(&id), Some(1_790_000_000_123 / DAY_MS));
        assert_eq!(day_of_id("x"), None);
        assert_eq!(day_of_id("äöüß"), None);
    }

    #[test]
    fn parts_that_only_join_alike_have_digests_of_their_own() {
        assert_ne!(digest(["ab", "c"]), digest(["a", "bc"]));
        assert_ne!(digest(["a", ""]), digest(["a"]));
        assert_eq!(digest(["a", "b"]), digest([b"a", b"b"]));
    }

    /// Computed apart from this code with Python's hashlib.
    #[test]
    fn digest_agrees_with_an_independent_computation() {
        let begin: [u8; 16] = digest(["ab", ""])[..16].try_into().unwrap();
        assert_eq!(uuid(begin), "5275cd81-a7ab-85c7-219c-be049231f08a");
    }

    #[test]
    fn a_session_names_the_day_of_its_begin() {
        assert_eq!(session_id(1_767_323_045_000, [0xab; 16]), format!("20260102-{}", "ab".repeat(16)));
    }

    #[test]
    fn a_uuid_is_written_in_five_groups() {
        let bytes = std::array::from_fn(|index| index as u8 * 0x11);
        assert_eq!(uuid(bytes), "00112233-4455-6677-8899-aabbccddeeff");
    }
}
