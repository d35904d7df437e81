//! A small, fast model of the world around the functions.
//!
//! The handlers are the real ones, over the real domain crates; the key-value store and the buckets are in memory, and
//! every operation of theirs is a point at which another call may go first, a call may die, be refused or lose its
//! reply. Gateways are models that keep the contract. One seed is one history: time passes in steps of a second, and
//! all calls of a step run at once.
//!
//! | module | what |
//! | --- | --- |
//! | [`media`] | the least that is recorded |
//! | [`gateway`] | a gateway that keeps the contract, with a spool that survives it |
//! | [`world`] | function hosts, each with a clock of its own, over one store |
//! | [`judge`] | whether everything that was acknowledged is in exactly one record file, in order |
#![deny(missing_docs)]

pub mod gateway;
pub mod judge;
pub mod media;
pub mod world;
