//! What is to be recorded, what may not be pushed and where callbacks go: rules, forbidden streams, notify configs, and
//! the nonces of the API that sets them.
//!
//! Not a server and not a component: no clock, no network; the caller gives the store and the time. The store is used
//! by get, set, delete, exists and an atomic increment alone, as every backend does them correctly.
//!
//! | module | what |
//! | --- | --- |
//! | [`rule`] | rules: a register a triple, a directory a domain |
//! | [`forbidden`] | streams that may not be pushed: likewise |
//! | [`notify`] | notify configs: a register a domain |
//! | [`copy`] | copies beside the store, and how they come back when it is lost |
//! | [`nonces`] | each signed request is answered once |
//! | [`register`] | one value that many callers change at once, each change decided upon the value before it |
//! | [`directory`], `entry` | which triples of a domain have a rule, or are forbidden |
//! | [`key`] | the layout of the keys |
#![deny(missing_docs)]

pub mod copy;
pub mod directory;
mod entry;
mod error;
pub mod forbidden;
pub mod key;
pub mod nonces;
pub mod notify;
mod record;
pub mod register;
pub mod rule;

#[cfg(test)]
mod tests;

pub use error::Error;
pub use record::{
    Container, Forbidden, Format, NotifyConfig, OnDemand, Rule, SliceFormat, Triple, Versioned,
};
