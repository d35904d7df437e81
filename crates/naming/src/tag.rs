//! Tags of objects. A tag says which one thing an object holds, and is stored beside it.
//!
//! Whoever may read finds by its tag whether an object that is in the way is its own. Where only writing is allowed,
//! the name has to say so: it ends in characters that follow from the tag, which no other writer's names do.

use crate::id::digest;

/// The tag of a slice: of a session, by its number.
#[must_use]
pub fn slice(session: &str, seq: u64) -> String {
    format!("{session}/{seq}")
}

/// The tag of a record file: of a recording, which is named by its first session, by format and number.
#[must_use]
pub fn file(recording: &str, format: &str, number: u32) -> String {
    format!("{recording}/{format}/{number}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What an object's name ends in, before its extension, that is the tag's own.
pub(crate) fn own_ending(tag: &str, names_taken: u32) -> String {
    let hash = hex(&digest([tag])[..4]);
    if names_taken < 2 { format!("-{hash}") } else { format!("-{hash}-{names_taken}") }
}

/// Whether no other thing than what the tag names is called so.
#[must_use]
pub fn is_own(name: &str, tag: &str) -> bool {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let ending = own_ending(tag, 1);
    let numbered = |stem: &str| {
        let (stem, number) = stem.rsplit_once('-')?;
        (stem.ends_with(&ending) && number.parse::<u32>().is_ok_and(|number| number > 1)).then_some(())
    };
    stem.ends_with(&ending) || numbered(stem).is_some()
}

/// Whether a tag is that of a slice or of a record file: their names can be made the tag's own. Others' names are as
/// somebody asked for them.
#[must_use]
pub fn is_of_recording(tag: &str) -> bool {
    let Some((session, _)) = tag.split_once('/') else { return false };
    let Some((day, random)) = session.split_once('-') else { return false };
    day.len() == 8
        && day.bytes().all(|byte| byte.is_ascii_digit())
        && random.len() == 32
        && random.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a tag is that of a record file.
#[must_use]
pub fn is_of_file(tag: &str) -> bool {
    is_of_recording(tag) && tag.split('/').count() == 3
}

/// The tag of an index file that the API writes: of its id, which is a UUID, and of what it says.
#[must_use]
pub fn index(id: &str, digest: [u8; 8]) -> String {
    format!("{id}/{}", hex(&digest))
}

/// Whether a tag is that of an index file.
#[must_use]
pub fn is_of_index(tag: &str) -> bool {
    let Some((id, digest)) = tag.split_once('/') else { return false };
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let lengths = id.split('-').map(|part| if is_hex(part) { part.len() } else { 0 });
    lengths.eq([8, 4, 4, 4, 12]) && digest.len() == 16 && is_hex(digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session_id;

    #[test]
    fn only_what_recordings_leave_has_names_of_its_own() {
        let session = session_id(1_767_323_045_000, [0xab; 16]);
        assert!(is_of_recording(&slice(&session, 3)));
        assert!(is_of_recording(&file(&session, "mp4", 3)));
        assert!(is_of_file(&file(&session, "mp4", 3)) && !is_of_file(&slice(&session, 3)));
        for other in
            ["first", "", "/", "a/b", "00112233-4455-6677-8899-aabbccddeeff/0011223344556677", &session]
        {
            assert!(!is_of_recording(other), "{other}");
        }
        // One letter of the day or of what was drawn, or one more or fewer of them, is another's.
        let tag = slice(&session, 3);
        for other in [
            tag.replacen('2', "x", 1),
            tag.replacen('2', "", 1),
            tag.replacen("ab", "xy", 1),
            tag.replacen("ab", "a", 1),
        ] {
            assert!(!is_of_recording(&other), "{other}");
        }
    }

    #[test]
    fn an_index_is_told_from_what_recordings_leave() {
        let tag = index("00112233-4455-6677-8899-aabbccddeeff", [7; 8]);
        assert!(is_of_index(&tag) && !is_of_recording(&tag), "{tag}");
        let session = session_id(1_767_323_045_000, [0xab; 16]);
        for other in [slice(&session, 3), file(&session, "mp4", 3), tag.replace('7', "x"), tag + "7"] {
            assert!(!is_of_index(&other), "{other}");
        }
    }

    #[test]
    fn a_name_is_a_tags_own_by_its_end_alone() {
        let own = own_ending("s/1", 1);
        for name in [format!("a/b{own}.ts"), format!("a/b{own}"), format!("a.b/c{own}-2.ts")] {
            assert!(is_own(&name, "s/1"), "{name}");
            assert!(!is_own(&name, "s/11") && !is_own(&name, "other/1"), "{name}");
        }
        for name in ["", "a.ts", &format!("a{own}b.ts"), &format!("a{own}-1.ts"), &format!("a{own}-x.ts")] {
            assert!(!is_own(name, "s/1"), "{name}");
        }
    }
}
