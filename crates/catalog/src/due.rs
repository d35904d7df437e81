//! What is due, and what is done about it.
//!
//! | timer | for | set by |
//! | --- | --- | --- |
//! | `g {gateway}` | a gateway that may be silent | an adoption, a heartbeat after a silence, a late chunk, a look |
//! | `b {session} {due}` | the break after a session, and its last chunks | its end, a look |
//! | `f {recording}` | files that may be complete | a commit |
//! | `c {session} …` | files that an order closed, once the chunks before it are there | the gateway that confirms it |
//! | `o {session}` | a command or an adoption whose call may have died before its gateway could hear of it | the call, beforehand |
//! | `p {session}` | a pause that may be over | the command `stop` |
//! | `e {session}` | an offer that expires | the offer |
//! | `q {session}` | an offer that has expired, and is forgotten | its expiry |
//! | `z {session} {round} {heartbeats}` | a session that has been suspended for too long | its suspension |
//! | `m {recording}` | files with media that may be complete, and media to be gathered: see [`media`], [`blocks`] | whoever has the others looked at, a commit |
//! | `t {recording} {number} {waits}` | blocks of written files | the call that wrote one |
//! | `x {recording} {session} {first} {last} {waits}` | media that is in written files | the call that wrote one |
//! | `n {session} …` | chunks that a lost store held: see `missing` | an end, a look |
//! | `u {session}` | its recording's status: see `status` | what may have changed it |
//! | `w {recording} {kind} {number}` | an event that may wait: see [`event`] | whoever notes it |
//! | `y {recording} {kind} {number}` | an event that was told, and is forgotten | its delivery |
//! | `h {domain} {day}` | callbacks that were sent, and are forgotten: see `sent` | the first of a day |
//! | `s`, `d`, `r`, `k`, `i`, `j`, `l`, `v` and `a`, with `{stream} {day}` | a day that is to be sealed or forgotten: see `seal` | what comes for it, and the step before |
//!
//! `again` at the end: it has waited once more, by another clock; twice at the end: twice more.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::chunk::Chunk;
use crate::commit::{self, Delivery, Prepared};
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::log::StreamDay;
use crate::order::Generation;
use crate::seal::clear::Clearing;
use crate::time::{CALL_MAX_MS, LATE_MS, OFFER_WAIT_MS, Retention, SUSPENDED_MAX_MS};
use crate::timer::{self, AGAIN, Timer};
pub use crate::timer::{Lane, due};
use crate::{
    blocks, changes, claim, command, committed, event, file, heard, key, live, look, media, missing, news,
    noted, seal, sent, session, silence, status,
};

/// A tick has its timers for itself for so long. Another one that takes them does the same again.
const LEASE_MS: u64 = 60_000;

/// How long a call of a lane has a timer for itself.
fn lease_ms(lane: Lane) -> u64 {
    match lane {
        // Events have claims.
        Lane::Tick | Lane::Deliver => LEASE_MS,
        // Moving a file's media takes as long as a call may.
        Lane::Compose => CALL_MAX_MS,
    }
}

/// A tick has what a timer is for in hand. A hint: losing it costs work, not its outcome.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Busy {
    from_ms: u64,
}

impl Record for Busy {
    const VERSION: u32 = 1;
}

/// Takes what timers are about into a tick's hand, unless another tick has it.
async fn take(store: &impl Store, timer: &Timer, now_ms: u64) -> Result<bool, Error> {
    if is_of_event(timer) {
        return claim::take(store, &key::claim(&subject(timer)), now_ms).await;
    }
    let busy_key = key::busy(&subject(timer));
    let busy: Option<Busy> = read(store, &busy_key).await?;
    // A mark of a clock that is ahead holds nobody up.
    let held_ms = busy.and_then(|busy| now_ms.checked_sub(busy.from_ms));
    let is_free = held_ms.is_none_or(|held_ms| held_ms >= lease_ms(Lane::of(&timer.what)));
    if is_free {
        write(store, &busy_key, &Busy { from_ms: now_ms }).await?;
    }
    Ok(is_free)
}

/// Lets another call have what a timer of an event is for, which stays due.
///
/// # Errors
/// The store failed; nobody may have it for some minutes.
pub async fn release(store: &impl Store, timer: &Timer) -> Result<(), Error> {
    release_subject(store, is_of_event(timer), &subject(timer)).await
}

async fn release_subject(store: &impl Store, is_of_event: bool, subject: &str) -> Result<(), Error> {
    if is_of_event {
        return claim::give_back(store, &key::claim(subject)).await;
    }
    Ok(store.delete(&key::busy(subject)).await?)
}

/// Whether a timer is for an event: one call at a time tells those of a recording and kind.
fn is_of_event(timer: &Timer) -> bool {
    timer.what.starts_with("w ")
}

/// What a timer is about, without the state that it carries. Events of each kind are told by themselves.
fn subject(timer: &Timer) -> String {
    let words = if is_of_event(timer) { 3 } else { 2 };
    timer.what.split(' ').take(words).collect::<Vec<_>>().join(" ")
}

/// Does what a timer is for, unless another tick has that in hand; answers the recordings whose record files are to be
/// looked at. Doing it again is harmless. What was attended to, or failed, is to be settled.
///
/// Of a timer of an event the answer is that this call alone may tell those of its recording and kind, until it settles or
/// [releases](release) the timer.
///
/// # Errors
/// The store or the work bucket failed. A timer of an event must not be settled then: another call may have it.
pub async fn attend(
    store: &impl Store,
    bucket: &impl WorkBucket,
    timer: &Timer,
    retention: Retention,
    now_ms: u64,
) -> Result<Option<Vec<String>>, Error> {
    // Events are forgotten by whoever comes, however many of a recording there are.
    if !timer.what.starts_with("y ") && !take(store, timer, now_ms).await? {
        return Ok(None);
    }
    attend_to(store, bucket, timer, retention, now_ms).await.map(Some)
}

async fn attend_to(
    store: &impl Store,
    bucket: &impl WorkBucket,
    timer: &Timer,
    retention: Retention,
    now_ms: u64,
) -> Result<Vec<String>, Error> {
    let words: Vec<&str> = timer.what.split(' ').collect();
    let waited = words.iter().rev().take_while(|word| **word == AGAIN).count();
    let words = &words[..words.len() - waited];
    if let Some(again_ms) = waits_again(store, (words, waited), timer.due_ms, now_ms).await? {
        timer::set(store, now_ms + again_ms, &format!("{} {AGAIN}", timer.what)).await?;
        return Ok(Vec::new());
    }
    let number = |word: &str| word.parse::<u64>().unwrap_or(0);
    match *words {
        ["g", gateway] => {
            let recordings = look::gateway(store, bucket, gateway, now_ms).await?;
            with_media(store, bucket, recordings, now_ms).await
        }
        ["b", id, due] => look::after_end(store, bucket, id, number(due), now_ms).await,
        ["f", recording] => with_media(store, bucket, vec![recording.into()], now_ms).await,
        ["m", recording] => Ok(vec![recording.into()]),
        ["x", recording, session, first, last, waits] => {
            let (chunks, waits) = ((number(first), number(last)), number(waits) as u32);
            media::delete(store, bucket, (recording, session), chunks, waits, now_ms).await?;
            Ok(Vec::new())
        }
        ["t", recording, file, waits] => {
            let (file, waits) = (number(file) as u32, number(waits) as u32);
            blocks::delete(store, bucket, recording, file, waits, now_ms).await.map(|()| Vec::new())
        }
        ["c", id, ref waits @ ..] => {
            let waits = waits.first().map_or(0, |waits| number(waits));
            confirmed(store, bucket, id, waits, now_ms).await
        }
        ["w", recording, ..] => Ok(vec![recording.into()]),
        ["h", domain, day] => sent::forget(store, domain, number(day), now_ms).await.map(|()| Vec::new()),
        ["y", ..] => {
            if let Some(at) = event::At::of_timer(&timer.what) {
                event::forget(store, at, now_ms).await?;
            }
            Ok(Vec::new())
        }
        ["o", id] => {
            notify(store, bucket, id, now_ms).await?;
            if waited == 0 {
                // A host whose clock is ahead may have come while the order was being given.
                timer::set(store, now_ms + CALL_MAX_MS, &format!("o {id} {AGAIN}")).await?;
            }
            Ok(Vec::new())
        }
        ["u", id] => status::look(store, bucket, id, now_ms).await.map(|()| Vec::new()),
        ["p", id] => {
            // The call that stopped it may have died.
            status::look(store, bucket, id, now_ms).await?;
            pause(store, bucket, id, now_ms).await.map(|()| Vec::new())
        }
        ["e", id] => session::expire(store, bucket, id, retention, now_ms).await.map(|()| Vec::new()),
        ["q", id, ref wish @ ..] => {
            session::forget_offer(bucket, id, wish.first().copied()).await.map(|()| Vec::new())
        }
        ["z", id, round, heartbeats] => {
            look::suspended(store, bucket, id, number(round), number(heartbeats), now_ms).await?;
            Ok(Vec::new())
        }
        ["n", id, ref before @ ..] => {
            let before: Vec<u64> = before.iter().map(|word| number(word)).collect();
            missing::look(store, bucket, id, &before, now_ms).await.map(|()| Vec::new())
        }
        [step, stream, day, ref rest @ ..] => {
            let at = StreamDay { stream, day: number(day) };
            keep(store, bucket, (step, at, rest), retention, now_ms).await.map(|()| Vec::new())
        }
        // Another version's, or none of ours: it comes to nothing.
        _ => Ok(Vec::new()),
    }
}

/// Recordings to be looked at, which the lane that makes files with media looks at as well.
async fn with_media(
    store: &impl Store,
    bucket: &impl WorkBucket,
    recordings: Vec<String>,
    now_ms: u64,
) -> Result<Vec<String>, Error> {
    for recording in &recordings {
        media::ask(store, bucket, recording, now_ms).await?;
    }
    Ok(recordings)
}

/// Does a step of sealing and forgetting.
async fn keep(
    store: &impl Store,
    bucket: &impl WorkBucket,
    (step, at, rest): (&str, StreamDay<'_>, &[&str]),
    retention: Retention,
    now_ms: u64,
) -> Result<(), Error> {
    let number = |place: usize| rest.get(place).and_then(|word| word.parse::<u64>().ok());
    let (part, noted) = (number(0).map(|part| part as u32), number(1).unwrap_or(0));
    match step {
        "s" => seal::seal(store, bucket, at, retention, now_ms).await,
        "d" => {
            let clearing = Clearing { part, noted, waits: number(2).unwrap_or(0) };
            seal::clear::clear(store, bucket, at, clearing, retention, now_ms).await
        }
        "r" => seal::clear::release(store, bucket, at, part.unwrap_or(0)).await,
        "k" => seal::retention::forget(store, bucket, at, retention, now_ms).await,
        "i" => seal::files::seal(store, bucket, at, retention, now_ms).await,
        "j" => seal::files::clear(store, bucket, at, (part.unwrap_or(0), noted), now_ms).await,
        "l" => seal::files::forget(store, bucket, at, retention, now_ms).await,
        "v" => seal::retention::forget_stream(store, at, now_ms).await,
        "a" => live::recall_stream(store, at.stream, now_ms).await,
        _ => Ok(()),
    }
}

/// For how long what must not come too early waits once more, by the clock of this host: the one that set the timer may
/// be an hour behind, and this one an hour ahead. What would lose media waits twice more, since a clock that steps ends a
/// wait.
async fn waits_again(
    store: &impl Store,
    (words, waited): (&[&str], usize),
    due_ms: u64,
    now_ms: u64,
) -> Result<Option<u64>, Error> {
    let times = if matches!(words, ["e" | "n", ..]) { 2 } else { 1 };
    if waited >= times {
        return Ok(None);
    }
    let is_late = now_ms.saturating_sub(due_ms) > LATE_MS;
    Ok(match *words {
        ["e", _] => Some(OFFER_WAIT_MS),
        ["r", ..] => Some(seal::RELEASE_MS),
        ["a", ..] | ["d", _, _, _, _, "0"] => Some(CALL_MAX_MS),
        ["j" | "t" | "x", ..] => Some(2 * CALL_MAX_MS),
        ["n", _, _, _] => Some(missing::WAIT_MS),
        ["n", _, _, _, _] => Some(missing::GIVEN_UP_MS),
        ["z", ..] if is_late => Some(SUSPENDED_MAX_MS),
        ["p", id] if is_late => {
            let rule = session::find(store, id).await?.and_then(|session| session.rule);
            rule.map(|rule| rule.delay_ms())
        }
        _ => None,
    })
}

/// Looks at the files that an order closed, until the chunks before the order are there.
async fn confirmed(
    store: &impl Store,
    bucket: &impl WorkBucket,
    id: &str,
    waits: u64,
    now_ms: u64,
) -> Result<Vec<String>, Error> {
    let Some(recording) = look::recording(store, id).await? else { return Ok(Vec::new()) };
    let confirmed = file::confirmed(store, id).await?.map(|confirmed| confirmed.chunks);
    // An end confirms every order.
    let end = session::ended(store, id).await?;
    let chunks = end.map(|end| end.chunks).or(confirmed);
    let length = committed::length(store, id).await?;
    // What comes after a silence is in files of its own, and has them looked at.
    if chunks.unwrap_or(0) > length && !silence::is_closed_before(store, id, length).await? {
        let wait_ms = (1_000_u64 << waits.min(6)).min(60_000);
        timer::set(store, now_ms + wait_ms, &format!("c {id} {}", waits + 1)).await?;
    }
    // Of a session that has ended the look at its break asks.
    if end.is_none() {
        media::ask(store, bucket, &recording, now_ms).await?;
    }
    Ok(vec![recording])
}

/// Lets a session's gateway hear of its orders, and a later boot of it that there is a session which it may not hold.
///
/// The log says whether there are any: a call whose reply was lost has put its order there, and noted nothing.
async fn notify(store: &impl Store, bucket: &impl WorkBucket, id: &str, now_ms: u64) -> Result<(), Error> {
    let Some(session) = session::find(store, id).await? else { return Ok(()) };
    if session::ended(store, id).await?.is_some() {
        return Ok(());
    }
    let is_ordered = command::log(store, bucket, &session).await?.1 > 0;
    if is_ordered && session.tells_status {
        timer::set(store, now_ms, &format!("u {id}")).await?;
    }
    if !is_ordered && !heard::has_later_boot(store, &session).await? {
        return Ok(());
    }
    changes::notify(store, &session.gateway_key(), id).await
}

/// Closes the files of a session that was stopped for too long.
async fn pause(store: &impl Store, bucket: &impl WorkBucket, id: &str, now_ms: u64) -> Result<(), Error> {
    let Some(session) = session::find(store, id).await? else { return Ok(()) };
    if session::ended(store, id).await?.is_some() {
        return Ok(());
    }
    let Some(over_ms) = command::pause_over_at(store, bucket, &session, now_ms).await? else { return Ok(()) };
    if over_ms > now_ms {
        // It began later than the call that set the timer did.
        return timer::set(store, over_ms, &format!("p {id}")).await;
    }
    timer::set(store, now_ms + CALL_MAX_MS, &format!("o {id}")).await?;
    if command::pause_over(store, bucket, &session, now_ms).await? {
        changes::notify(store, &session.gateway_key(), id).await?;
    }
    Ok(())
}

/// Forgets timers that were attended to. Those that failed come back later, the more so the oftener they fail; so do those
/// that were not tried, which does not count as a failure. Answers in how many seconds each of these comes back, the
/// failed ones first.
///
/// # Errors
/// The store failed. Timers that are not forgotten come again.
pub async fn settle(
    store: &impl Store,
    attended: &[Timer],
    failed: &[Timer],
    untried: &[Timer],
    now_ms: u64,
) -> Result<Vec<u64>, Error> {
    let mut waits = Vec::new();
    for (timer, counted) in
        failed.iter().map(|timer| (timer, 1)).chain(untried.iter().map(|timer| (timer, 0)))
    {
        let at = event::At::of_timer(&timer.what).filter(|_| is_of_event(timer));
        let event = match at {
            // One that cannot be read comes back all the same.
            Some(at) => event::untold(store, at).await.unwrap_or_default(),
            None => None,
        };
        // The timer may be another one than that of its last try, and counts the waits after which it was not tried.
        let waits_before = event.as_ref().map_or(0, |event| event.tries).max(timer.tries);
        let (first_ms, longest_ms) = timer::BACKOFF_MS;
        let wait_ms = (first_ms << waits_before.min(10)).min(longest_ms);
        timer::set_again(store, now_ms + wait_ms, waits_before + 1, &timer.what).await?;
        if let Some(event) = event {
            let tries = event.tries + counted;
            event::put_off(store, event, tries, now_ms + wait_ms).await?;
        }
        waits.push(wait_ms / 1_000);
    }
    let all = || attended.iter().chain(failed).chain(untried);
    for timer in all() {
        timer::done(store, timer).await?;
    }
    for (is_of_event, subject) in
        all().map(|timer| (is_of_event(timer), subject(timer))).collect::<BTreeSet<_>>()
    {
        release_subject(store, is_of_event, &subject).await?;
    }
    Ok(waits)
}

/// Commits a chunk that was prepared, and has the record files looked at that it completes.
///
/// # Errors
/// The store failed; the chunk may be committed all the same.
pub async fn commit(
    store: &impl Store,
    prepared: &Prepared,
    delivery: Delivery,
    now_ms: u64,
) -> Result<(), Error> {
    let mut late_noted_ms = prepared.late_noted_ms();
    if let Chunk::Slice(slice) = &delivery.chunk {
        late_noted_ms = noted::note_slice(store, prepared, slice, now_ms).await?;
    }
    let brought = (matches!(delivery.chunk, Chunk::Slice(_)), delivery.generation);
    let next = news::note(store, prepared, &delivery, now_ms).await?;
    let (mut record, is_complete) = commit::plan(prepared, delivery)?;
    record.number(next);
    record.late_noted_ms = late_noted_ms;
    let causes = causes(store, prepared, brought, is_complete, now_ms).await?;
    // One that fires too early finds nothing; one that is set after this call has died is never set.
    for cause in &causes {
        timer::set(store, now_ms + CALL_MAX_MS, cause).await?;
    }
    committed::put(store, &prepared.session.id, prepared.seq, &record).await?;
    for cause in &causes {
        timer::set(store, now_ms, cause).await?;
    }
    // Should this call die, the next time does.
    if brought.0
        && blocks::is_due(&record.accounts)
        && let Some(recording) = look::recording(store, &prepared.session.id).await?
    {
        timer::set(store, now_ms, &format!("m {recording}")).await?;
    }
    Ok(())
}

/// What is to be looked at once a chunk is committed.
async fn causes(
    store: &impl Store,
    prepared: &Prepared,
    (is_slice, generation): (bool, Generation),
    is_complete: bool,
    now_ms: u64,
) -> Result<Vec<String>, Error> {
    let id = &prepared.session.id;
    let mut causes = Vec::new();
    if is_complete && let Some(recording) = look::recording(store, id).await? {
        causes.push(format!("f {recording}"));
    }
    if prepared.changes_status(is_slice, generation) {
        causes.push(format!("u {id}"));
    }
    if prepared.is_parted {
        // Files were closed while the gateway was silent: nobody may be looking any more.
        causes.push(match session::ended(store, id).await? {
            Some(end) => {
                format!("b {id} {}", now_ms.max(end.ended_ms + prepared.session.delay_ms()))
            }
            None => format!("g {}", prepared.session.gateway_key()),
        });
    }
    Ok(causes)
}

#[cfg(test)]
mod tests;
