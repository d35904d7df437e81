//! Who has something in hand that one call at a time may do, such as telling a recording's events.
//!
//! | key | holds | written by |
//! | --- | --- | --- |
//! | `{claim}` | how many had drawn when it was taken, and until when it is held | who took it, or drew in vain |
//! | `{claim}.n` | counter: numbers drawn | |
//!
//! Whoever finds it free draws a number, and has it where that is the next one after those that it read of; of several
//! that read the same one alone does. Who has it has it until it gives it back, or for longer than a call lasts: nobody
//! who had it is at work any more when another one takes it. Giving it back removes the counter first: who finds no
//! record and draws 1 then comes after that.
//!
//! One that drew in vain and finds nothing written since cannot know whether the one before it lives, and writes that it
//! is held for as long as that one can. So a call that dies between the two costs some minutes.

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store, counter};

use crate::error::Error;
use crate::time::CALL_MAX_MS;

/// Hosts' clocks differ by no more than this, and both of two that differ go by a claim. Unit: ms.
const CLOCKS_MS: u64 = 2_000;

/// For how long a claim is held unless it is given back. Unit: ms.
const HELD_MS: u64 = CALL_MAX_MS + CLOCKS_MS;

/// For how long nobody has it after a number was drawn in vain: the one drawn before may come from a call that began when
/// this one was about to end. Unit: ms.
const IN_VAIN_MS: u64 = CALL_MAX_MS + HELD_MS;

/// A claim that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Claim {
    drawn: u64,
    until_ms: u64,
    /// Until when the one before it was held, which whoever drew had read; 0: there was none.
    after_ms: u64,
}

impl Record for Claim {
    const VERSION: u32 = 1;
}

impl Claim {
    /// One of a clock that is far ahead holds nobody up.
    fn is_held(self, now_ms: u64) -> bool {
        let left_ms = self.until_ms.saturating_sub(now_ms);
        left_ms > 0 && left_ms <= IN_VAIN_MS + CLOCKS_MS
    }
}

/// Takes a claim by its key, unless another call has it. `now_ms` is a moment of this call.
///
/// # Errors
/// The store failed; the claim may be held for some minutes then.
pub(crate) async fn take(store: &impl Store, key: &str, now_ms: u64) -> Result<bool, Error> {
    let before: Option<Claim> = read(store, key).await?;
    if before.is_some_and(|claim| claim.is_held(now_ms)) {
        return Ok(false);
    }
    let drawn = counter::add(store, &drawn_key(key), 1).await?;
    let is_mine = drawn == before.map_or(0, |claim| claim.drawn) + 1;
    let after_ms = before.map_or(0, |claim| claim.until_ms);
    if !is_mine || before.is_some() {
        let now: Option<Claim> = read(store, key).await?;
        // Numbers begin anew where a claim is given back: the one after an old claim's may be of another round, unless
        // that is still there, or only somebody who read the same has drawn in vain.
        let is_in_vain = |claim: Claim| claim.after_ms == after_ms && claim.drawn > drawn;
        if now != before && !(is_mine && now.is_some_and(is_in_vain)) {
            return Ok(false);
        }
    }
    let held_ms = if is_mine { HELD_MS } else { IN_VAIN_MS };
    write(store, key, &Claim { drawn, until_ms: now_ms + held_ms, after_ms }).await?;
    Ok(is_mine)
}

/// Gives a claim back that this call has.
///
/// # Errors
/// The store failed; the claim may be held for some minutes then.
pub(crate) async fn give_back(store: &impl Store, key: &str) -> Result<(), Error> {
    store.delete(&drawn_key(key)).await?;
    Ok(store.delete(key).await?)
}

fn drawn_key(key: &str) -> String {
    format!("{key}.n")
}

#[cfg(test)]
mod tests;
