//! What can be wrong with FLV bytes.

/// Bytes that are not FLV. Offsets count from the first byte of the file or chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file does not begin with `FLV` and version 1.
    #[error("expected the signature 46 4c 56 01, found {found:02x?}")]
    Signature {
        /// The first four bytes.
        found: [u8; 4],
    },
    /// The header's `DataOffset` is shorter than the header itself.
    #[error("header declares a length of {found} bytes, at least 9 are needed")]
    HeaderLength {
        /// The declared length.
        found: u32,
    },
    /// The bytes end inside the header, a tag, or the length after a tag.
    #[error("ends inside a tag: {needed} bytes are needed at offset {offset}, {available} are left")]
    Truncated {
        /// Where the header or tag begins.
        offset: u64,
        /// Bytes it needs.
        needed: u64,
        /// Bytes that are there.
        available: u64,
    },
    /// A tag is neither audio (8), video (9) nor script data (18), or it is encrypted.
    #[error("expected tag type 8, 9 or 18, found {found} at offset {offset}")]
    TagType {
        /// The first byte of the tag.
        found: u8,
        /// Where the tag begins.
        offset: u64,
    },
    /// An audio or video tag body ends inside its header.
    #[error("{kind} header needs {needed} bytes, the tag body holds {available}")]
    MessageTruncated {
        /// `audio` or `video`.
        kind: &'static str,
        /// Bytes the header needs.
        needed: u64,
        /// Bytes of the body.
        available: u64,
    },
    /// A tag body to be written does not fit the 24-bit length field.
    #[error("tag body of {found} bytes exceeds the limit of 16777215")]
    BodyTooLong {
        /// Bytes of the body.
        found: u64,
    },
    /// The media of a chunk is shorter than its table says.
    #[error("a chunk's table tells of {needed} bytes of media, {available} are there")]
    MediaTruncated {
        /// What the table says.
        needed: u64,
        /// What is there.
        available: u64,
    },
}
