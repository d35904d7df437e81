//! Blocks: the media of several chunks in one object of the work bucket, with their sample tables before it.
//!
//! | bytes | hold, the lowest byte of a number first |
//! | --- | --- |
//! | 4 | how many chunks |
//! | 12 each | the size of the sample table in four bytes, and of the media in eight |
//! | | the sample tables |
//! | | the media |

/// The sizes of a chunk's sample table and of its media.
pub(crate) type Sizes = (u32, u64);

/// Bytes of a number of chunks, and of the sizes of one.
const COUNT: usize = 4;
const SIZES: usize = 12;

/// What stands before the media of a block.
pub(crate) fn head<'a>(chunks: impl Iterator<Item = (&'a [u8], u64)> + Clone) -> Vec<u8> {
    let mut head = (chunks.clone().count() as u32).to_le_bytes().to_vec();
    for (table, media) in chunks.clone() {
        head.extend((table.len() as u32).to_le_bytes());
        head.extend(media.to_le_bytes());
    }
    chunks.for_each(|(table, _)| head.extend_from_slice(table));
    head
}

/// How many bytes stand before the sample tables of a block of so many chunks.
pub(crate) fn tables_first(chunks: usize) -> usize {
    COUNT + chunks * SIZES
}

/// The sizes of a block's chunks, by its first bytes; `None` where it is of another number of chunks.
pub(crate) fn sizes(bytes: &[u8], chunks: usize) -> Option<Vec<Sizes>> {
    let (count, rest) = bytes.split_first_chunk::<COUNT>()?;
    if u32::from_le_bytes(*count) as usize != chunks {
        return None;
    }
    let sizes = rest.get(..chunks * SIZES)?.chunks_exact(SIZES).map(sizes_of);
    sizes.collect()
}

fn sizes_of(bytes: &[u8]) -> Option<Sizes> {
    let (table, media) = bytes.split_first_chunk::<4>()?;
    let (media, _) = media.split_first_chunk::<8>()?;
    Some((u32::from_le_bytes(*table), u64::from_le_bytes(*media)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let chunks = [(&b"table"[..], 7), (&b""[..], u64::MAX), (&b"t"[..], 0)];
        let head = head(chunks.into_iter());
        assert_eq!(sizes(&head, 3), Some(vec![(5, 7), (0, u64::MAX), (1, 0)]));
        assert_eq!(&head[tables_first(3)..], b"tablet");
        assert_eq!(sizes(&head, 2), None);
        for cut in 0..tables_first(3) {
            assert_eq!(sizes(&head[..cut], 3), None, "{cut}");
        }
    }
}
