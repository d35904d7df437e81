//! A session that is over comes back when a chunk of it comes after all.

use store::Store;
use store::record::write;

use super::cold;
use crate::account::Place;
use crate::chunk::Chunk;
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::key;
use crate::log::part::{Run, Where};
use crate::next_file::{self, Next};
use crate::sealed::{Sealed, sealed};
use crate::session::{self, Session};
use crate::{committed, days, guard, status};

/// What a chunk of a session is that the store does not hold; `None` if it was never committed: the session is in
/// the store again then, and the chunk may come.
///
/// # Errors
/// [`Error::NoSuchSession`]; [`Error::Sealing`] while the session leaves the store; [`Error::Rebuilding`]; the store or the work bucket failed.
pub(crate) async fn recall(
    store: &impl Store,
    bucket: &impl WorkBucket,
    id: &str,
    seq: u64,
    now_ms: u64,
) -> Result<Option<Chunk>, Error> {
    if guard::is_rebuilding(store).await? {
        return Err(Error::Rebuilding);
    }
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
    revive(store, &session, at, &run, now_ms).await?;
    Ok(None)
}

/// Puts a session back. All who do so write the same; it is found once everything else is there.
async fn revive(
    store: &impl Store,
    session: &Session,
    at: Where,
    run: &Run,
    now_ms: u64,
) -> Result<(), Error> {
    let id = &session.id;
    // Also a chunk without media, or none at all in the end, is to be sealed and forgotten.
    let ended_ms = run.end.map_or(session.began_ms, |end| end.ended_ms);
    days::note_session(store, &session.stream, days::day(ended_ms), id, now_ms).await?;
    let sealed = Sealed { next: run.next(), at, is_held: false, is_revived: false };
    write(store, &key::sealed(id), &sealed).await?;
    if let Some((seq, last)) = &run.last {
        committed::restore(store, id, *seq, last).await?;
    }
    session::restore(store, run).await?;
    if let Some(over) = run.over.as_ref().filter(|over| over.continued.is_none()) {
        for format in session.rule.iter().flat_map(|rule| &rule.formats) {
            let container = format.container;
            let known = over.next_files.iter().find(|(of, _)| *of == container).map(|(_, next)| next);
            // The sessions before may have left the store. Whatever comes is in this one.
            let next = match known {
                Some(next) if next.from.session == *id => next.clone(),
                known => Next {
                    number: known.map_or(0, |next| next.number),
                    from: Place { session: id.clone(), seq: 0 },
                    empty_to: None,
                    done: known.and_then(|next| next.done.clone()),
                },
            };
            next_file::advance(store, &run.adopted.recording, container, &next).await?;
        }
        if let Some(told) = &over.told {
            status::restore(store, &run.adopted.recording, told).await?;
        }
    }
    Ok(write(store, &key::session(id), session).await?)
}
