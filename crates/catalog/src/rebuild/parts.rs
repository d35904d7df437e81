//! The parts of the log count again.

use store::Store;
use store::record::write;

use super::Found;
use crate::chunk::Chunk;
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::log::part::{self, Run, Where};
use crate::log::{Kind, StreamDay, of_object};
use crate::seal::{files as seal_files, retention};
use crate::sealed::{Sealed, sealed};
use crate::time::Retention;
use crate::{days, key, stored_file};

/// Has a part of what was recorded count, and notes how far its sessions are sealed.
pub(super) async fn sessions(
    store: Option<&impl Store>,
    bucket: &impl WorkBucket,
    name: &str,
    found: &mut Found,
    kept: Retention,
) -> Result<(), Error> {
    let Some((stream, day, part)) = of_object(name) else { return Ok(()) };
    let at = StreamDay { stream, day };
    let runs = part::read(bucket, at, part).await?;
    let slices = runs.iter().flat_map(|run| &run.chunks).filter(|chunk| matches!(chunk, Chunk::Slice(_)));
    found.parts += 1;
    found.slices += slices.count() as u64;
    found.sessions += runs.len() as u64;
    let Some(store) = store else { return Ok(()) };
    for run in &runs {
        note(store, run, Where { day, part }).await?;
    }
    if part == 0 {
        retention::forget_later(store, at, kept).await?;
        days::note_pushed(store, stream, day).await?;
    }
    at.mark(store, Kind::Sessions, part).await
}

/// Notes how far a session is sealed: its longest run, and of those that are as long the one in which it was over.
async fn note(store: &impl Store, run: &Run, at: Where) -> Result<(), Error> {
    let id = &run.session.id;
    let new = Sealed { next: run.next(), at, is_held: run.over.is_some(), is_revived: run.is_revived };
    let rank = |sealed: &Sealed| (sealed.next, sealed.is_held, sealed.at);
    let known = sealed(store, id).await?;
    if known.is_some_and(|known| rank(&known) >= rank(&new)) {
        return Ok(());
    }
    Ok(write(store, &key::sealed(id), &new).await?)
}

/// Has a part of record files and indexes count.
pub(super) async fn files(
    store: Option<&impl Store>,
    bucket: &impl WorkBucket,
    name: &str,
    found: &mut Found,
    kept: Retention,
) -> Result<(), Error> {
    let Some((stream, day, part)) = of_object(name) else { return Ok(()) };
    let at = StreamDay { stream, day };
    let files = stored_file::read_part(bucket, at, part).await?;
    found.files += files.iter().filter(|stored| !stored.is_deleted).count() as u64;
    let Some(store) = store else { return Ok(()) };
    if part == 0 {
        seal_files::forget_later(store, at, kept).await?;
    }
    at.mark(store, Kind::Files, part).await
}
