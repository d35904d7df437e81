//! Silent gateways: files are closed, and nothing else.
//!
//! A session whose gateway gives no sign of life keeps its recording, its orders and its place; only its open
//! record files are closed, so that their users need not wait for a gateway that may never come back. A chunk
//! that comes later begins files of its own.
//!
//! A commit may race with the tick that closes. A round of silence is named by the gateway's heartbeat count, at
//! which the gateway was found silent:
//!
//! 1. The tick writes the round into `x.{session}`.
//! 2. [`CALL_MAX_MS`] later it writes it again: whoever could still write an earlier round is over by now.
//! 3. [`CALL_MAX_MS`] after that, a commit that began without seeing the round is over as well. If the count is
//!    still the same, the tick decides the round: closed before the first chunk that is not
//!    committed.
//!
//! A commit that sees a round decides it as well: open. Whoever decides first is believed by both.

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store};

use crate::decision::{self, WorkBucket};
use crate::error::Error;
use crate::{committed, key};

/// No call commits anything later than this after its begin.
pub const CALL_MAX_MS: u64 = 120_000;

/// How a round of silence was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Round {
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
struct Silence {
    heartbeats: u64,
}

impl Record for Silence {
    const VERSION: u32 = 1;
}

/// Begins a round, in the first and in the second step: from the second on, commits of the session decide it.
///
/// # Errors
/// The store failed.
pub async fn begin(store: &impl Store, session: &str, heartbeats: u64) -> Result<(), Error> {
    Ok(write(store, &key::silence(session), &Silence { heartbeats }).await?)
}

/// Closes the files of a session, in the third step.
///
/// # Errors
/// The store or the work bucket failed.
pub async fn close(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &str,
    heartbeats: u64,
) -> Result<Round, Error> {
    let proposal = Round::ClosedBefore(committed::length(store, session).await?);
    decide(store, bucket, session, heartbeats, proposal).await
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
    let Some(Silence { heartbeats }) = read(store, &key::silence(session)).await? else { return Ok(false) };
    let round = decide(store, bucket, session, heartbeats, Round::Open).await?;
    Ok(round == Round::ClosedBefore(seq))
}

/// Whether the last round closed the session's files before this chunk; decides nothing.
pub(crate) async fn is_closed_before(store: &impl Store, session: &str, seq: u64) -> Result<bool, Error> {
    let Some(Silence { heartbeats }) = read(store, &key::silence(session)).await? else { return Ok(false) };
    let round = read::<Round>(store, &key::round(session, heartbeats)).await?;
    Ok(round == Some(Round::ClosedBefore(seq)))
}

/// Decides a round, or finds how it was decided. What was decided is kept beside the round, so that later commits
/// ask the store alone.
async fn decide(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &str,
    heartbeats: u64,
    proposal: Round,
) -> Result<Round, Error> {
    let key = key::round(session, heartbeats);
    if let Some(round) = read(store, &key).await? {
        return Ok(round);
    }
    let name = format!("decision/silence/{session}/{heartbeats}");
    let round = decision::decide(bucket, &name, &proposal).await?;
    write(store, &key, &round).await?;
    Ok(round)
}
