//! What a record file is made of, in the work bucket.

use futures_util::future::join_all;
use shared::bucket::{Error, Location};
use shared::catalog::{MediaChunk, MediaGroup};
use shared::{Piece, Refusal, files};

use crate::block;
use crate::world::World;

/// So many bytes of a chunk are read first: nearly every sample table is smaller.
const HEAD_SIZE: u32 = 16 << 10;

/// So many bytes of a block are read first.
const BLOCK_HEAD_SIZE: u32 = 64 << 10;

/// Bytes before the table: how long it is, and how long the media behind it is.
const SIZES: usize = 12;

/// Longest sample table that is believed in, in bytes. A chunk of the most bytes, all of them frames of one byte, has a
/// smaller one.
const MAX_TABLE_SIZE: u32 = 64 << 20;

/// So many objects are read at once.
const AT_ONCE: usize = 16;

/// A chunk in the work bucket.
pub(crate) struct Chunk {
    /// Its sample table.
    pub(crate) table: Vec<u8>,
    /// Where its media lies.
    pub(crate) media: Piece,
}

/// What is read at a time: the chunks of a block, or one that is in none.
struct Unit<'a> {
    block: Option<&'a str>,
    chunks: &'a [MediaChunk],
}

/// The sample tables of a file's chunks, and where their media lies.
///
/// # Errors
/// What the bucket refuses, with the object's name.
pub(crate) async fn read(
    world: &impl World,
    groups: &[MediaGroup],
) -> Result<(Vec<files::Chunk>, Vec<Piece>), Refusal> {
    let at = &shared::work_bucket(world).await?;
    let mut units = Vec::new();
    for MediaGroup { block, chunks } in groups {
        match block {
            Some(block) => units.push(Unit { block: Some(block), chunks }),
            None => units.extend(chunks.chunks(1).map(|chunks| Unit { block: None, chunks })),
        }
    }
    let (mut tables, mut media) = (Vec::new(), Vec::new());
    for some in units.chunks(AT_ONCE) {
        for (read, pieces) in all(some.iter().map(|unit| unit_of(world, at, unit))).await? {
            tables.extend(read);
            media.extend(pieces);
        }
    }
    Ok((tables, media))
}

/// What all of some reads bring. Where one fails, the others come to their end all the same: a call of another component that
/// is given up leaves that one with what it waits for, and its next call traps.
///
/// # Errors
/// That of the first read that failed, in their order.
async fn all<T>(
    reads: impl IntoIterator<Item = impl Future<Output = Result<T, Refusal>>>,
) -> Result<Vec<T>, Refusal> {
    join_all(reads).await.into_iter().collect()
}

/// The sample tables of a unit, and where its media lies: in its block, where that is there.
async fn unit_of(
    world: &impl World,
    at: &Location,
    unit: &Unit<'_>,
) -> Result<(Vec<files::Chunk>, Vec<Piece>), Refusal> {
    let gathered = match unit.block {
        Some(block) => of_block(world, at, block, unit.chunks.len()).await?,
        None => None,
    };
    let (tables, media) = match gathered {
        Some((tables, media)) => (tables, vec![media]),
        None => {
            chunks(world, at, unit.chunks).await?.into_iter().map(|chunk| (chunk.table, chunk.media)).unzip()
        }
    };
    let tables = tables.into_iter().zip(unit.chunks);
    let tables = tables.map(|(table, chunk)| files::Chunk { table, gap_ms: chunk.gap_ms });
    Ok((tables.collect(), media))
}

/// The chunks themselves.
///
/// # Errors
/// What the bucket refuses, with the object's name.
pub(crate) async fn chunks(
    world: &impl World,
    at: &Location,
    chunks: &[MediaChunk],
) -> Result<Vec<Chunk>, Refusal> {
    let mut read = Vec::new();
    for some in chunks.chunks(AT_ONCE) {
        read.extend(all(some.iter().map(|chunk| of_chunk(world, at, chunk))).await?);
    }
    Ok(read)
}

/// A chunk's sample table, and where its media lies behind it.
async fn of_chunk(world: &impl World, at: &Location, chunk: &MediaChunk) -> Result<Chunk, Refusal> {
    let key = naming::media_object(&chunk.session, chunk.seq);
    let get = async |first, length| get(world, at, &key, first, length).await;
    let mut bytes = get(0, HEAD_SIZE).await?;
    let broken = || broken(&key);
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
    Ok(Chunk { table, media: Piece { key, first: end as u64, size: media_size } })
}

/// The sample tables of a block of so many chunks, and where their media lies behind them; `None` where it is not gathered,
/// or has more tables than are read at once: its chunks have them as well.
async fn of_block(
    world: &impl World,
    at: &Location,
    key: &str,
    chunks: usize,
) -> Result<Option<(Vec<Vec<u8>>, Piece)>, Refusal> {
    let mut bytes = match world.get_range(at.clone(), key, 0, BLOCK_HEAD_SIZE).await {
        Ok(bytes) => bytes,
        Err(Error::NoSuchObject) => return Ok(None),
        Err(error) => return Err(of_work_bucket(error, key)),
    };
    let first = block::tables_first(chunks);
    if bytes.len() < first {
        let missing = (first - bytes.len()) as u32;
        bytes.extend(get(world, at, key, bytes.len() as u64, missing).await?);
    }
    let sizes = block::sizes(&bytes, chunks).ok_or_else(|| broken(key))?;
    let tables: u64 = sizes.iter().map(|(table, _)| u64::from(*table)).sum();
    let end = first as u64 + tables;
    if tables > u64::from(MAX_TABLE_SIZE) {
        return Ok(None);
    }
    if (bytes.len() as u64) < end {
        let missing = (end - bytes.len() as u64) as u32;
        bytes.extend(get(world, at, key, bytes.len() as u64, missing).await?);
    }
    let mut rest = bytes.get(first..end as usize).ok_or_else(|| broken(key))?;
    let mut read = Vec::with_capacity(chunks);
    for (size, _) in &sizes {
        let (table, after) = rest.split_at_checked(*size as usize).ok_or_else(|| broken(key))?;
        read.push(table.to_vec());
        rest = after;
    }
    let size = sizes.iter().map(|(_, media)| media).sum();
    Ok(Some((read, Piece { key: key.into(), first: end, size })))
}

async fn get(
    world: &impl World,
    at: &Location,
    key: &str,
    first: u64,
    length: u32,
) -> Result<Vec<u8>, Refusal> {
    let got = world.get_range(at.clone(), key, first, length).await;
    got.map_err(|error| of_work_bucket(error, key))
}

/// Code of the problem that media is not there.
pub(crate) const MEDIA_GONE: &str = "MediaGone";

/// What the work bucket refused of an object.
pub(crate) fn of_work_bucket(error: Error, key: &str) -> Refusal {
    let is_gone = error == Error::NoSuchObject;
    let mut refusal = Refusal::from(error);
    if is_gone {
        refusal.problem.code = MEDIA_GONE.into();
    }
    refusal.while_doing(&format!("work bucket object {key:?}"))
}

fn broken(key: &str) -> Refusal {
    Refusal::unavailable("MediaBroken", format!("work bucket object {key:?} is cut off"))
}
