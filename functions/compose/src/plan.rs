//! Into which parts a record file is cut that is uploaded in parts.

use shared::Piece;

/// The most parts of a file of which some are copied: stores take no more. A file of more is cut into parts of one size.
const MOST_COPIED: usize = 10_000;

/// Most parts of a file that is sent, where they need not be smaller than [`Sizes::part`] for it. The longest cycle has six
/// hours, 42 s of which are a part then: whoever can send a stream as fast as it is pushed can send a part in the minute that a
/// store is waited for. With more parts what a file's index is made of would be read more often, and more be noted.
const MOST_SENT: u64 = 512;

/// What is noted of an upload is a value of the store. Unit: bytes.
const MOST_NOTED: usize = 250_000;

/// What is noted of a part beside its tag: its size, and the quotes that the tag has. Unit: bytes.
const NOTED: usize = 20;

/// Whether an upload of so many parts can be noted, of which one has this tag.
pub(crate) fn can_be_noted(parts: usize, etag: &str) -> bool {
    parts * (etag.len() + NOTED) <= MOST_NOTED
}

/// Sizes that the parts of a file go by. Unit: bytes.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// A file of at most so many is created at once, a longer one in parts. A part that is sent has about so many, or more
    /// where a file is long.
    pub part: u64,
    /// A block of gathered media is of at least so many bytes of slices.
    pub block: u64,
    /// The least that a part has, but the last one.
    pub least: u64,
}

impl Sizes {
    /// What stores take: at most 10,000 parts of 5 MiB to 5 GiB. What is sent stays sent from part to part, so a part has to
    /// come through while a store is waited for: one of 8 MiB does on a line of 1 Mb/s.
    pub const DEFAULT: Self = Self { part: 8 << 20, block: 32 << 20, least: 5 << 20 };

    /// How many bytes a part has that is sent, of a file of `size` bytes.
    pub(crate) fn sent(self, size: u64) -> u64 {
        self.part.max(size.div_ceil(MOST_SENT))
    }
}

/// Where the media of an MP4 file lies in it: as it is, behind the index.
#[derive(Debug)]
pub(crate) struct Media<'a> {
    /// Where each piece begins in the file.
    pieces: Vec<(u64, &'a Piece)>,
    first: u64,
    size: u64,
}

impl<'a> Media<'a> {
    /// `size`: that of the whole file.
    pub(crate) fn new(size: u64, pieces: &'a [Piece]) -> Self {
        let media: u64 = pieces.iter().map(|piece| piece.size).sum();
        let first = size.saturating_sub(media);
        let mut at = first;
        let placed = pieces.iter().map(|piece| {
            let placed = (at, piece);
            at += piece.size;
            placed
        });
        Self { pieces: placed.collect(), first, size }
    }

    /// The bytes of one object that are a part; `None` where there are none, or too few to be copied.
    pub(crate) fn source(&self, first: u64, size: u64, least: u64) -> Option<Piece> {
        let place = self.pieces.partition_point(|(at, _)| *at <= first).checked_sub(1)?;
        let (at, piece) = *self.pieces.get(place)?;
        let passed = first - at;
        let is_in_it = size >= least && passed + size <= piece.size;
        is_in_it.then(|| Piece { key: piece.key.clone(), first: piece.first + passed, size })
    }

    /// Parts of which those are whole pieces that can be. What stands before them takes of them what it needs to be a part.
    /// `None` where there is nothing to be copied, or too much.
    pub(crate) fn parts(&self, sizes: Sizes) -> Option<Vec<u64>> {
        let mut parts = Vec::new();
        let most = sizes.sent(self.size);
        let (mut pending, mut copied) = (self.first, 0);
        for (_, piece) in &self.pieces {
            let needed = if pending > 0 { sizes.least.saturating_sub(pending) } else { 0 };
            if piece.size < needed + sizes.least {
                pending += piece.size;
                if pending >= most {
                    parts.push(std::mem::take(&mut pending));
                }
                continue;
            }
            if pending > 0 {
                parts.push(pending + needed);
                pending = 0;
            }
            parts.push(piece.size - needed);
            copied += 1;
        }
        if pending > 0 {
            parts.push(pending);
        }
        (copied > 0 && parts.len() <= MOST_COPIED).then_some(parts)
    }
}

/// Parts of one size, but for the last.
pub(crate) fn equal(size: u64, part: u64) -> Vec<u64> {
    (0..size).step_by(part as usize).map(|first| part.min(size - first)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: Sizes = Sizes { part: 60, block: 32, least: 5 };

    fn pieces(sizes: &[u64]) -> Vec<Piece> {
        let piece =
            |(number, size): (usize, &u64)| Piece { key: number.to_string(), first: 100, size: *size };
        sizes.iter().enumerate().map(piece).collect()
    }

    #[track_caller]
    fn check(head: u64, sizes: &[u64], expected: &[u64], copied: &[(usize, &str, u64)]) {
        let pieces = pieces(sizes);
        let size = head + sizes.iter().sum::<u64>();
        let media = Media::new(size, &pieces);
        let parts = media.parts(SIZES).unwrap();
        assert_eq!(parts, expected);
        let (mut first, mut found) = (0, Vec::new());
        for (number, part) in parts.iter().enumerate() {
            if let Some(piece) = media.source(first, *part, SIZES.least) {
                found.push((number, piece.key, piece.first));
            }
            first += part;
        }
        let found: Vec<_> = found.iter().map(|(number, key, first)| (*number, &**key, *first)).collect();
        assert_eq!(found, copied);
        assert_eq!(first, size);
        let (_, others) = parts.split_last().unwrap();
        assert!(others.iter().all(|part| *part >= SIZES.least), "{parts:?}");
    }

    #[test]
    fn whole_pieces_are_copied_and_the_rest_is_sent() {
        check(2, &[32, 32, 3], &[5, 29, 32, 3], &[(1, "0", 103), (2, "1", 100)]);
        check(40, &[32], &[40, 32], &[(1, "0", 100)]);
        check(2, &[7, 32], &[9, 32], &[(1, "1", 100)]);
        check(2, &[1, 32], &[5, 30], &[(1, "1", 102)]);
        check(6, &[32, 4, 32, 1, 1], &[6, 32, 5, 31, 2], &[(1, "0", 100), (3, "2", 101)]);
        check(2, &[0, 10, 0, 5, 0], &[5, 7, 5], &[(1, "1", 103), (2, "3", 100)]);
    }

    #[test]
    fn small_pieces_are_sent_in_parts_of_bounded_size() {
        let many = [4; 60];
        let sizes: Vec<u64> = [&[32][..], &many, &[32]].concat();
        check(5, &sizes, &[5, 32, 60, 60, 60, 60, 32], &[(1, "0", 100), (6, "61", 100)]);
    }

    #[test]
    fn nothing_is_copied_where_there_is_nothing_to_copy_or_too_much() {
        assert_eq!(Media::new(12, &pieces(&[4, 4])).parts(SIZES), None);
        assert_eq!(Media::new(9, &pieces(&[4])).parts(SIZES), None);
        let many = pieces(&[5; MOST_COPIED]);
        let size = 9 + 5 * MOST_COPIED as u64;
        assert!(Media::new(size, &many).parts(SIZES).is_none());
        assert!(Media::new(size - 5, &many[1..]).parts(SIZES).is_some());
        // A tag of 32 digits in quotes, and one of a longer hash.
        assert!(can_be_noted(4_600, &"0".repeat(34)) && !can_be_noted(4_700, &"0".repeat(34)));
        assert!(!can_be_noted(4_600, &"0".repeat(66)));
        assert_eq!(equal(12, 5), [5, 5, 2]);
    }

    #[test]
    fn a_part_that_is_sent_comes_through_on_a_line_that_keeps_up_with_the_stream() {
        const MIB: u64 = 1 << 20;
        let sizes = Sizes::DEFAULT;
        for mbit_per_s in [1, 4, 20, 100] {
            for cycle_s in [60, 1_800, 21_600] {
                let size = mbit_per_s * 125_000 * cycle_s;
                let part = sizes.sent(size);
                let takes_s = part / (mbit_per_s * 125_000);
                assert!(takes_s < 68, "{takes_s} s of {mbit_per_s} Mb/s for {cycle_s} s");
                assert!(equal(size, part).len() <= MOST_SENT as usize);
            }
        }
        assert_eq!((sizes.sent(10), sizes.sent(4 << 30), sizes.sent(8 << 30)), (8 * MIB, 8 * MIB, 16 * MIB));
    }
}
