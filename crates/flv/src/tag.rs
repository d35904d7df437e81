//! The file header and the tags after it.

use crate::Error;

/// Bytes before the first tag: the file header and the first `PreviousTagSize` (FLV 10.1 §E.2, §E.3).
pub const FILE_HEADER_SIZE: usize = 13;

/// Bytes of a tag before its body (FLV 10.1 §E.4.1).
pub const TAG_HEADER_SIZE: usize = 11;

const PREVIOUS_TAG_SIZE: usize = 4;

/// What a tag carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagKind {
    /// Type 8.
    Audio,
    /// Type 9.
    Video,
    /// Type 18: script data in AMF0, such as `onMetaData`.
    Script,
}

impl TagKind {
    /// The tag type on the wire, which is also the type of the RTMP message with the same body.
    #[must_use]
    pub fn wire(self) -> u8 {
        match self {
            Self::Audio => 8,
            Self::Video => 9,
            Self::Script => 18,
        }
    }

    /// `audio`, `video` or `script`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Script => "script",
        }
    }

    /// The kind with this tag type, or `None` for a type that FLV 10.1 reserves and for an encrypted tag.
    #[must_use]
    pub fn from_wire(tag_type: u8) -> Option<Self> {
        [Self::Audio, Self::Video, Self::Script].into_iter().find(|kind| kind.wire() == tag_type)
    }
}

/// The eleven bytes before a tag's body (FLV 10.1 §E.4.1).
///
/// A whole tag is this header, the body, and [`previous_tag_size`](Self::previous_tag_size) in four bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TagHeader {
    /// What the tag carries.
    pub kind: TagKind,
    /// Bytes of the body, below 2^24.
    pub body_size: u32,
    /// Decoding time in milliseconds, 32 bits that wrap.
    pub timestamp_ms: u32,
}

impl TagHeader {
    /// Reads a header, or gives `None` where the tag type is not one of [`TagKind`].
    #[must_use]
    pub fn parse(bytes: &[u8; TAG_HEADER_SIZE]) -> Option<Self> {
        let [tag_type, s1, s2, s3, t1, t2, t3, t0, ..] = *bytes;
        Some(Self {
            kind: TagKind::from_wire(tag_type)?,
            body_size: u32::from_be_bytes([0, s1, s2, s3]),
            // The upper eight bits of the time come last (TimestampExtended).
            timestamp_ms: u32::from_be_bytes([t0, t1, t2, t3]),
        })
    }

    /// What the four bytes after the body must say: the bytes of header and body. Fits 25 bits.
    #[must_use]
    pub fn previous_tag_size(&self) -> u32 {
        TAG_HEADER_SIZE as u32 + self.body_size
    }

    /// Bytes of the whole tag, the four after its body included. Fits 25 bits.
    #[must_use]
    pub fn tag_size(&self) -> u32 {
        self.previous_tag_size() + PREVIOUS_TAG_SIZE as u32
    }
}

/// One tag, borrowing its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag<'a> {
    /// What it carries.
    pub kind: TagKind,
    /// Decoding time in milliseconds, 32 bits that wrap.
    pub timestamp_ms: u32,
    /// Where the tag begins, in bytes from the first of the file or chunk.
    pub offset: u64,
    /// What the tag carries, up to 2^24 - 1 bytes.
    pub body: &'a [u8],
}

impl<'a> Tag<'a> {
    /// The tag at the start of `bytes` and the bytes that it takes, or `None` when more are needed.
    fn parse(bytes: &'a [u8], offset: u64) -> Result<Option<(Self, usize)>, Error> {
        let Some(&found) = bytes.first() else { return Ok(None) };
        if TagKind::from_wire(found).is_none() {
            return Err(Error::TagType { found, offset });
        }
        let Some((header, rest)) = bytes.split_first_chunk() else { return Ok(None) };
        let header = TagHeader::parse(header).ok_or(Error::TagType { found, offset })?;
        let TagHeader { kind, body_size, timestamp_ms } = header;
        let body_size = body_size as usize;
        if rest.len() < body_size + PREVIOUS_TAG_SIZE {
            return Ok(None);
        }
        let tag = Self { kind, timestamp_ms, offset, body: &rest[..body_size] };
        Ok(Some((tag, header.tag_size() as usize)))
    }
}

/// Bytes before the first tag, as far as can be told: more than there are where the file ends before them.
fn file_header_size(bytes: &[u8]) -> Result<usize, Error> {
    let Some((header, _)) = bytes.split_first_chunk::<9>() else { return Ok(FILE_HEADER_SIZE) };
    if &header[..4] != b"FLV\x01" {
        return Err(Error::Signature { found: [header[0], header[1], header[2], header[3]] });
    }
    // The flags that announce audio and video are not read: many encoders set them wrongly.
    let data_offset = u32::from_be_bytes([header[5], header[6], header[7], header[8]]);
    if data_offset < 9 {
        return Err(Error::HeaderLength { found: data_offset });
    }
    Ok((data_offset as usize).saturating_add(PREVIOUS_TAG_SIZE))
}

/// Bytes that the tag at the start of `bytes` needs, as far as can be told.
fn needed(bytes: &[u8]) -> u64 {
    let header = bytes.first_chunk().and_then(TagHeader::parse);
    header.map_or(TAG_HEADER_SIZE as u64, |header| header.tag_size().into())
}

/// The tags of a whole file or chunk held in memory.
///
/// `PreviousTagSize` fields are skipped, not checked: some writers leave them zero.
/// After an error the iterator ends.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    /// Reads the file header.
    ///
    /// # Errors
    /// [`Error::Signature`], [`Error::HeaderLength`], [`Error::Truncated`].
    pub fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        let offset = file_header_size(bytes)?;
        if bytes.len() < offset {
            return Err(Error::Truncated { offset: 0, needed: offset as u64, available: bytes.len() as u64 });
        }
        Ok(Self { bytes, offset })
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<Tag<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.bytes[self.offset..];
        if rest.is_empty() {
            return None;
        }
        let offset = self.offset as u64;
        match Tag::parse(rest, offset) {
            Ok(Some((tag, size))) => {
                self.offset += size;
                Some(Ok(tag))
            }
            Ok(None) => {
                self.offset = self.bytes.len();
                Some(Err(Error::Truncated { offset, needed: needed(rest), available: rest.len() as u64 }))
            }
            Err(error) => {
                self.offset = self.bytes.len();
                Some(Err(error))
            }
        }
    }
}

/// The tags of a stream that arrives in pieces of any size.
///
/// Holds the bytes of unread tags only: at most the pushed piece and one incomplete tag.
#[derive(Clone, Debug, Default)]
pub struct Demuxer {
    buffer: Vec<u8>,
    /// Bytes of `buffer` already given out.
    read: usize,
    /// Position of `buffer[0]` in the stream.
    base: u64,
    in_tags: bool,
}

impl Demuxer {
    /// A demuxer that expects a file header first.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.read);
        self.base += self.read as u64;
        self.read = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next tag, or `None` until more bytes are pushed.
    ///
    /// # Errors
    /// As [`Reader`], except that an incomplete tag is not one. The same error comes again on every later call.
    pub fn next_tag(&mut self) -> Result<Option<Tag<'_>>, Error> {
        if !self.in_tags {
            let size = file_header_size(&self.buffer)?;
            if self.buffer.len() < size {
                return Ok(None);
            }
            self.read = size;
            self.in_tags = true;
        }
        let parsed = Tag::parse(&self.buffer[self.read..], self.base + self.read as u64)?;
        Ok(parsed.map(|(tag, size)| {
            self.read += size;
            tag
        }))
    }
}

#[cfg(test)]
mod tests;
