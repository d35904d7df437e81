//! Sealing: what is settled moves from the store into the [log](crate::log) of its stream and UTC day.
//!
//! Of each session an unbroken run from its begin is sealed, so that what comes late is always beyond it. A session that
//! is [over](over) leaves the store as a whole, after those that it continues: what is noted of their recording goes with the
//! last one.
//!
//! | step | timer | does |
//! | --- | --- | --- |
//! | seal | `s {stream} {day}` | writes a part, which is created once; whoever finds one takes it as it is; then its mark, and how far its sessions are sealed |
//! | note | `d {stream} {day} {part} {noted} 0` | once the mark is seen: notes again how far the sessions are sealed, lest the seal died before |
//! | clear | `d {stream} {day} {part} {noted} 2` | two waits later, one of which at least is as long as a call lasts, whichever hosts' clocks measured them: deletes what the part holds, since nobody goes by what was before |
//! | release | `r {stream} {day} {part}` | when no clearing is under way any more: sessions that are over may come back |
//! | forget | `k {stream} {day}` | beyond retention: deletes the parts, and the objects of their sessions |
//! | forget the stream | `v {stream} {day}` | beyond retention of files, too: deletes what is noted of a stream that was not pushed since |
//! | recall | `a {stream} {day}` | finds the pushes that began while their stream was being forgotten |
//!
//! | key | holds | written by |
//! | --- | --- | --- |
//! | `f.{session}` | how far the session is sealed, and where | seals: where two overlap, both name a part that holds the same chunks |
//!
//! Each step can die anywhere and is then done again. The record of the last sealed chunk stays in the store until its
//! session is over, for the next chunk is built on it. A chunk that comes for a session that is over brings the session
//! [back](revive); between the mark and the release it is refused, to be sent again.

pub(crate) mod clear;
pub(crate) mod cold;
pub(crate) mod files;
pub(crate) mod over;
pub(crate) mod retention;
pub(crate) mod revive;

use std::collections::BTreeSet;

use store::Store;
use store::record::write;

use crate::account::Run as FileRun;
use crate::chunk::Chunk;
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::log::part::{self, Run, Where};
use crate::log::{Kind, StreamDay};
use crate::page::PAGE;
use crate::sealed::Sealed;
pub(crate) use crate::sealed::sealed;
use crate::session::{self, Session};
use crate::time::{CALL_MAX_MS, Retention};
use crate::{committed, days, file, key, list, timer};

/// A part holds no more chunks of a session; the rest is in the next one.
const MOST_CHUNKS: usize = 1 << 18;

/// Nor more sessions: a call seals and clears them within its time.
const MOST_SESSIONS: usize = 500;

/// Nor more bytes, but for a session that takes more by itself.
const MOST_BYTES: usize = 16 << 20;

/// A call that began before something was written is over after this, also if that was written at the end of a call.
const WAIT_MS: u64 = 2 * CALL_MAX_MS;

/// So long after sessions were deleted they may come back: whoever was deleting them, too, is over.
pub(crate) const RELEASE_MS: u64 = 3 * CALL_MAX_MS;

/// Seals what is settled of a stream's day.
pub(crate) async fn seal(
    store: &impl Store,
    bucket: &impl WorkBucket,
    at: StreamDay<'_>,
    retention: Retention,
    now_ms: u64,
) -> Result<(), Error> {
    let StreamDay { stream, day } = at;
    let again = format!("s {stream} {day}");
    if now_ms < at.end_ms() {
        // The clock of whoever set the timer was ahead.
        return timer::set(store, at.seal_due_ms(now_ms), &again).await;
    }
    let noted = list::entries(store, &days::sessions_of(at), now_ms).await?;
    let Some((last, _)) = noted.last() else { return Ok(()) };
    let (mut runs, mut leaving) = (Vec::new(), BTreeSet::new());
    for (_, id) in &noted {
        if runs.len() == MOST_SESSIONS {
            break;
        }
        match unsealed_run(store, bucket, (id, &leaving), at, retention, now_ms).await? {
            Found::Nothing => {}
            Found::Run(run) => {
                if run.over.is_some() {
                    leaving.insert(id.clone());
                }
                runs.push(*run);
            }
            Found::Earlier(session, day) => {
                days::note_session(store, &session.stream, day, id, now_ms).await?;
                timer::set(store, now_ms, &format!("s {stream} {day}")).await?;
            }
        }
    }
    if runs.is_empty() {
        return timer::set(store, now_ms + WAIT_MS, &format!("d {stream} {day} none {last} 1")).await;
    }
    let part = at.parts(store, Kind::Sessions).await?;
    let name = at.object(Kind::Sessions, part);
    let mut bytes = part::encode(&name, &runs)?;
    let mut is_rest = runs.len() == MOST_SESSIONS;
    while bytes.len() > MOST_BYTES && runs.len() > 1 {
        runs.truncate(runs.len() / 2);
        (bytes, is_rest) = (part::encode(&name, &runs)?, true);
    }
    let found = bucket.create_or_read(&name, &bytes).await.map_err(Error::WorkBucket)?;
    // Where this call dies before the mark, the next try finds the part, and it is not cleared before that.
    timer::set(store, now_ms + CALL_MAX_MS, &format!("d {stream} {day} {part} {last} 0")).await?;
    if is_rest {
        timer::set(store, now_ms + CALL_MAX_MS, &again).await?;
    }
    if part == 0 {
        retention::forget_later(store, at, retention).await?;
    }
    at.mark(store, Kind::Sessions, part).await?;
    for run in part::decode(&name, &found)? {
        note_sealed(store, &run, Where { day, part }).await?;
    }
    Ok(())
}

/// Notes how far a session is sealed.
pub(crate) async fn note_sealed(store: &impl Store, run: &Run, at: Where) -> Result<(), Error> {
    let id = &run.session.id;
    let known = sealed(store, id).await?;
    // A part that was left without its mark may be older than others, and its session gone with a later one.
    if known.is_some_and(|known| known.next > run.next() || known.is_held)
        || session::find(store, id).await?.is_none()
    {
        return Ok(());
    }
    let sealed = Sealed { next: run.next(), at, is_held: run.over.is_some(), is_revived: false };
    Ok(write(store, &key::sealed(id), &sealed).await?)
}

/// What is to be sealed of a session in a day.
enum Found {
    Nothing,
    Run(Box<Run>),
    /// Media of this earlier day is not sealed yet.
    Earlier(Box<Session>, u64),
}

/// `leaving`: the sessions that leave the store with the same part.
async fn unsealed_run(
    store: &impl Store,
    bucket: &impl WorkBucket,
    (id, leaving): (&str, &BTreeSet<String>),
    at: StreamDay<'_>,
    retention: Retention,
    now_ms: u64,
) -> Result<Found, Error> {
    let Some(session) = session::find(store, id).await? else { return Ok(Found::Nothing) };
    let Some(adopted) = session::adopted(store, id).await? else { return Ok(Found::Nothing) };
    let before = sealed(store, id).await?;
    if before.is_some_and(|sealed| sealed.is_held) {
        return Ok(Found::Nothing);
    }
    let first = before.map_or(0, |sealed| sealed.next);
    let length = committed::length(store, id).await?;
    let Unsealed { chunks, ended } = unsealed(store, id, first, length, at.end_ms()).await?;
    if let Some(day) = first_day(&chunks).filter(|day| *day < at.day) {
        return Ok(Found::Earlier(Box::new(session), day));
    }
    let next = first + chunks.len() as u64;
    let end = session::ended(store, id).await?;
    // Of a page that is not complete the session's last record tells.
    let last = match next.checked_sub(1) {
        Some(last) => Some(file::page_record(store, id, last / PAGE, length - 1).await?),
        None => None,
    };
    let over = match &end {
        Some(end) if next == length => {
            let last = last.as_ref().map(|(_, last)| last);
            over::of(store, bucket, (&session, &adopted, end), (length, last), leaving, retention, now_ms)
                .await?
        }
        _ => None,
    };
    if chunks.is_empty() && over.is_none() {
        return Ok(Found::Nothing);
    }
    let recording = session::get(store, bucket, &adopted.recording).await?;
    let is_revived = match before {
        Some(before) => {
            let before = cold::run_at(bucket, &session, before.at).await?;
            before.is_some_and(|before| before.is_revived || before.over.is_some())
        }
        None => false,
    };
    let before = before.map(|sealed| sealed.at);
    let recording_began_ms = recording.began_ms;
    let run = Run {
        session,
        adopted,
        recording_began_ms,
        end,
        first,
        before,
        is_revived,
        ended,
        last,
        over,
        chunks,
    };
    Ok(Found::Run(Box::new(run)))
}

/// Chunks that are in the store alone, and the files that ended among them.
pub(crate) struct Unsealed {
    pub(crate) chunks: Vec<Chunk>,
    pub(crate) ended: Vec<(usize, FileRun)>,
}

/// The day of the first slice among chunks.
fn first_day(chunks: &[Chunk]) -> Option<u64> {
    let mut slices = chunks.iter().filter_map(|chunk| match chunk {
        Chunk::Slice(slice) => Some(days::day(slice.start_ms())),
        Chunk::Gap(_) | Chunk::Empty => None,
    });
    slices.next()
}

/// The chunks of a session from one on, up to the first slice that begins at a moment or later.
pub(crate) async fn unsealed(
    store: &impl Store,
    id: &str,
    first: u64,
    length: u64,
    before_ms: u64,
) -> Result<Unsealed, Error> {
    let mut found = Unsealed { chunks: Vec::new(), ended: Vec::new() };
    for page in first / PAGE..length.div_ceil(PAGE) {
        let (seq, committed) = file::page_record(store, id, page, length - 1).await?;
        let chunks = committed.chunks(id, seq)?;
        found.ended.extend(committed.ended);
        for (_, chunk) in (page * PAGE..).zip(chunks).filter(|(seq, _)| *seq >= first) {
            let is_later = matches!(chunk, Chunk::Slice(slice) if slice.start_ms() >= before_ms);
            if is_later || found.chunks.len() == MOST_CHUNKS {
                return Ok(found);
            }
            found.chunks.push(chunk);
        }
    }
    Ok(found)
}
