//! What came after the last seal of a session, as far as the user's bucket holds it.
//!
//! The objects of its slices say how they were [committed](crate::slice_note). They are committed anew, one after the other,
//! up to the first one that is missing or says nothing. Where none is missing, nothing of the session is lost: its next file
//! has the next number. A chunk that is followed by no slice is told lost by its gateway, and has numbered nothing.

use store::Store;

use super::again::{self, Said};
use super::numbers;
use super::own_slices::{self, OwnSlices, Wanted, bucket_of};
use crate::command;
use crate::commit;
use crate::committed::{self, Committed};
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::guard::Rebuild;
use crate::log::part::Run;
use crate::order::{Generation, Order};
use crate::session::{self, Adopted, End, Session};
use crate::users::{Unseen, UserBuckets};
use crate::{missing, silence};

/// So many chunks of a session are told lost in one step, since a slice of the next one is there.
const MOST_MISSING: u64 = 500;

/// What became of a session's chunks after its last seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// There are more to look for.
    Unfinished,
    /// None of them is lost.
    Whole,
    /// What is not back is lost, or nobody knows of it.
    Cut,
}

/// A session and what is known of it.
#[derive(Clone, Copy)]
pub(super) struct Of<'a> {
    pub(super) session: &'a Session,
    /// Its last run.
    pub(super) run: Option<&'a Run>,
    /// Which recording it belongs to.
    pub(super) adopted: &'a Adopted,
}

/// Puts back the record of the last chunk that was sealed, and commits slices of the user's bucket after it; answers how
/// many. To be called before the session is found, until it is finished.
pub(super) async fn restore(
    (store, bucket, users): (&impl Store, &impl WorkBucket, &impl UserBuckets),
    of: Of<'_>,
    rebuild: &mut Rebuild,
    now_ms: u64,
) -> Result<(Tail, u64), Error> {
    let Of { session, run, .. } = of;
    let id = &session.id;
    let sealed = run.and_then(|run| run.last.as_ref());
    let mut length = committed::length(store, id).await?;
    if let Some((seq, last)) = sealed.filter(|(seq, _)| length <= *seq) {
        committed::restore(store, id, *seq, last).await?;
        length = seq + 1;
    }
    let mut last = match length.checked_sub(1) {
        Some(seq) => committed::get(store, id, seq).await?,
        None => None,
    };
    if last.as_ref().is_some_and(|last| is_cut(sealed, length, last)) {
        return Ok((Tail::Cut, 0));
    }
    let end = session::decided_end(bucket, id).await?;
    let chunks = end.filter(|end| end.is_told).map(|end| end.chunks);
    if chunks.is_some_and(|chunks| length >= chunks) {
        return Ok((Tail::Whole, 0));
    }
    let from_ms = last.as_ref().and_then(Committed::last_media_ms).unwrap_or(session.began_ms);
    let wanted = Wanted { session, first: length, chunks, from_ms };
    let Some(found) = find(users, wanted, rebuild, now_ms).await? else { return Ok((Tail::Cut, 0)) };
    let orders = command::orders(store, bucket, session).await?;
    let known = known(&orders);
    let closings = silence::closings_from(bucket, id, length).await?;
    let said = found.slices.iter().map(|own| {
        let is_closed = closings.contains(&own.seq);
        Said { is_closed, ..Said::of(session, own, known, now_ms) }
    });
    let mut said = standing(said.collect(), found.is_all);
    if let Some(last) = said.last()
        && found.is_all
        && end.is_none()
        && closings.iter().all(|closed| *closed <= last.seq)
        && !is_kept(bucket, session, last.seq).await?
    {
        // Its call died before it had kept its media, unless a silence behind it had its files written. Nobody was told
        // that it is durable: it comes again.
        said.pop();
    }
    let mut slices = 0;
    for said in said {
        let before = match last {
            Some(last) => Some(last),
            None => begin(store, bucket, of, now_ms).await?,
        };
        let Some(before) = before else { return Ok((Tail::Cut, slices)) };
        let Some(record) = again::commit(store, session, (length, &before), &said, now_ms).await? else {
            return Ok((Tail::Cut, slices));
        };
        (last, length) = (Some(record), said.seq + 1);
        slices += 1;
    }
    let tail = match found.is_all {
        true => Tail::Whole,
        // It would find the same each time.
        false if slices == 0 => Tail::Cut,
        false => Tail::Unfinished,
    };
    Ok((tail, slices))
}

/// The next slices of a session; `None` where the user's bucket does not show them.
async fn find(
    users: &impl UserBuckets,
    wanted: Wanted<'_>,
    rebuild: &mut Rebuild,
    now_ms: u64,
) -> Result<Option<OwnSlices>, Error> {
    let Some((endpoint, name)) = bucket_of(wanted.session) else { return Ok(None) };
    let bucket = format!("{endpoint}/{name}");
    if rebuild.unseen.contains(&bucket) {
        return Ok(None);
    }
    match own_slices::find(users, wanted, now_ms).await {
        Ok(found) => Ok(found),
        Err(Unseen::Refused(_)) => {
            rebuild.unseen.push(bucket);
            Ok(None)
        }
        Err(Unseen::Hidden) => {
            // Those of other sessions may be seen: the bucket is asked again, and named once.
            let hidden = format!("objects of {bucket}");
            if !rebuild.unseen.contains(&hidden) {
                rebuild.unseen.push(hidden);
            }
            Ok(None)
        }
        Err(Unseen::Failed(reason)) => Err(Error::UserBucket { bucket, reason }),
    }
}

/// How many orders there are, and how many of them begin a file.
fn known(orders: &[Order]) -> Generation {
    let most = |last: Generation, order: &Order| Generation {
        orders: last.orders.max(order.generation.orders),
        files: last.files.max(order.generation.files),
    };
    orders.iter().fold(Generation::default(), most)
}

/// How many slices there may be after what is sealed, by their names.
pub(super) async fn count(
    bucket: &impl WorkBucket,
    users: &impl UserBuckets,
    (session, run): (&Session, Option<&Run>),
    now_ms: u64,
) -> Result<Result<u64, Unseen>, Error> {
    let end = session::decided_end(bucket, &session.id).await?;
    let last = run.and_then(|run| run.last.as_ref());
    let first = last.map_or(0, |(seq, _)| seq + 1);
    let from_ms = last.and_then(|(_, last)| last.last_media_ms()).unwrap_or(session.began_ms);
    let chunks = end.filter(|end| end.is_told).map(|end| end.chunks);
    if chunks.is_some_and(|chunks| first >= chunks) {
        return Ok(Ok(0));
    }
    let wanted = Wanted { session, first, chunks, from_ms };
    let until_ms = end.map_or(now_ms, |end| end.ended_ms);
    Ok(own_slices::count(users, wanted, until_ms).await)
}

/// Whether the media of a chunk is there, as far as record files are made of it.
async fn is_kept(bucket: &impl WorkBucket, session: &Session, seq: u64) -> Result<bool, Error> {
    let mut formats = session.rule.iter().flat_map(|rule| &rule.formats);
    if !formats.any(|format| format.container.holds_media()) {
        return Ok(true);
    }
    let name = naming::media_object(&session.id, seq);
    let found = bucket.list(&name, "", 1).await.map_err(Error::WorkBucket)?;
    Ok(found.first() == Some(&name))
}

/// What the first chunk is built on; `None` where too many chunks are missing of the session that it continues.
///
/// A session has a slice only once all chunks of the one before it are committed. Those that are not back are slices that
/// are gone, or none.
async fn begin(
    store: &impl Store,
    bucket: &impl WorkBucket,
    Of { session, adopted, .. }: Of<'_>,
    now_ms: u64,
) -> Result<Option<Committed>, Error> {
    let first = async || match commit::first(store, bucket, session, adopted, now_ms).await {
        Ok((begin, _)) => Ok(Ok(begin)),
        Err(Error::Before { before, expected, .. }) => Ok(Err((before, expected))),
        Err(error) => Err(error),
    };
    let (before, from) = match first().await? {
        Ok(begin) => return Ok(Some(begin)),
        Err(missing) => missing,
    };
    let known = session::find(store, &before).await?.zip(session::ended(store, &before).await?);
    let is_few = |end: &End| end.chunks.saturating_sub(from) <= MOST_MISSING;
    let Some((before, end)) = known.filter(|(_, end)| is_few(end)) else { return Ok(None) };
    for seq in from..end.chunks {
        match missing::tell(store, bucket, (&before, &end), seq, now_ms).await {
            // Nor is the one before it back, of which no slice proves anything: its gateway brings what it has.
            Err(Error::Before { .. }) => return Ok(None),
            told => told?,
        }
    }
    Ok(first().await?.ok())
}

/// Whether a step before has found that what comes after a record is lost.
pub(super) fn is_cut(sealed: Option<&(u64, Committed)>, length: u64, record: &Committed) -> bool {
    match sealed {
        Some((seq, last)) if length == seq + 1 => record != last,
        _ => length > 0 && numbers::is_cut(&record.accounts),
    }
}

/// Those of some slices that stand, in their order. A slice that is there may have been told lost, as its answer never
/// came: the slice after it says so. Of the last one it is not known yet, where there are others.
fn standing(mut said: Vec<Said>, is_all: bool) -> Vec<Said> {
    said.sort_by_key(|said| said.seq);
    let (mut standing, mut next) = (Vec::new(), u64::MAX);
    for said in said.into_iter().rev() {
        if said.seq < next {
            next = said.first();
            standing.push(said);
        }
    }
    standing.reverse();
    if !is_all {
        standing.pop();
    }
    standing
}
