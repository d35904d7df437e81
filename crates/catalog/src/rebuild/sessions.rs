//! Sessions come back that are not over.

use store::Store;
use store::record::write;

use super::numbers;
use super::tail::{self, Of, Tail};
use crate::committed::Committed;
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::guard::Rebuild;
use crate::log::part::{self, Run};
use crate::log::{StreamDay, of_object};
use crate::seal::cold;
use crate::sealed::{Sealed, sealed};
use crate::session::{self, Adopted, Session};
use crate::time::Retention;
use crate::users::UserBuckets;
use crate::{command, committed, days, key, silence, timer};

/// So many names of parts are asked for at a time.
const LISTED: u32 = 1_000;

/// A stream's last parts, in one of which a session is that is not over.
const PARTS: usize = 4;

/// A session that is to be put back.
struct Lost {
    session: Session,
    /// Its last run.
    run: Option<Run>,
    /// The session that it continues.
    continues: Option<String>,
}

/// What came of putting back.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Restored {
    /// So many sessions.
    pub(super) sessions: u64,
    /// So many slices of users' buckets.
    pub(super) slices: u64,
    /// There are slices left: the session is to be put back by the next step.
    pub(super) is_unfinished: bool,
}

/// Puts a session back, unless it is there or over; before it those that it continues. Is unfinished as well where there
/// were so many slices before the last of them.
pub(super) async fn restore(
    (store, bucket, users): (&impl Store, &impl WorkBucket, &impl UserBuckets),
    (id, most_slices): (&str, u64),
    rebuild: &mut Rebuild,
    retention: Retention,
    now_ms: u64,
) -> Result<Restored, Error> {
    let mut chain: Vec<Lost> = Vec::new();
    let mut at = Some(id.to_owned());
    while let Some(id) = at {
        let Some(lost) = lost(store, bucket, &id, retention, now_ms).await? else { break };
        at = lost.continues.clone();
        chain.push(lost);
    }
    let mut restored = Restored::default();
    while let Some(lost) = chain.pop() {
        let (tail, slices) = put_back((store, bucket, users), lost, rebuild, retention, now_ms).await?;
        restored.slices += slices;
        restored.sessions += u64::from(tail != Tail::Unfinished);
        let is_enough = restored.slices >= most_slices && !chain.is_empty();
        if tail == Tail::Unfinished || is_enough {
            return Ok(Restored { is_unfinished: true, ..restored });
        }
    }
    Ok(restored)
}

/// What is known of a session that is to be put back.
async fn lost(
    store: &impl Store,
    bucket: &impl WorkBucket,
    id: &str,
    retention: Retention,
    now_ms: u64,
) -> Result<Option<Lost>, Error> {
    if session::find(store, id).await?.is_some() {
        return Ok(None);
    }
    let sealed = sealed(store, id).await?;
    if sealed.is_some_and(|sealed| sealed.is_held) {
        return Ok(None);
    }
    let Some(session) = session::object(bucket, id).await? else {
        // Its offer has expired.
        timer::set(store, now_ms + retention.sessions_ms, &format!("q {id}")).await?;
        return Ok(None);
    };
    let run = match sealed {
        Some(sealed) => cold::run_at(bucket, &session, sealed.at).await?,
        None => None,
    };
    let continues = match &run {
        Some(run) => run.adopted.continues.clone(),
        None => session::continues(bucket, &session).await?,
    };
    Ok(Some(Lost { session, run, continues }))
}

/// Puts a session back, with what came after its last seal. It is found once everything else is there.
async fn put_back(
    (store, bucket, users): (&impl Store, &impl WorkBucket, &impl UserBuckets),
    Lost { session, run, continues }: Lost,
    rebuild: &mut Rebuild,
    retention: Retention,
    now_ms: u64,
) -> Result<(Tail, u64), Error> {
    let id = &session.id;
    let last = run.as_ref().and_then(|run| run.last.as_ref());
    let last_ms = last.and_then(|(_, last)| last.last_media_ms());
    let last_ms = last_ms.map_or(session.began_ms, |end_ms| session.began_ms.max(end_ms.saturating_sub(1)));
    days::note_session(store, &session.stream, days::day(last_ms), id, now_ms).await?;
    let mut belongs = match &run {
        Some(run) => run.adopted.clone(),
        None => belongs(store, bucket, &session, continues).await?,
    };
    let of = Of { session: &session, run: run.as_ref(), adopted: &belongs };
    let (tail, slices) = tail::restore((store, bucket, users), of, rebuild, now_ms).await?;
    match tail {
        Tail::Unfinished => return Ok((tail, slices)),
        Tail::Cut => cut(store, id, last, now_ms).await?,
        Tail::Whole => {}
    }
    match &run {
        Some(run) => numbers::note_next(store, bucket, run, retention).await?,
        None => belongs.files_from = files_from(store, bucket, &session, &belongs, tail, now_ms).await?,
    }
    command::log(store, bucket, &session).await?;
    silence::restore(store, bucket, id, now_ms).await?;
    timer::set(store, now_ms, &format!("f {}", belongs.recording)).await?;
    let is_ended = session::restore_end(store, bucket, &session, now_ms).await?;
    if !is_ended {
        session::announce(store, &session, now_ms).await?;
        timer::set(store, now_ms + session.delay_ms(), &format!("p {id}")).await?;
    }
    session::put_back(store, bucket, &session, &belongs).await?;
    Ok((tail, slices))
}

/// Has what comes after the last record of a session be in other files.
async fn cut(
    store: &impl Store,
    id: &str,
    sealed: Option<&(u64, Committed)>,
    now_ms: u64,
) -> Result<(), Error> {
    let Some((seq, last)) = committed::last(store, id).await? else { return Ok(()) };
    if tail::is_cut(sealed, seq + 1, &last) {
        return Ok(());
    }
    committed::restore(store, id, seq, &numbers::parted(&last, now_ms)).await
}

/// Which recording a session belongs to of which no chunk is sealed.
async fn belongs(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
    continues: Option<String>,
) -> Result<Adopted, Error> {
    let recording = match &continues {
        Some(before) => match session::adopted(store, before).await? {
            Some(before) => before.recording,
            None => {
                let run = run_of_over(store, bucket, before).await?;
                run.map_or_else(|| before.clone(), |run| run.adopted.recording)
            }
        },
        None => session.id.clone(),
    };
    Ok(Adopted { recording, continues, files_from: None })
}

/// From which number on the files are of a session of which no chunk is sealed, where numbers are left out before its
/// first one.
async fn files_from(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
    belongs: &Adopted,
    tail: Tail,
    now_ms: u64,
) -> Result<Option<u32>, Error> {
    let is_whole = tail == Tail::Whole;
    let left_out = numbers::left_out(session.began_ms, now_ms);
    let Some(before) = &belongs.continues else { return Ok((!is_whole).then_some(left_out)) };
    if let Some(before_adopted) = session::adopted(store, before).await? {
        // It was put back. Where something of it is lost, numbers are left out already.
        let last = committed::last(store, before).await?;
        let least = last.as_ref().map(|(_, last)| numbers::first_free(&last.accounts));
        let is_cut = last.is_some_and(|(_, last)| numbers::is_cut(&last.accounts));
        if is_whole {
            let handed_on = if least.is_none() { before_adopted.files_from } else { None };
            return Ok(least.filter(|_| is_cut).or(handed_on));
        }
        let least = least.map(|least| if is_cut { least } else { least.saturating_add(left_out) });
        return Ok(least.into_iter().chain(before_adopted.files_from).max().or(Some(left_out)));
    }
    // It is over.
    let run = run_of_over(store, bucket, before).await?;
    let accounts = run.and_then(|run| run.last).map(|(_, last)| last.accounts).unwrap_or_default();
    let number = numbers::first_free(&accounts);
    numbers::note_begin(store, session, &belongs.recording, number).await?;
    Ok((!is_whole).then(|| number.saturating_add(left_out)))
}

/// The last run of a session that is over.
async fn run_of_over(store: &impl Store, bucket: &impl WorkBucket, id: &str) -> Result<Option<Run>, Error> {
    let Some(Sealed { at, .. }) = sealed(store, id).await? else { return Ok(None) };
    let over = session::get(store, bucket, id).await?;
    cold::run_at(bucket, &over, at).await
}

/// The last run of a session, by the work bucket alone: among the last parts of its stream.
pub(super) async fn last_run(bucket: &impl WorkBucket, session: &Session) -> Result<Option<Run>, Error> {
    let stream = session.stream.key();
    let (prefix, mut after) = (format!("log/{stream}/"), String::new());
    let mut names: Vec<String> = Vec::new();
    loop {
        let page = bucket.list(&prefix, &after, LISTED).await.map_err(Error::WorkBucket)?;
        let Some(last) = page.last() else { break };
        after.clone_from(last);
        names.extend(page);
        names.drain(..names.len().saturating_sub(PARTS));
    }
    for (stream, day, part) in names.iter().rev().filter_map(|name| of_object(name)) {
        let runs = part::read(bucket, StreamDay { stream, day }, part).await?;
        if let Some(run) = runs.into_iter().find(|run| run.session.id == session.id) {
            return Ok(Some(run));
        }
    }
    Ok(None)
}

/// Forgets how far a session that is over is sealed, unless it is found by that: it had been over before.
pub(super) async fn release(store: &impl Store, id: &str) -> Result<(), Error> {
    let Some(sealed) = sealed(store, id).await?.filter(|sealed| sealed.is_held) else { return Ok(()) };
    if sealed.is_revived {
        let sealed = Sealed { is_held: false, is_revived: false, ..sealed };
        return Ok(write(store, &key::sealed(id), &sealed).await?);
    }
    Ok(store.delete(&key::sealed(id)).await?)
}
