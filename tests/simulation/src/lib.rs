//! A small, fast model of the world around the functions.
//!
//! The handlers are the real ones, over the real domain crates; the key-value store and the buckets are in memory, and
//! every operation of theirs is a point at which another call may go first, a call may die, stall, be refused or lose
//! its reply. Gateways are models that keep the contract, or real ones. One seed is one history: time passes in steps of a second,
//! and all calls that are under way in a second go on by one operation at a time, in an order that is drawn.
//!
//! | module | what |
//! | --- | --- |
//! | [`workload`] | what happens in a history, drawn from its seed |
//! | [`history`] | the world, its gateways and what passes between them |
//! | [`gateway`] | a gateway that keeps the contract, with a spool that survives it |
//! | [`real_gateway`] | the gateway as it ships, on the clock of a history |
//! | [`media`] | what is pushed, and how it is found again in slices and files |
//! | [`call`], [`network`] | calls, and those under way: faults, stalls, late and doubled calls |
//! | [`functions`] | what answers calls: the handlers here, the built components in the end-to-end tests |
//! | [`hosts`] | function hosts, each with a clock of its own, over one store |
//! | [`judge`] | whether what is left is what it has to be |
//! | [`told`] | what receivers were told, as they see it |
//! | [`coverage`], [`figures`], [`trace`] | what was reached, how much there was, and what happened |
//! | [`defects`] | deliberate defects, which the judge finds |
//! | [`chances`] | what a seed draws at each point |
//! | [`options`] | which history, and how it is played |
//! | [`run`], [`shrink`], [`command`], [`seeds`] | one whole history, a shorter one that fails as well, and many |
//!
//! # Running it
//!
//! `cargo xtask simulate` plays histories of many seeds, optimised, several at once, and prints how much there was of what;
//! what a set of 250 histories never reaches is a failure. The same seeds give the same hash. Of a failure it prints the seed,
//! leaves out events and faults for as long as the history still fails, and prints the command that replays the rest, with
//! each request, answer, fault and event. With `--long` histories last for 25 to 37 hours, past a midnight, with 4 to 24
//! streams, and all that is drawn is rarer. `cargo test -p recorder-simulation` plays a fixed set, a few drawn seeds, and two long histories.
//!
//! # What has to hold
//!
//! Once nothing is wrong any more, lists are right within 15 s, all is told and sent within 420 s, and every acknowledged
//! chunk is in a record file within another 900 s, or 8,700 s where clocks were apart. Each picture and each frame of sound
//! comes there as long after its chunk's first picture as it was pushed. Files begin where an order, a full cycle, a break,
//! another rule, another codec or track, or a silence has them begin, and nowhere else. Each session that somebody was told is
//! kept is known, under the rule that held when its push began. Each recording's start is taken by its server, and what
//! was taken is told again only by or after a call that met trouble. After seven months nothing is left to be done, no lane
//! fails in anything, and no timer is due but copies that were set behind the slot that ticks had come to.
#![deny(missing_docs)]

pub mod call;
pub mod chances;
pub mod command;
pub mod coverage;
pub mod defects;
pub mod figures;
pub mod functions;
pub mod gateway;
pub mod history;
pub mod hosts;
pub mod judge;
pub mod media;
pub mod network;
pub mod options;
#[cfg(feature = "real-gateways")]
pub mod real_gateway;
pub mod run;
pub mod seeds;
pub mod shrink;
pub mod told;
pub mod trace;
pub mod workload;

use protocol::StreamPath;
use shared::catalog::StreamName;

/// A stream as the catalog names it.
#[must_use]
pub fn stream_name(path: &StreamPath) -> StreamName {
    path.into()
}
