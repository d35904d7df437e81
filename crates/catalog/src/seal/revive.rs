//! A session that is over comes back when a chunk of it comes after all.

use store::Store;
use store::record::write;

use super::{Sealed, cold, sealed};
use crate::chunk::Chunk;
use crate::committed;
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::file;
use crate::key;
use crate::log::part::{Run, Where};
use crate::session::{self, Session};

/// What a chunk of a session is that the store does not hold; `None` if it was never committed: the session is in
/// the store again then, and the chunk may come.
///
/// # Errors
/// [`Error::NoSuchSession`]; [`Error::Sealing`] while the session leaves the store; the store or the work bucket failed.
pub(crate) async fn recall(
    store: &impl Store,
    bucket: &impl WorkBucket,
    id: &str,
    seq: u64,
    now_ms: u64,
) -> Result<Option<Chunk>, Error> {
    let session = session::get(store, bucket, id).await?;
    let Some((at, run)) = cold::last_run(store, bucket, &session, now_ms).await? else {
        return Err(Error::NoSuchSession(id.into()));
    };
    if seq < run.next() {
        let runs = cold::runs_from(bucket, &session, at, seq).await?;
        let found = runs.iter().flat_map(Run::numbered).find(|(number, _)| *number == seq);
        // What is beyond retention was committed.
        return Ok(Some(found.map_or(Chunk::Empty, |(_, chunk)| chunk)));
    }
    if sealed(store, id).await?.is_some_and(|sealed| sealed.is_held) {
        return Err(Error::Sealing(id.into()));
    }
    revive(store, &session, at, &run).await?;
    Ok(None)
}

/// Puts a session back. All who do so write the same; it is found once everything else is there.
async fn revive(store: &impl Store, session: &Session, at: Where, run: &Run) -> Result<(), Error> {
    let id = &session.id;
    let sealed = Sealed { next: run.next(), at, is_held: false };
    write(store, &key::sealed(id), &sealed).await?;
    if let Some((seq, last)) = &run.last {
        committed::restore(store, id, *seq, last).await?;
    }
    session::restore(store, run).await?;
    if let Some(over) = run.over.as_ref().filter(|over| over.continued.is_none()) {
        for (container, next) in &over.next_files {
            file::restore_next(store, &run.adopted.recording, *container, next).await?;
        }
    }
    Ok(write(store, &key::session(id), session).await?)
}
