//! What a configuration says, as far as it is asked for while it holds.

use std::hash::{BuildHasher, RandomState};

use codec::Configuration;
use flv::{AudioTagHeader, TagKind, VideoTagHeader};

use super::{Change, Codec, LENGTH_SIZE, class_and_codec};

/// What is asked of a configuration while it holds.
///
/// It is read when the configuration comes. A record may be long, and dear to read; a message for which it is asked, or a
/// header that is compared with it, is as short as its sender likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) codec: Codec,
    /// A hash of what it says: two that differ have the same one by a chance of one in 2^64.
    meaning: u64,
    /// A decoder can begin with it as far as can be told.
    is_complete: bool,
    /// It is of a codec, and of a profile of it, that is read.
    is_read: bool,
    /// Bytes of the length before each NAL unit.
    pub(super) length_size: u8,
    /// Width and height of the pictures, where it tells them.
    pub(super) picture_size: Option<(u32, u32)>,
}

impl Summary {
    /// Reads a sequence header; `None` where it cannot be used. Those that are compared have been read with the same
    /// `hashes`, whose keys no publisher knows.
    pub(super) fn read(kind: TagKind, body: &[u8], hashes: &RandomState) -> Option<Self> {
        let (_, codec) = class_and_codec(kind, body);
        let configuration = match kind {
            TagKind::Video => VideoTagHeader::parse(body).ok()?.configuration(),
            TagKind::Audio => AudioTagHeader::parse(body).ok()?.configuration(),
            TagKind::Script => None,
        }?;
        let (length_size, picture_size) = match &configuration {
            Configuration::Nal(record) => (record.length_size, record.sets.picture_size()),
            _ => (LENGTH_SIZE, None),
        };
        Some(Self {
            codec: codec?,
            meaning: hashes.hash_one(&configuration),
            is_complete: configuration.is_complete(),
            is_read: !matches!(configuration, Configuration::Other(_)),
            length_size,
            picture_size,
        })
    }

    /// What it means for the configuration of its track that is held.
    pub(super) fn change_from(self, held: Option<Self>) -> Change {
        let Some(held) = held else { return Change::Added };
        if self.codec != held.codec {
            return Change::Replaced;
        }
        // A record that leaves something to the stream, or is of an AAC that is not read, replaces no better one.
        let is_worse = held.is_complete && !self.is_complete || held.is_read && !self.is_read;
        match self.meaning == held.meaning {
            true => Change::Repeated,
            false if is_worse => Change::Unusable,
            false => Change::Replaced,
        }
    }
}
