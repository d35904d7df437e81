//! What was sealed, as readers find it.

use std::ops::RangeInclusive;

use store::Store;

use crate::account::Run as FileRun;
use crate::chunk::Chunk;
use crate::days;
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::log::part::{self, Run, Where};
use crate::log::{Kind, StreamDay};
use crate::sealed::{Sealed, sealed};
use crate::session::Session;

/// A session's run in a part; `None` if it is not there, or beyond retention.
pub(crate) async fn run_at(
    bucket: &impl WorkBucket,
    session: &Session,
    at: Where,
) -> Result<Option<Run>, Error> {
    let stream = session.stream.key();
    let runs = part::read(bucket, StreamDay { stream: &stream, day: at.day }, at.part).await?;
    Ok(runs.into_iter().find(|run| run.session.id == session.id))
}

/// The last run of a session that has left the store.
pub(crate) async fn last_run(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
    now_ms: u64,
) -> Result<Option<(Where, Run)>, Error> {
    if let Some(Sealed { at, .. }) = sealed(store, &session.id).await? {
        return Ok(run_at(bucket, session, at).await?.map(|run| (at, run)));
    }
    let stream = session.stream.key();
    for day in days::day(session.began_ms)..=days::day(now_ms) {
        let at = StreamDay { stream: &stream, day };
        for part in 0..at.parts(store, Kind::Sessions).await? {
            let at = Where { day, part };
            if let Some(run) = run_at(bucket, session, at).await?.filter(|run| run.over.is_some()) {
                return Ok(Some((at, run)));
            }
        }
    }
    Ok(None)
}

/// The runs of a session that lead up to one, back to that of a chunk; the oldest first.
pub(crate) async fn runs_from(
    bucket: &impl WorkBucket,
    session: &Session,
    last: Where,
    first: u64,
) -> Result<Vec<Run>, Error> {
    let (mut runs, mut at) = (Vec::new(), Some(last));
    while let Some(place) = at {
        let Some(run) = run_at(bucket, session, place).await? else { break };
        at = run.before.filter(|_| run.first > first);
        runs.push(run);
    }
    runs.reverse();
    Ok(runs)
}

/// Sealed chunks of a session, with their numbers, and the files that ended near them.
#[derive(Default)]
pub(crate) struct Cold {
    pub(crate) chunks: Vec<(u64, Chunk)>,
    pub(crate) ended: Vec<(usize, FileRun)>,
    /// The first chunk that is in the store alone.
    pub(crate) next: u64,
}

/// What is sealed of a range of a session's chunks.
pub(crate) async fn sealed_chunks(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
    range: &RangeInclusive<u64>,
) -> Result<Cold, Error> {
    let Some(Sealed { next, at, .. }) = sealed(store, &session.id).await? else { return Ok(Cold::default()) };
    if *range.start() >= next {
        return Ok(Cold { next, ..Cold::default() });
    }
    let mut cold = Cold { next, ..Cold::default() };
    for run in runs_from(bucket, session, at, *range.start()).await? {
        cold.chunks.extend(run.numbered().filter(|(seq, _)| range.contains(seq)));
        cold.ended.extend(run.ended);
    }
    Ok(cold)
}
