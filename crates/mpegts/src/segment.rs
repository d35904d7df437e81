//! The pieces that a PES packet is put together of.

use codec::aac::AdtsHeader;

/// Bytes of the longest piece that the muxer makes: a PES header with two times.
pub(crate) const MAX_MADE_SIZE: usize = 19;

/// Some bytes of a PES packet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Segment<'a> {
    /// Not copied: pushed bytes, mostly, or constants.
    Lent(&'a [u8]),
    /// Made by the muxer, with their length.
    Made([u8; MAX_MADE_SIZE], u8),
    /// What goes before an AAC frame.
    Adts(AdtsHeader),
}

impl Segment<'_> {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Lent(bytes) => bytes,
            Self::Made(bytes, length) => &bytes[..usize::from(*length)],
            Self::Adts(header) => header.as_bytes(),
        }
    }

    /// Copies bytes that the muxer made: at most [`MAX_MADE_SIZE`].
    pub(crate) fn made(bytes: &[u8]) -> Self {
        let mut made = [0; MAX_MADE_SIZE];
        made[..bytes.len()].copy_from_slice(bytes);
        Self::Made(made, bytes.len() as u8)
    }
}
