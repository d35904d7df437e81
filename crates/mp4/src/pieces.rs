//! The bytes of boxes, in pieces: an index of tens of megabytes is never held twice, nor moved as it grows.

use std::collections::VecDeque;

use crate::Error;

/// Bytes of a full piece: a multiple of every entry's size.
const PIECE_SIZE: usize = 48 * 1024;

/// Some bytes of an index.
#[derive(Clone, Debug)]
enum Piece {
    Bytes(Vec<u8>),
    /// Chunk offsets of 8 bytes each, counted from the first byte of media.
    Offsets(Vec<u8>),
}

/// Bytes in pieces.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pieces {
    list: VecDeque<Piece>,
    size: u64,
}

impl Pieces {
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    fn push(&mut self, piece: Piece) {
        let (Piece::Bytes(bytes) | Piece::Offsets(bytes)) = &piece;
        self.size += bytes.len() as u64;
        self.list.push_back(piece);
    }

    pub(crate) fn push_bytes(&mut self, bytes: Vec<u8>) {
        self.push(Piece::Bytes(bytes));
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.size += other.size;
        self.list.append(&mut other.list);
    }

    /// Puts these bytes into a box.
    pub(crate) fn into_box(mut self, kind: [u8; 4]) -> Result<Self, Error> {
        let found = self.size + 8;
        let limit = u32::MAX.into();
        let size = u32::try_from(found).map_err(|_| Error::TooLong { kind, found, limit })?;
        let header = [size.to_be_bytes(), kind].concat();
        self.size += 8;
        self.list.push_front(Piece::Bytes(header));
        Ok(self)
    }

    /// Counts chunk offsets from the first byte of the file, in which media begins at `media_offset`.
    pub(crate) fn move_offsets(&mut self, media_offset: u64) {
        for piece in &mut self.list {
            let Piece::Offsets(bytes) = piece else { continue };
            for offset in bytes.chunks_exact_mut(8) {
                let from_media = u64::from_be_bytes(offset.try_into().expect("eight bytes"));
                offset.copy_from_slice(&(media_offset + from_media).to_be_bytes());
            }
            *piece = Piece::Bytes(std::mem::take(bytes));
        }
    }

    /// The bytes, in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.list.iter().map(|piece| match piece {
            Piece::Bytes(bytes) | Piece::Offsets(bytes) => &bytes[..],
        })
    }
}

/// The entries of a box that has one for each sample, chunk or change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Column {
    pieces: Pieces,
    last: Vec<u8>,
    count: u64,
}

impl Column {
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Adds an entry of some numbers.
    pub(crate) fn push<const N: usize>(&mut self, numbers: [u32; N]) {
        if self.last.len() + 4 * N > PIECE_SIZE {
            self.pieces.push_bytes(std::mem::take(&mut self.last));
        }
        numbers.iter().for_each(|number| self.last.extend_from_slice(&number.to_be_bytes()));
        self.count += 1;
    }

    /// Adds a chunk offset.
    pub(crate) fn push_offset(&mut self, offset: u64) {
        if self.last.len() + 8 > PIECE_SIZE {
            self.pieces.push(Piece::Offsets(std::mem::take(&mut self.last)));
        }
        self.last.extend_from_slice(&offset.to_be_bytes());
        self.count += 1;
    }

    /// The box: version and flags of zero, `fields`, the number of entries, the entries.
    pub(crate) fn into_box(self, kind: [u8; 4], fields: &[u32]) -> Result<Pieces, Error> {
        let limit = u32::MAX.into();
        let count =
            u32::try_from(self.count).map_err(|_| Error::TooLong { kind, found: self.count, limit })?;
        let numbers = std::iter::once(0).chain(fields.iter().copied()).chain([count]);
        let mut content = Pieces::default();
        content.push_bytes(numbers.flat_map(u32::to_be_bytes).collect());
        content.append(self.pieces);
        content.push(if kind == *b"co64" { Piece::Offsets(self.last) } else { Piece::Bytes(self.last) });
        content.into_box(kind)
    }
}

/// Entries that are alike are one, with their number.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunColumn {
    column: Column,
    run: Option<(u32, u32)>,
}

impl RunColumn {
    pub(crate) fn push(&mut self, value: u32) {
        match &mut self.run {
            Some((count, last)) if *last == value && *count < u32::MAX => *count += 1,
            _ => {
                self.end_run();
                self.run = Some((1, value));
            }
        }
    }

    fn end_run(&mut self) {
        if let Some((count, value)) = self.run.take() {
            self.column.push([count, value]);
        }
    }

    pub(crate) fn into_box(mut self, kind: [u8; 4]) -> Result<Pieces, Error> {
        self.end_run();
        self.column.into_box(kind, &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pieces: Pieces) -> Vec<u8> {
        let bytes = pieces.iter().flatten().copied().collect::<Vec<_>>();
        assert_eq!(bytes.len() as u64, pieces.size());
        bytes
    }

    #[test]
    fn columns_of_any_length_are_boxes() {
        for count in [0, 1, 4_095, 4_096, 4_097, 100_000] {
            let mut column = Column::default();
            (0..count).for_each(|n| column.push([n, 7, 9]));
            let bytes = all(column.into_box(*b"stsc", &[]).unwrap());
            assert_eq!(bytes.len() as u32, 16 + 12 * count);
            assert_eq!(bytes[..4], (16 + 12 * count).to_be_bytes());
            let entries = bytes[16..].chunks(12).enumerate();
            let is_it = |(n, entry): (usize, &[u8])| entry[..4] == (n as u32).to_be_bytes();
            assert!(entries.into_iter().all(is_it));
        }
    }

    /// The bytes of each piece that holds entries, of which there are `count` of `N` numbers.
    fn sizes_of_pieces<const N: usize>(count: usize) -> Vec<usize> {
        let mut column = Column::default();
        (0..count).for_each(|n| column.push([n as u32; N]));
        column.into_box(*b"stsc", &[]).unwrap().iter().skip(2).map(<[u8]>::len).collect()
    }

    #[test]
    fn pieces_are_filled_and_none_grows_further() {
        // An entry more does not fit into a piece of 49,152 bytes.
        assert_eq!(sizes_of_pieces::<1>(2 * 12_288 + 1), [49_152, 49_152, 4]);
        assert_eq!(sizes_of_pieces::<2>(2 * 6_144), [49_152, 49_152]);
        assert_eq!(sizes_of_pieces::<3>(2 * 4_096 + 5), [49_152, 49_152, 60]);
        assert_eq!(sizes_of_pieces::<5>(2 * 2_457 + 3), [49_140, 49_140, 60]);
        let mut column = Column::default();
        (0..2 * 6_144 + 1).for_each(|n| column.push_offset(n));
        let pieces = column.into_box(*b"co64", &[]).unwrap();
        let sizes: Vec<_> = pieces.iter().skip(2).map(<[u8]>::len).collect();
        assert_eq!(sizes, [49_152, 49_152, 8]);
    }

    #[test]
    fn offsets_move_with_the_media() {
        let mut column = Column::default();
        (0..10_000).for_each(|n| column.push_offset(n << 20));
        let mut pieces = column.into_box(*b"co64", &[]).unwrap();
        pieces.move_offsets(1 << 32);
        let bytes = all(pieces);
        let last = u64::from_be_bytes(bytes[bytes.len() - 8..].try_into().unwrap());
        assert_eq!(last, (9_999 << 20) + (1 << 32));
    }

    #[test]
    fn equal_values_are_one_entry() {
        let mut column = RunColumn::default();
        [5, 5, 5, 0, 5].into_iter().for_each(|value| column.push(value));
        let bytes = all(column.into_box(*b"stts").unwrap());
        let numbers: Vec<u32> =
            bytes[12..].chunks(4).map(|number| u32::from_be_bytes(number.try_into().unwrap())).collect();
        assert_eq!(numbers, [3, 3, 5, 1, 0, 1, 5]);
    }

    #[test]
    fn more_equal_values_than_an_entry_counts_are_two() {
        let mut column = RunColumn { run: Some((u32::MAX - 1, 5)), ..RunColumn::default() };
        (0..3).for_each(|_| column.push(5));
        let bytes = all(column.into_box(*b"stts").unwrap());
        assert_eq!(bytes[12..], [0, 0, 0, 2, 255, 255, 255, 255, 0, 0, 0, 5, 0, 0, 0, 2, 0, 0, 0, 5]);
    }

    #[test]
    fn a_box_that_is_too_long_is_refused() {
        let pieces = Pieces { size: u32::MAX.into(), ..Pieces::default() };
        let expected = Error::TooLong { kind: *b"moov", found: 0x1_0000_0007, limit: 0xffff_ffff };
        assert_eq!(pieces.into_box(*b"moov").unwrap_err(), expected);
        assert_eq!(expected.to_string(), "the moov box would hold 4294967303, 4294967295 is the most");
    }
}
