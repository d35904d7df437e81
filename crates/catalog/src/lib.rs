//! What is pushed, what is recorded of it, and what is due: the recording model.
//!
//! | module | what |
//! | --- | --- |
//! | [`stream`], [`rule`], [`chunk`], [`order`] | the words of the model |
//! | [`session`] | pushes: offered, adopted, ended |
//! | [`commit`], [`committed`], [`account`], [`page`] | the chunks of a push, and which record files they are in |
//! | [`file`](mod@file), [`names`], [`media`], [`upload`] | which record files are complete, what they are called, what they are made of, and how far that is |
//! | [`gateway`] | what gateways tell |
//! | [`command`], [`live`], [`denial`] | orders, what is being pushed, and what is to be pushed no more |
//! | [`due`], [`timer`], [`time`](mod@time) | what is to be done, and when |
//! | [`content`], [`index_file`] | what was recorded, and the files of it, by time |
//! | `seal`, `log` | what is sealed into the work bucket, kept for a while, and forgotten |
//! | [`rebuild`] | a lost store is filled anew from the work bucket |
//! | [`decision`] | how races are settled |
//! | [`guard`] | what has to hold before anything is recorded |
//! | [`replacing`] | which buckets' stores replace objects |
#![deny(missing_docs)]

pub mod account;
pub mod blocks;
mod changes;
pub mod chunk;
mod claim;
pub mod command;
pub mod commit;
pub mod committed;
pub mod content;
pub mod copies;
mod days;
pub mod decision;
pub mod denial;
pub mod due;
mod error;
pub mod event;
pub mod file;
pub mod gateway;
pub mod guard;
mod heard;
pub mod index_file;
mod key;
mod list;
pub mod live;
mod log;
mod look;
pub mod media;
mod missing;
pub mod names;
mod news;
mod next_file;
mod noted;
pub mod order;
pub mod page;
pub mod rebuild;
pub mod replacing;
pub mod rule;
mod seal;
mod sealed;
pub mod sent;
pub mod session;
mod silence;
mod slice_note;
mod status;
mod stored_file;
pub mod stream;
mod tally;
#[cfg(test)]
mod tests;
pub mod time;
pub mod timer;
pub mod upload;
pub mod users;
pub mod wish;

pub use error::Error;

/// Whether records leave a field out, which is read as this then.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
