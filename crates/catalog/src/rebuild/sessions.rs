//! Sessions come back that are not over.

use store::Store;
use store::record::write;

use super::numbers;
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::log::part::Run;
use crate::seal::cold;
use crate::sealed::{Sealed, sealed};
use crate::session::{self, Adopted, Session};
use crate::time::Retention;
use crate::{command, committed, days, key, silence, timer};

/// A session that is to be put back.
struct Lost {
    session: Session,
    /// Its last run.
    run: Option<Run>,
    /// The session that it continues.
    continues: Option<String>,
}

/// Puts a session back, unless it is there or over; before it those that it continues. Answers how many.
pub(super) async fn restore(
    store: &impl Store,
    bucket: &impl WorkBucket,
    id: &str,
    retention: Retention,
    now_ms: u64,
) -> Result<u64, Error> {
    let mut chain: Vec<Lost> = Vec::new();
    let mut at = Some(id.to_owned());
    while let Some(id) = at {
        let Some(lost) = lost(store, bucket, &id, retention, now_ms).await? else { break };
        at = lost.continues.clone();
        chain.push(lost);
    }
    let restored = chain.len() as u64;
    while let Some(lost) = chain.pop() {
        put_back(store, bucket, lost, retention, now_ms).await?;
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

/// Puts a session back. It is found once everything else is there.
async fn put_back(
    store: &impl Store,
    bucket: &impl WorkBucket,
    Lost { session, run, continues }: Lost,
    retention: Retention,
    now_ms: u64,
) -> Result<(), Error> {
    let id = &session.id;
    let mut last_ms = session.began_ms;
    if let Some((seq, last)) = run.as_ref().and_then(|run| run.last.as_ref()) {
        last_ms = last.last_media_ms().map_or(last_ms, |end_ms| last_ms.max(end_ms.saturating_sub(1)));
        committed::restore(store, id, *seq, &numbers::parted(last, now_ms)).await?;
    }
    let adopted = match &run {
        Some(run) => {
            numbers::note_next(store, bucket, run, retention).await?;
            run.adopted.clone()
        }
        None => adopted(store, bucket, &session, continues, now_ms).await?,
    };
    days::note_session(store, &session.stream, days::day(last_ms), id, now_ms).await?;
    command::log(store, bucket, &session).await?;
    silence::restore(store, bucket, id, now_ms).await?;
    timer::set(store, now_ms, &format!("f {}", adopted.recording)).await?;
    let is_ended = session::restore_end(store, bucket, &session, now_ms).await?;
    if !is_ended {
        session::announce(store, &session, now_ms).await?;
        timer::set(store, now_ms + session.delay_ms(), &format!("p {id}")).await?;
    }
    session::put_back(store, bucket, &session, &adopted).await
}

/// Which recording a session belongs to of which no chunk is sealed, and from which number on its files are.
async fn adopted(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
    continues: Option<String>,
    now_ms: u64,
) -> Result<Adopted, Error> {
    let left_out = numbers::left_out(session.began_ms, now_ms);
    let Some(before) = &continues else {
        return Ok(Adopted { recording: session.id.clone(), continues, files_from: Some(left_out) });
    };
    if let Some(before_adopted) = session::adopted(store, before).await? {
        // It was put back, and numbers are left out already.
        let last = committed::last(store, before).await?;
        let least = last.map(|(_, last)| numbers::first_free(&last.accounts));
        let files_from = least.into_iter().chain(before_adopted.files_from).max();
        let files_from = files_from.or(Some(left_out));
        return Ok(Adopted { recording: before_adopted.recording, continues, files_from });
    }
    // It is over.
    let over = session::get(store, bucket, before).await?;
    let run = match sealed(store, before).await? {
        Some(Sealed { at, .. }) => cold::run_at(bucket, &over, at).await?,
        None => None,
    };
    let recording = run.as_ref().map_or_else(|| before.clone(), |run| run.adopted.recording.clone());
    let accounts = run.and_then(|run| run.last).map(|(_, last)| last.accounts).unwrap_or_default();
    let number = numbers::first_free(&accounts);
    numbers::note_begin(store, session, &recording, number).await?;
    Ok(Adopted { recording, continues, files_from: Some(number.saturating_add(left_out)) })
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
