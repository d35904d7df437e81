//! Writing a record file, and noting that it is there.

use shared::bucket::{Error, Location};
use shared::catalog::{Container, RecordFile};
use shared::{Refusal, files, flag, record_file, tag};

use crate::made::{Made, Pace};
use crate::parts;
use crate::source;
use crate::world::World;

/// How many names are tried for a record file before it is left for the next try.
const MOST_NAMES: u32 = 4;

/// Writes a record file and notes that it is there.
///
/// # Errors
/// What a component refused; the same call can then be made again.
pub(crate) async fn write(world: &impl World, file: RecordFile, pace: Pace) -> Result<(), Refusal> {
    let (container, content_type, word) = match file.container {
        Container::Mp4 => (files::Container::Mp4, "video/mp4", "mp4"),
        Container::Flv => (files::Container::Flv, "video/x-flv", "flv"),
        Container::M3u8 => return Err(Refusal::unavailable("NoMedia", "a playlist holds no media")),
    };
    let keeps_gaps = flag(world, "keep_gaps").await?;
    let mut media = world.list_media(file.clone(), pace.sizes.block).await?;
    if !keeps_gaps {
        let chunks = media.iter_mut().flat_map(|group| &mut group.chunks);
        chunks.for_each(|chunk| chunk.gap_ms = chunk.gap_ms.and(Some(0)));
    }
    let made = Made {
        container,
        keeps_gaps,
        content_type,
        tag: tag::file(&file.recording, word, file.number),
        created_s: file.start_ms / 1_000,
        work: shared::work_bucket(world).await?,
        parts: source::read(world, &media).await?,
    };
    let session = world.get_session(&file.recording).await?;
    let at = record_file::location(&session)?;
    let object = put(world, &at, &file, &made, pace).await?;
    record_file::commit(world, &session, file, &object).await
}

/// Writes the file under the first name that no other writer has taken, and answers that name.
async fn put(
    world: &impl World,
    at: &Location,
    file: &RecordFile,
    made: &Made,
    pace: Pace,
) -> Result<String, Refusal> {
    let size = made.size(world).await?;
    let mut file = file.clone();
    for _ in 0..MOST_NAMES {
        let object = world.name_file(file.clone(), file.names_taken).await?;
        let created = if size <= pace.sizes.part {
            let put = async |body| {
                world.put_new(at.clone(), &object, made.content_type, &made.tag, size, body).await
            };
            made.write(world, 0, size, put).await?.map(drop).map_err(parts::Failure::from)
        } else {
            parts::Uploading { world, at, file: &file, object: &object, made, pace }.put(size).await
        };
        match created {
            Ok(()) => return Ok(object),
            Err(parts::Failure::Bucket(Error::Taken)) => {
                file.names_taken = world.take_file_name(file.clone()).await?;
            }
            Err(failure) => {
                return Err(Refusal::from(failure).while_doing(&format!("record file {object:?}")));
            }
        }
    }
    let message = format!("{MOST_NAMES} names of record file {} are other writers'", file.number);
    Err(Refusal::unavailable("NameTaken", message))
}
