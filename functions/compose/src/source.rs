//! What a record file is made of, in the work bucket.

use futures_util::future::try_join_all;
use shared::bucket::{Error, Location};
use shared::catalog::MediaChunk;
use shared::files::Chunk;
use shared::{Piece, Refusal};

use crate::world::World;

/// So many bytes of a chunk are read first: nearly every sample table is smaller.
const HEAD_SIZE: u32 = 16 << 10;

/// Bytes before the table: how long it is, and how long the media behind it is.
const SIZES: usize = 12;

/// Longest sample table that is believed in, in bytes. A chunk of the most bytes, all of them frames of one byte, has a
/// smaller one.
const MAX_TABLE_SIZE: u32 = 64 << 20;

/// So many tables are read at once.
const AT_ONCE: usize = 16;

/// The sample tables of a file's chunks, and where their media lies.
///
/// # Errors
/// What the bucket refuses, with the object's name.
pub async fn read(world: &impl World, chunks: &[MediaChunk]) -> Result<(Vec<Chunk>, Vec<Piece>), Refusal> {
    let at = &shared::work_bucket(world).await?;
    let (mut tables, mut media) = (Vec::new(), Vec::new());
    for some in chunks.chunks(AT_ONCE) {
        let read = try_join_all(some.iter().map(|chunk| table(world, at, chunk))).await?;
        for (chunk, table, piece) in read {
            tables.push(Chunk { table, follows_gap: chunk.follows_gap });
            media.push(piece);
        }
    }
    Ok((tables, media))
}

/// A chunk's sample table, and where its media lies behind it.
async fn table<'a>(
    world: &impl World,
    at: &Location,
    chunk: &'a MediaChunk,
) -> Result<(&'a MediaChunk, Vec<u8>, Piece), Refusal> {
    let key = naming::media_object(&chunk.session, chunk.seq);
    let get = async |first, length| {
        let got = world.get_range(at.clone(), &key, first, length).await;
        got.map_err(|error: Error| Refusal::from(error).while_doing(&format!("work bucket object {key:?}")))
    };
    let mut bytes = get(0, HEAD_SIZE).await?;
    let broken = || Refusal::unavailable("MediaBroken", format!("work bucket object {key:?} is cut off"));
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(broken)?;
    let (media, _) = rest.split_first_chunk::<8>().ok_or_else(broken)?;
    let (size, media_size) = (u32::from_le_bytes(*length), u64::from_le_bytes(*media));
    if size > MAX_TABLE_SIZE {
        return Err(broken());
    }
    let end = SIZES + size as usize;
    if bytes.len() < end {
        let missing = (end - bytes.len()) as u32;
        bytes.extend(get(bytes.len() as u64, missing).await?);
    }
    bytes.truncate(end);
    if bytes.len() < end {
        return Err(broken());
    }
    let table = bytes.split_off(SIZES);
    Ok((chunk, table, Piece { key, first: end as u64, size: media_size }))
}
