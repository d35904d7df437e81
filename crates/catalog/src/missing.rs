//! Chunks that were acknowledged by a store that is lost.
//!
//! A gateway whose acknowledged chunks are missing tells them as lost when it brings the next one. After the last chunk of
//! a session there is none: what is missing of a session that has ended is told here. It is what its gateway, which is
//! alive, has not brought for a while.
//!
//! | timer | does |
//! | --- | --- |
//! | `n {session}` | notes how many chunks there are, and how often the gateway was heard |
//! | `n {session} {length} {heartbeats}` | where the gateway is alive and no chunk has come since: gives the missing ones up |
//! | `n {session} {length} {heartbeats} 1` | tells them lost: whoever did not see that they were given up is over |
//!
//! The last two wait three times, each time by the clock of the host that comes to them.

use serde::{Deserialize, Serialize};
use store::record::write;
use store::{Record, Store, counter};

use crate::chunk::{Chunk, Gap, GapReason};
use crate::commit::{self, Bringer, Delivery, Turn};
use crate::decision::WorkBucket;
use crate::error::Error;
use crate::session::{self, End, Session};
use crate::time::CALL_MAX_MS;
use crate::{committed, key, news, timer};

/// Gateways try again each minute at least, and a bucket that refuses for a while is no reason to give a chunk up.
pub(crate) const WAIT_MS: u64 = 600_000;

/// A call that began before something was written is over after this, also if that was written at the end of a call.
pub(crate) const GIVEN_UP_MS: u64 = 2 * CALL_MAX_MS;

/// What is missing of a silent gateway's session is looked at again after this.
const SILENT_MS: u64 = 3_600_000;

/// So many chunks are told at a time.
const MOST: u64 = 500;

/// Missing chunks are given up.
#[derive(Serialize, Deserialize)]
struct GivenUp {}

impl Record for GivenUp {
    const VERSION: u32 = 1;
}

/// Looks at an ended session of which chunks are missing, until they are told or have come. `before` is what the look
/// before found.
pub(crate) async fn look(
    store: &impl Store,
    bucket: &impl WorkBucket,
    id: &str,
    before: &[u64],
    now_ms: u64,
) -> Result<(), Error> {
    let Some(session) = session::find(store, id).await? else { return Ok(()) };
    let Some(end) = session::ended(store, id).await? else { return Ok(()) };
    let length = committed::length(store, id).await?;
    if length >= end.chunks {
        return Ok(store.delete(&key::given_up(id)).await?);
    }
    match *before {
        [known, heartbeats, 1] if known == length && store.exists(&key::given_up(id)).await? => {
            tell_all(store, bucket, (&session, &end), (length, heartbeats), now_ms).await
        }
        [known, heartbeats] if known == length => {
            let heard = counter::value(store, &key::heartbeats(&session.gateway_key())).await?;
            if heard <= heartbeats {
                return timer::set(store, now_ms + SILENT_MS, &format!("n {id} {length} {heard}")).await;
            }
            timer::set(store, now_ms + GIVEN_UP_MS, &format!("n {id} {length} {heard} 1")).await?;
            Ok(write(store, &key::given_up(id), &GivenUp {}).await?)
        }
        _ => {
            // Chunks have come, or a look died.
            store.delete(&key::given_up(id)).await?;
            let heard = counter::value(store, &key::heartbeats(&session.gateway_key())).await?;
            timer::set(store, now_ms + WAIT_MS, &format!("n {id} {length} {heard}")).await
        }
    }
}

/// Tells that the missing chunks of an ended session will not come.
async fn tell_all(
    store: &impl Store,
    bucket: &impl WorkBucket,
    (session, end): (&Session, &End),
    (length, heartbeats): (u64, u64),
    now_ms: u64,
) -> Result<(), Error> {
    let id = &session.id;
    let next = end.chunks.min(length + MOST);
    for seq in length..next {
        tell(store, bucket, (session, end), seq, now_ms).await?;
    }
    if next < end.chunks {
        let what = format!("n {id} {next} {heartbeats} 1 {}", timer::AGAIN_AND_AGAIN);
        return timer::set(store, now_ms, &what).await;
    }
    timer::set(store, now_ms, &format!("c {id}")).await?;
    Ok(store.delete(&key::given_up(id)).await?)
}

/// Commits that a chunk will not come.
pub(crate) async fn tell(
    store: &impl Store,
    bucket: &impl WorkBucket,
    (session, end): (&Session, &End),
    seq: u64,
    now_ms: u64,
) -> Result<(), Error> {
    let turn = commit::turn(store, bucket, (&session.id, seq), Bringer::Missing, now_ms).await?;
    let Turn::Next(prepared) = turn else { return Ok(()) };
    let at_ms = end.ended_ms.saturating_sub(session.began_ms);
    let gap = Gap { reason: GapReason::Acknowledged, from_ms: at_ms, to_ms: at_ms };
    let delivery = Delivery {
        generation: prepared.generation(),
        chunk: Chunk::Gap(gap),
        is_followed_by_entry: true,
        remux_state: prepared.remux_state.clone(),
        left_out: Vec::new(),
    };
    let next = news::note(store, &prepared, &delivery, now_ms).await?;
    let (mut record, _) = commit::plan(&prepared, delivery)?;
    record.number(next);
    committed::put(store, &session.id, seq, &record).await
}
