//! Silent gateways: files are closed, and nothing else.
//!
//! A session whose gateway gives no sign of life keeps its recording, its orders and its place; only its open
//! record files are closed, so that their users need not wait for a gateway that may never come back. A chunk
//! that comes later begins files of its own.
//!
//! A commit may race with the look that closes. Both decide a *round* of silence, whose number stands in
//! `x.{session}`: a commit that sees a round decides that the files go on; a look decides that they are closed before
//! the first chunk that is not committed. Whoever decides first is believed by both.
//!
//! 1. A look writes round 1 as soon as the gateway is silent.
//! 2. A round is decided by a look at the earliest [`CALL_MAX_MS`] after it was written: a commit that began
//!    without seeing it is over by then.
//! 3. A later round is written once the one before it is decided and has served: a chunk came after it, and for
//!    [`CALL_MAX_MS`] after that neither chunk nor heartbeat. Whoever read the round before it, to go by it or to
//!    write its successor, began before that chunk was committed, and is over. So the number never goes back, and each
//!    chunk is judged by one round.
//!
//! While files are closed and no chunk has come since, the round stays. Beside its number stands the heartbeat count
//! at which the gateway was found silent last; whoever decides does not read it.

use std::collections::BTreeSet;
use std::fmt::Display;

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::decision::{self, WorkBucket};
use crate::error::Error;
use crate::time::{CALL_MAX_MS, SUSPENDED_MAX_MS};
use crate::{committed, key, session, timer};

/// So many names of rounds are asked for at a time.
const LISTED: u32 = 1_000;

/// So many of the last rounds are read: far more than there are in a day.
const MOST_READ: usize = 100;

/// How a round of silence was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Round {
    /// A chunk came first: the files go on.
    Open,
    /// The files ended before this chunk.
    ClosedBefore(u64),
}

impl Record for Round {
    const VERSION: u32 = 1;
}

/// The last round of silence of a session's gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Silence {
    /// Number of the round, from 1.
    pub(crate) round: u64,
    /// The gateway's heartbeats when it was found silent last.
    pub(crate) heartbeats: u64,
}

impl Record for Silence {
    const VERSION: u32 = 1;
}

/// Where a session of a silent gateway stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The last round has served, and the next one is not written yet.
    Served,
    /// A round was written just now.
    Begun(u64),
    /// A round is written and not decided.
    Undecided(u64),
    /// Its files are closed.
    Closed(u64),
}

/// Looks at a session whose gateway is silent. `quiet_ms`: since its last heartbeat or chunk.
pub(crate) async fn look(
    store: &impl Store,
    session: &str,
    heartbeats: u64,
    quiet_ms: u64,
) -> Result<Standing, Error> {
    let Some(silence) = last(store, session).await? else {
        begin(store, session, Silence { round: 1, heartbeats }).await?;
        return Ok(Standing::Begun(1));
    };
    let Silence { round, .. } = silence;
    let decided = decided(store, session, round).await?;
    let is_closed = match decided {
        Some(Round::ClosedBefore(seq)) => seq >= committed::length(store, session).await?,
        Some(Round::Open) | None => false,
    };
    if decided.is_some() && !is_closed {
        if quiet_ms < CALL_MAX_MS {
            return Ok(Standing::Served);
        }
        begin(store, session, Silence { round: round + 1, heartbeats }).await?;
        return Ok(Standing::Begun(round + 1));
    }
    if silence.heartbeats != heartbeats {
        begin(store, session, Silence { round, heartbeats }).await?;
    }
    Ok(if is_closed { Standing::Closed(round) } else { Standing::Undecided(round) })
}

async fn begin(store: &impl Store, session: &str, silence: Silence) -> Result<(), Error> {
    session::flag(store, session).await?;
    Ok(write(store, &key::silence(session), &silence).await?)
}

/// Closes the files of a session, if no chunk has come since the round began.
///
/// # Errors
/// The store or the work bucket failed.
pub(crate) async fn close(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &str,
    round: u64,
) -> Result<Round, Error> {
    let proposal = Round::ClosedBefore(committed::length(store, session).await?);
    decide(store, bucket, session, round, proposal).await
}

/// Whether the files of a session were closed before this chunk of it.
///
/// The commit of the chunk asks this first: a round that is not decided is decided as open.
pub(crate) async fn closed_before(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &str,
    seq: u64,
) -> Result<bool, Error> {
    let Some(Silence { round, .. }) = last(store, session).await? else { return Ok(false) };
    Ok(decide(store, bucket, session, round, Round::Open).await? == Round::ClosedBefore(seq))
}

/// Whether the last round closed the session's files before this chunk; decides nothing.
pub(crate) async fn is_closed_before(store: &impl Store, session: &str, seq: u64) -> Result<bool, Error> {
    let Some(Silence { round, .. }) = last(store, session).await? else { return Ok(false) };
    Ok(decided(store, session, round).await? == Some(Round::ClosedBefore(seq)))
}

/// The round that closed a session's files, if no chunk has come since.
pub(crate) async fn closed(store: &impl Store, session: &str) -> Result<Option<Silence>, Error> {
    let Some(silence) = last(store, session).await? else { return Ok(None) };
    let Some(Round::ClosedBefore(seq)) = decided(store, session, silence.round).await? else {
        return Ok(None);
    };
    Ok((seq >= committed::length(store, session).await?).then_some(silence))
}

/// The round of silence that closed the session's files before some chunk up to this one; 0 if the last one did not.
pub(crate) async fn suspended_before(store: &impl Store, session: &str, seq: u64) -> Result<u64, Error> {
    let Some(Silence { round, .. }) = last(store, session).await? else { return Ok(0) };
    let decided = decided(store, session, round).await?;
    Ok(if matches!(decided, Some(Round::ClosedBefore(next)) if next <= seq) { round } else { 0 })
}

/// The decision on a round.
pub(crate) fn round_name(session: &str, round: impl Display) -> String {
    format!("decision/silence/{session}/{round}")
}

/// Puts back the last round of a session that was decided, as far as the work bucket knows. Its gateway has given no sign
/// of life to this store.
pub(crate) async fn restore(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &str,
    now_ms: u64,
) -> Result<(), Error> {
    let Some(&round) = rounds(bucket, session).await?.last() else { return Ok(()) };
    decide(store, bucket, session, round, Round::Open).await?;
    begin(store, session, Silence { round, heartbeats: 0 }).await?;
    timer::set(store, now_ms + SUSPENDED_MAX_MS, &format!("z {session} {round} 0")).await
}

/// The numbers of the rounds of a session that were decided, in their order.
async fn rounds(bucket: &impl WorkBucket, session: &str) -> Result<BTreeSet<u64>, Error> {
    let (mut rounds, mut after) = (BTreeSet::new(), String::new());
    loop {
        let names = bucket.list(&round_name(session, ""), &after, LISTED).await.map_err(Error::WorkBucket)?;
        let Some(last) = names.last() else { return Ok(rounds) };
        after.clone_from(last);
        rounds.extend(names.iter().filter_map(|name| name.rsplit('/').next()?.parse::<u64>().ok()));
    }
}

/// The chunks from one on before which rounds closed a session's files, as the work bucket knows.
pub(crate) async fn closings_from(
    bucket: &impl WorkBucket,
    session: &str,
    first: u64,
) -> Result<BTreeSet<u64>, Error> {
    let mut closings = BTreeSet::new();
    for round in rounds(bucket, session).await?.into_iter().rev().take(MOST_READ) {
        match decision::find(bucket, &round_name(session, round)).await? {
            Some(Round::ClosedBefore(seq)) if seq < first => break,
            Some(Round::ClosedBefore(seq)) => _ = closings.insert(seq),
            Some(Round::Open) | None => {}
        }
    }
    Ok(closings)
}

/// Forgets the rounds of a session that is over.
pub(crate) async fn forget(store: &impl Store, session: &str) -> Result<(), Error> {
    let Some(Silence { round, .. }) = last(store, session).await? else { return Ok(()) };
    for number in 1..=round {
        store.delete(&key::round(session, number)).await?;
    }
    Ok(store.delete(&key::silence(session)).await?)
}

pub(crate) async fn last(store: &impl Store, session: &str) -> Result<Option<Silence>, Error> {
    Ok(read(store, &key::silence(session)).await?)
}

async fn decided(store: &impl Store, session: &str, round: u64) -> Result<Option<Round>, Error> {
    Ok(read(store, &key::round(session, round)).await?)
}

/// Decides a round, or finds how it was decided. What was decided is kept beside the round, so that later commits
/// ask the store alone.
async fn decide(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &str,
    round: u64,
    proposal: Round,
) -> Result<Round, Error> {
    if let Some(round) = decided(store, session, round).await? {
        return Ok(round);
    }
    let name = round_name(session, round);
    let outcome = decision::decide(bucket, &name, &proposal).await?;
    write(store, &key::round(session, round), &outcome).await?;
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use store::memory::run;

    use super::*;
    use crate::tests::world::World;

    #[test]
    fn a_round_that_has_served_is_followed_once_its_gateway_was_quiet_for_as_long_as_a_call_lasts() {
        let World { store, bucket, .. } = World::new();
        let look = |heartbeats, quiet_ms| run(look(&store, "a", heartbeats, quiet_ms)).unwrap();
        assert_eq!(look(7, CALL_MAX_MS), Standing::Begun(1));
        assert_eq!(look(7, CALL_MAX_MS), Standing::Undecided(1));
        assert!(!run(closed_before(&store, &bucket, "a", 0)).unwrap());
        assert_eq!(look(8, CALL_MAX_MS - 1), Standing::Served);
        assert_eq!(look(8, CALL_MAX_MS), Standing::Begun(2));
        assert_eq!(run(last(&store, "a")).unwrap(), Some(Silence { round: 2, heartbeats: 8 }));
        assert_eq!(run(close(&store, &bucket, "a", 2)).unwrap(), Round::ClosedBefore(0));
        assert_eq!(look(8, CALL_MAX_MS), Standing::Closed(2));
    }

    #[test]
    fn rounds_are_known_by_the_work_bucket_alone() {
        let world = World::new();
        let decided = [Round::ClosedBefore(3), Round::Open, Round::ClosedBefore(7), Round::ClosedBefore(9)];
        for (number, round) in (1..).zip(decided) {
            run(decision::decide(&world.bucket, &round_name("a", number), &round)).unwrap();
        }
        // Another session's are not its own.
        run(decision::decide(&world.bucket, &round_name("ab", 9), &Round::ClosedBefore(8))).unwrap();
        let closings = |first| Vec::from_iter(run(closings_from(&world.bucket, "a", first)).unwrap());
        assert_eq!(closings(0), [3, 7, 9]);
        assert_eq!(closings(7), [7, 9]);
        assert_eq!(closings(8), [9]);
        assert_eq!(closings(10), [] as [u64; 0]);
        run(restore(&world.store, &world.bucket, "a", 1_000)).unwrap();
        assert_eq!(run(last(&world.store, "a")).unwrap(), Some(Silence { round: 4, heartbeats: 0 }));
        let is_closed = |seq| run(is_closed_before(&world.store, "a", seq)).unwrap();
        assert!(is_closed(9) && !is_closed(7));
    }
}
