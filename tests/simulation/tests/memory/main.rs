//! What a stream's memory has to hold up against: crashes, clocks, second gateways, and months of use.
//!
//! Each test makes plain requests of the real functions, as a gateway, a cron job and a client of the recording API
//! make them, under clocks that it sets.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;
mod site;

mod bounds;
mod breaks;
mod clocks;
mod events;
mod forbidden;
mod handover;
mod kept_media;
mod lost;
mod lost_store;
mod overlap;
mod pauses;
mod read_back;
mod restart;
mod status;
mod suspended;
mod table;
mod tenants;
mod two_formats;
mod unended;
mod windows;
