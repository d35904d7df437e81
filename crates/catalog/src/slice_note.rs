//! What the object of a slice says beside its bytes: how the slice was committed.
//!
//! A commit is a function of the record before it and of what the chunk brings. So who finds the objects of a session
//! after the key-value store was lost, one after the other, can commit them anew: see [`rebuild`](crate::rebuild).
//!
//! A note is text of Base64 (RFC 4648 §5, without padding), all numbers in it as LEB128:
//!
//! | field | present |
//! | --- | --- |
//! | version, flags: one byte each | always |
//! | orders and files of the slice's generation | always |
//! | orders and files of the generation of the chunk before it | `BEFORE` |
//! | number of formats; of each the number of its open file, and how many slices that has | always |
//! | number of tracks that are left out; of each its length and its bytes | always |
//! | length and bytes of a [page](crate::page): the chunks since the slice before, and the slice | always |
//! | state of the remuxer after it | the rest |
//!
//! It is read as anybody's text: whoever owns the bucket can write it.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::chunk::{Chunk, Slice};
use crate::order::Generation;
use crate::page::{self, Reader, put};

/// The longest note. S3 keeps 2 KB of metadata for an object, names included, and a tag is beside it. Unit: bytes.
pub(crate) const MAX_BYTES: usize = 1_800;

const VERSION: u8 = 1;

const PARTED: u8 = 1;
const PARTED_BEFORE: u8 = 2;
const FOLLOWED_BY_ENTRY: u8 = 4;
const BEFORE: u8 = 8;

/// A rule has three formats at most.
const MOST_FORMATS: u64 = 8;

/// Tracks that are left out, and the longest name of one.
const MOST_LEFT_OUT: (u64, u64) = (8, 64);

/// How a slice was committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SliceNote {
    /// What its gateway had been ordered when it cut the slice.
    pub(crate) generation: Generation,
    /// The same of the chunk before it.
    pub(crate) before: Generation,
    /// It was in another file than what came before, for what was found when it was committed.
    pub(crate) is_parted: bool,
    /// So was a chunk between the slice before and this one.
    pub(crate) is_parted_before: bool,
    /// The chunk after it begins with an access unit that a player can begin with.
    pub(crate) is_followed_by_entry: bool,
    /// Of each format of its rule: the file that it is in, and how many slices that has with it.
    pub(crate) files: Vec<(u32, u32)>,
    /// Its tracks that are not recorded and of which nobody had been told.
    pub(crate) left_out: Vec<String>,
    /// The chunks right before it that are no slices, as far as they are known.
    pub(crate) between: Vec<Chunk>,
    /// What it is.
    pub(crate) slice: Slice,
    /// State of the remuxer after it.
    pub(crate) remux_state: Vec<u8>,
}

impl SliceNote {
    /// As text; `None` where that is too long.
    pub(crate) fn encode(&self) -> Option<String> {
        let has_before = self.before != self.generation;
        let mut flags = 0;
        for (flag, is_set) in [
            (PARTED, self.is_parted),
            (PARTED_BEFORE, self.is_parted_before),
            (FOLLOWED_BY_ENTRY, self.is_followed_by_entry),
            (BEFORE, has_before),
        ] {
            flags |= if is_set { flag } else { 0 };
        }
        let mut bytes = vec![VERSION, flags];
        for generation in std::iter::once(self.generation).chain(has_before.then_some(self.before)) {
            put(&mut bytes, generation.orders.into());
            put(&mut bytes, generation.files.into());
        }
        put(&mut bytes, self.files.len() as u64);
        for (number, slices) in &self.files {
            put(&mut bytes, (*number).into());
            put(&mut bytes, (*slices).into());
        }
        put(&mut bytes, self.left_out.len() as u64);
        for track in &self.left_out {
            put_bytes(&mut bytes, track.as_bytes());
        }
        let mut chunks = self.between.clone();
        chunks.push(Chunk::Slice(self.slice));
        put_bytes(&mut bytes, &page::encode(&chunks));
        bytes.extend(&self.remux_state);
        let text = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        // One that does not come back as it is, is none: a track may have a name that is too long.
        (text.len() <= MAX_BYTES && Self::decode(&text).as_ref() == Some(self)).then_some(text)
    }

    /// What a text says; `None` where it is no note of this version.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        if text.len() > MAX_BYTES {
            return None;
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let mut reader = Reader::new(&bytes);
        if reader.byte()? != VERSION {
            return None;
        }
        let flags = reader.byte()?;
        if flags & !(PARTED | PARTED_BEFORE | FOLLOWED_BY_ENTRY | BEFORE) != 0 {
            return None;
        }
        let generation = read_generation(&mut reader)?;
        let before = if flags & BEFORE != 0 { read_generation(&mut reader)? } else { generation };
        let formats = reader.number().filter(|formats| *formats <= MOST_FORMATS)?;
        let mut files = Vec::new();
        for _ in 0..formats {
            files.push((reader.number()?.try_into().ok()?, reader.number()?.try_into().ok()?));
        }
        let (most_tracks, longest) = MOST_LEFT_OUT;
        let tracks = reader.number().filter(|tracks| *tracks <= most_tracks)?;
        let mut left_out = Vec::new();
        for _ in 0..tracks {
            let length = reader.number().filter(|length| *length <= longest)?;
            left_out.push(track(reader.bytes(length)?)?);
        }
        let length = reader.number()?;
        let mut between = page::decode(reader.bytes(length)?).ok()?;
        let Some(Chunk::Slice(slice)) = between.pop() else { return None };
        if between.iter().any(|chunk| matches!(chunk, Chunk::Slice(_))) {
            return None;
        }
        Some(Self {
            generation,
            before,
            is_parted: flags & PARTED != 0,
            is_parted_before: flags & PARTED_BEFORE != 0,
            is_followed_by_entry: flags & FOLLOWED_BY_ENTRY != 0,
            files,
            left_out,
            between,
            slice,
            remux_state: reader.rest().to_vec(),
        })
    }
}

fn read_generation(reader: &mut Reader<'_>) -> Option<Generation> {
    Some(Generation { orders: reader.number()?.try_into().ok()?, files: reader.number()?.try_into().ok()? })
}

/// A track's name, which users' servers are told.
fn track(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.bytes().all(|byte| matches!(byte, b' '..=b'~')).then(|| text.to_owned())
}

fn put_bytes(bytes: &mut Vec<u8>, more: &[u8]) {
    put(bytes, more.len() as u64);
    bytes.extend(more);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::{Gap, GapReason};
    use crate::tests::world::slice;

    fn note() -> SliceNote {
        SliceNote {
            generation: Generation { orders: 3, files: 1 },
            before: Generation { orders: 2, files: 1 },
            is_parted: false,
            is_parted_before: true,
            is_followed_by_entry: true,
            files: vec![(7, 300), (0, 1)],
            left_out: vec!["audio speex".into()],
            between: vec![
                Chunk::Empty,
                Chunk::Gap(Gap { reason: GapReason::Shed, from_ms: 5_000, to_ms: 10_000 }),
            ],
            slice: Slice { anchor_ms: 1_767_323_045_000, names_taken: 2, ..slice(9) },
            remux_state: (0..=255).chain(0..=255).collect(),
        }
    }

    #[test]
    fn a_note_comes_back_as_it_was() {
        let all = note();
        let plain = SliceNote {
            before: all.generation,
            is_parted: true,
            is_parted_before: false,
            is_followed_by_entry: false,
            files: Vec::new(),
            left_out: Vec::new(),
            between: Vec::new(),
            remux_state: Vec::new(),
            ..all.clone()
        };
        for note in [all, plain] {
            let text = note.encode().unwrap();
            // A header's value, which no store changes.
            assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{text}");
            assert_eq!(SliceNote::decode(&text), Some(note));
        }
        assert!(note().encode().unwrap().len() < 800);
    }

    #[test]
    fn what_is_too_long_is_no_note() {
        let long = SliceNote { remux_state: vec![1; 1_400], ..note() };
        assert_eq!(long.encode(), None);
        // The longest one is a note, and nobody reads a longer one.
        let bytes = (0..).map(|length| SliceNote { remux_state: vec![1; length], ..note() });
        let longest = bytes.map_while(|note| note.encode()).last().unwrap();
        assert_eq!(longest.len(), MAX_BYTES);
        let mut longer = BASE64_URL_SAFE_NO_PAD.decode(&longest).unwrap();
        longer.push(1);
        assert_eq!(SliceNote::decode(&BASE64_URL_SAFE_NO_PAD.encode(longer)), None);
        let track = SliceNote { left_out: vec!["x".repeat(65)], ..note() };
        assert_eq!(track.encode(), None);
        let foreign = SliceNote { left_out: vec!["audio\n".into()], ..note() };
        assert_eq!(foreign.encode(), None);
    }

    #[test]
    fn any_text_is_refused_or_read_and_never_panics() {
        let text = note().encode().unwrap();
        let head = text.len() - 512 * 4 / 3;
        for end in 0..head {
            assert_eq!(SliceNote::decode(&text[..end]), None, "{end}");
        }
        // Each byte in turn is another one.
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&text).unwrap();
        for at in 0..bytes.len() - 512 {
            for byte in [0, 1, 2, 0x7f, 0x80, 0xff] {
                let mut other = bytes.clone();
                other[at] = byte;
                SliceNote::decode(&BASE64_URL_SAFE_NO_PAD.encode(other));
            }
        }
        for other in ["", "=", "AQ==", "ÄÖ", &"A".repeat(5_000)] {
            assert_eq!(SliceNote::decode(other), None, "{other}");
        }
    }
}
