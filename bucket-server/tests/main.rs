//! The bucket server over real HTTP, with signatures of our own.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod client;
mod connection;
mod crash;
mod full;
mod listing;
mod objects;
mod recorder;
mod room;
mod signed;
mod uploads;
