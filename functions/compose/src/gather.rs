//! Gathering the media of a file that is still open into blocks that a store can copy as parts.

use shared::bucket::Location;
use shared::catalog::{self, MediaGroup};
use shared::{Refusal, record_file};

use crate::block;
use crate::made::Pace;
use crate::source::{self, Chunk};
use crate::world::World;

/// Media type of a block.
const MEDIA: &str = "application/octet-stream";

/// Gathers what has come of a recording's open MP4 file, where the store of its bucket may copy it. Each byte of it is read
/// once.
///
/// # Errors
/// What a component refused; the same call can then be made again.
pub(crate) async fn gather(world: &impl World, recording: &str, pace: Pace) -> Result<(), Refusal> {
    let at = shared::work_bucket(world).await?;
    let first = match world.get_session(recording).await {
        // Nothing is known of it any more.
        Err(catalog::Error::NoSuchSession) => return Ok(()),
        first => first?,
    };
    let target = record_file::location(&first)?;
    if !is_one_store(&target, &at) || !world.may_copy(&target, world.now_ms()).await? {
        return Ok(());
    }
    while let Some((file, group)) = world.next_block(recording, pace.sizes.block).await? {
        pace.check(world, || format!("media of record file {file} of {recording} is to be gathered"))?;
        put(world, &at, &group).await?;
        world.note_block(recording, file, group).await?;
    }
    Ok(())
}

/// Whether two buckets lie at one object store. Whether it copies is for it to say.
pub(crate) fn is_one_store(one: &Location, other: &Location) -> bool {
    host(one) == host(other)
}

fn host(at: &Location) -> &str {
    let endpoint = at.endpoint.split_once("://").map_or(&*at.endpoint, |(_, host)| host);
    endpoint.trim_end_matches('/')
}

/// Creates a block. Whoever else creates it creates the same.
async fn put(world: &impl World, at: &Location, group: &MediaGroup) -> Result<(), Refusal> {
    let Some(object) = &group.block else { return Ok(()) };
    let chunks = source::chunks(world, at, &group.chunks).await?;
    let head = block::head(chunks.iter().map(|Chunk { table, media }| (&table[..], media.size)));
    let media = chunks.into_iter().map(|chunk| chunk.media).collect::<Vec<_>>();
    let size = head.len() as u64 + media.iter().map(|piece| piece.size).sum::<u64>();
    let create = async |body| world.put_new(at.clone(), object, MEDIA, object, size, body).await;
    let created = world.gather(at.clone(), head, media, create).await;
    created.map(drop).map_err(|error| source::of_work_bucket(error, object))
}
