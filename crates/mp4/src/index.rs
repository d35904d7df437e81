//! What stands before the media of a file.

use crate::{Error, Policy, entry::small_box, movie, pieces::Pieces, track::Track};

/// Bytes of the header of a media data box with a size of 64 bits.
const MDAT_HEADER_SIZE: u64 = 16;

/// What stands before the media of a file: `ftyp`, `moov`, and the header of `mdat`.
///
/// Its bytes come in pieces of at most 48 KiB, but for `stsd` of long records.
#[derive(Clone, Debug)]
pub struct Index {
    pieces: Pieces,
    media_offset: u64,
    media_size: u64,
    duration_90khz: u64,
    left_out: u64,
}

impl Index {
    pub(crate) fn new(
        tracks: Vec<Track>,
        media_size: u64,
        left_out: u64,
        policy: &Policy,
    ) -> Result<Self, Error> {
        if tracks.is_empty() {
            return Err(Error::Empty);
        }
        let mut pieces = Pieces::default();
        pieces.push_bytes(small_box(*b"ftyp", b"isom\0\0\x02\0isomiso2avc1mp41"));
        let (moov, duration_90khz) = movie::moov(tracks, policy)?;
        pieces.append(moov);
        let size = media_size + MDAT_HEADER_SIZE;
        pieces.push_bytes([&[0, 0, 0, 1][..], b"mdat", &size.to_be_bytes()].concat());
        let media_offset = pieces.size();
        pieces.move_offsets(media_offset);
        Ok(Self { pieces, media_offset, media_size, duration_90khz, left_out })
    }

    /// Its bytes, in pieces that follow each other.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.pieces.iter()
    }

    /// Where the media begins in the file: the bytes of the whole index.
    #[must_use]
    pub fn media_offset(&self) -> u64 {
        self.media_offset
    }

    /// Bytes of the whole file.
    #[must_use]
    pub fn file_size(&self) -> u64 {
        self.media_offset + self.media_size
    }

    /// How long the file plays. Unit: 1/90 000 s.
    #[must_use]
    pub fn duration_90khz(&self) -> u64 {
        self.duration_90khz
    }

    /// Samples that no MP4 file can hold: several frames of AAC behind one ADTS header.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}
